"""What would change the expert's mind: the single facts that, otherwise, would settle a decision differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.conditions import same, spell
from knowledge.errors import UsageError
from knowledge.records import Value

from .interview import questions
from .proof import Explanation
from .prospects import Prospect, Prospects
from .session import Session
from .sweep import Change
from .whatif import sensitivity


@dataclass(frozen=True, slots=True)
class Turn:
    """One fact that would settle the decision differently."""

    fact: str
    known: Value | None
    """None: it is unknown."""
    to: str
    """Which values would do it, for a reader."""
    change: Change
    distance: float | None = None
    """Of a number: how far the nearest such value is, as a share of the known one."""
    away: str = ""
    """The distance, for a reader."""

    def __str__(self) -> str:
        known = "is unknown" if self.known is None else f"is {spell(self.known)}"
        far = f", {self.away} away" if self.away and self.distance != float("inf") else ""
        after = "nothing" if self.change.after is None else spell(self.change.after)
        by = f" ({self.change.rule})" if self.change.rule else ""
        return f"{self.fact} {known}; {self.to}{far} would make it {after}{by}"

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "fact": self.fact,
            "known": self.known,
            "to": self.to,
            "distance": self.distance if self.distance != float("inf") else None,
            "change": self.change.record(),
        }


@dataclass(frozen=True, slots=True)
class ChangeOfMind(Explanation):
    """What would settle one attribute differently."""

    name: str
    value: Value | None
    turns: tuple[Turn, ...]

    def lines(self) -> list[str]:
        """Return what would change it: what is known first, numbers by their distance, then what is unknown."""
        value = "nothing" if self.value is None else spell(self.value)
        turns = [f"  {turn}" for turn in self.turns]
        return [f"{self.name} = {value}", *(turns or ["  No single fact, were it otherwise, would change it."])]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"name": self.name, "value": self.value, "turns": [turn.record() for turn in self.turns]}


def change_of_mind(session: Session, name: str) -> ChangeOfMind:
    """Return the single changes of what was said, measured or left open that would conclude something else of `name`.

    Raises:
        KnowledgeError: there is no such name.  UsageError: rules conclude nothing about it, or somebody settled it.
    """
    session.knowledge.vocabulary.entry(name)
    prospects = Prospects(session)
    if name not in prospects.concluded:
        raise UsageError(f"{name} is a fact that is said or measured, expected a decision or a finding")
    if name in session.pinned:
        raise UsageError(f"{name} was settled from outside; no fact changes it")
    fact = session.facts.get(name)
    turns = (*_numbers(session, name), *_choices(session, prospects, name), *_open(session, prospects, name))
    return ChangeOfMind(name, None if fact is None else fact.value, turns)


def _numbers(session: Session, name: str) -> Iterator[Turn]:
    for flip in sensitivity(session, attribute=name).flips:
        (change,) = (change for change in flip.changes if change.attribute == name)
        yield Turn(flip.name, session.facts[flip.name].value, flip.at, change, flip.share, flip.away)


def _choices(session: Session, prospects: Prospects, name: str) -> Iterator[Turn]:
    for fact in prospects.given.values():
        if session.knowledge.vocabulary.entry(fact.name).type in ("choice", "boolean") and fact.name != name:
            for prospect in prospects.of(fact.name):
                if not same(prospect.answer.value, fact.value):
                    yield from _turn(fact.name, fact.value, prospect, name)


def _open(session: Session, prospects: Prospects, name: str) -> Iterator[Turn]:
    for question in questions(session):
        for prospect in prospects.of(question.entry.name):
            yield from _turn(question.entry.name, None, prospect, name)


def _turn(fact: str, known: Value | None, prospect: Prospect, name: str) -> Iterator[Turn]:
    for change in (*prospect.decisions, *prospect.findings, *prospect.derived):
        if change.attribute == name:
            yield Turn(fact, known, prospect.answer.says, change)
