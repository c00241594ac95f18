"""Both sides of what was decided: contested decisions, the user's choices against the rules, what is assumed.

Reads a finished session; draws no conclusion but what the rules would say without a choice of the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.conditions import spell
from knowledge.errors import UsageError
from knowledge.records import Value
from knowledge.schema import STRENGTHS

from .because import format_because
from .proof import Explanation
from .session import Candidate, Decision, Session
from .sweep import Change
from .whatif import compared, suppose

LOST = {
    "strength": "a stronger rule wins",
    "certainty": "a surer rule wins",
    "refinement": "a more special rule wins",
    "conditions": "a more special rule wins",
    "name": "the rules are equally good, and one had to win",
    "minimum": "the smallest value wins",
    "maximum": "the largest value wins",
    "your choice": "you chose otherwise",
}
"""What `Candidate.lost_on` means to a reader."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One rule's word for a value."""

    value: Value
    rule: str
    title: str
    because: str
    strength: str
    certainty: float
    sources: tuple[tuple[str, str, str], ...]
    """Id, kind of evidence and citation."""

    def lines(self, pad: str) -> Iterator[str]:
        """Return the argument, then what it rests on."""
        yield f"{pad}{spell(self.value)}: {self.rule} ({self.strength}, certainty {self.certainty:.2f})"
        yield f"{pad}  {self.because}"
        for name, kind, citation in self.sources:
            yield f"{pad}  {name} ({kind}): {citation}"

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        sources = [{"id": name, "kind": kind, "citation": citation} for name, kind, citation in self.sources]
        return {
            "value": self.value,
            "rule": self.rule,
            "title": self.title,
            "because": self.because,
            "strength": self.strength,
            "certainty": round(self.certainty, 4),
            "sources": sources,
        }


@dataclass(frozen=True, slots=True)
class Dispute:
    """One decision that rules of equal strength settle differently, or that the user settled against rules."""

    attribute: str
    value: Value
    yours: bool
    """Whether the user chose the value."""
    settled: str
    """Why the value won."""
    arguments: tuple[Argument, ...]
    """For the value; none where no rule agrees with the user."""
    rivals: tuple[Argument, ...]
    """For other values, the strongest first."""
    costs: tuple[Change, ...] = ()
    """Of a choice of the user: what else the rules would decide, were it left to them."""

    def lines(self) -> Iterator[str]:
        """Return the value, the arguments for it, and those against it."""
        yield f"{self.attribute} = {spell(self.value)} ({self.settled})"
        yield "  for it:" if self.arguments else "  for it: no rule"
        for argument in self.arguments:
            yield from argument.lines("    ")
        yield "  against it:" if self.rivals else "  against it: no rule"
        for argument in self.rivals:
            yield from argument.lines("    ")
        if self.costs:
            yield "  left to the rules:"
            yield from (f"    {change}" for change in self.costs)

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "attribute": self.attribute,
            "value": self.value,
            "yours": self.yours,
            "settled": self.settled,
            "for": [argument.record() for argument in self.arguments],
            "against": [argument.record() for argument in self.rivals],
            "left_to_the_rules": [change.record() for change in self.costs],
        }


@dataclass(frozen=True, slots=True)
class Disputes(Explanation):
    """Contested decisions, or the user's choices, each with both sides."""

    title: str
    none: str
    """What is said where there are none."""
    items: tuple[Dispute, ...]
    undisputed: tuple[str, ...] = ()
    """The user's choices that the rules would make as well, or say nothing about."""

    def lines(self) -> list[str]:
        """Return every dispute, then what nobody disputes."""
        found = [line for item in self.items for line in item.lines()] or [self.none]
        return found + (
            [f"The rules would not choose otherwise: {', '.join(self.undisputed)}"] if self.undisputed else []
        )

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        items = [item.record() for item in self.items]
        return {"title": self.title, "items": items, "undisputed": list(self.undisputed)}


def contested(session: Session, name: str = "") -> Disputes:
    """Return the decisions, or one of them, on which rules of equal strength disagree, with both arguments.

    Raises:
        UsageError: `name` is not decided.
    """
    decisions = [item for item in _decisions(session, name) if item.contested and not item.fixed_by_user]
    items = tuple(_contested(session, decision) for decision in decisions)
    return Disputes("Contested decisions", "No two rules of equal strength disagree here.", items)


def critique(session: Session, name: str = "") -> Disputes:
    """Return the user's choices, or one of them: what rules say for and against, and what else would be decided.

    Raises:
        UsageError: `name` is not decided.
    """
    decisions = [item for item in _decisions(session, name) if item.fixed_by_user]
    judged = [_criticised(session, decision) for decision in sorted(decisions, key=_gravity)]
    items = tuple(item for item in judged if name or item.costs)
    rest = tuple(item.attribute for item in judged if item not in items)
    none = "The rules would choose nothing of yours otherwise." if decisions else "You have fixed no decision."
    return Disputes("Your choices against the rules", none, items, rest)


def _decisions(session: Session, name: str) -> Iterable[Decision]:
    if not name:
        return session.decisions.values()
    if name not in session.decisions:
        session.knowledge.vocabulary.entry(name)
        raise UsageError(f"{name} is not decided here, expected one of {', '.join(session.decisions)}")
    return (session.decisions[name],)


def _gravity(decision: Decision) -> tuple[int, float]:
    """The choices that the strongest and surest rules object to come first."""
    objecting = [loser for loser in decision.losers if loser.rules]
    return min(((STRENGTHS.index(one.strength), -one.certainty) for one in objecting), default=(len(STRENGTHS), 0.0))


def _contested(session: Session, decision: Decision) -> Dispute:
    rivals = [loser for loser in decision.losers if loser.strength == decision.strength]
    return Dispute(
        attribute=decision.attribute,
        value=decision.value,
        yours=False,
        settled=LOST.get(rivals[0].lost_on, rivals[0].lost_on),
        arguments=_for_value(session, decision),
        rivals=_of_candidates(session, rivals),
    )


def _criticised(session: Session, decision: Decision) -> Dispute:
    name = decision.attribute
    freed = compared(session, suppose(session, {}, released=(name,)), {}) if decision.losers else None
    otherwise = freed is not None and any(change.attribute == name for change in freed.changes)
    return Dispute(
        attribute=name,
        value=decision.value,
        yours=True,
        settled="your choice; it is kept",
        arguments=_for_value(session, decision),
        rivals=_of_candidates(session, _weighty(decision.losers)),
        costs=freed.changes if freed is not None and otherwise else (),
    )


def _weighty(losers: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """A fallback speaks only where nothing better does."""
    return tuple(loser for loser in losers if loser.strength != "fallback") or losers


def _for_value(session: Session, decision: Decision) -> tuple[Argument, ...]:
    """The rules that fired for the value, the strongest first."""
    found = [firing for firing in session.firings_for(decision.attribute) if firing.rule.then.value == decision.value]
    found.sort(key=lambda firing: (STRENGTHS.index(firing.rule.strength), -firing.certainty, firing.rule.id))
    return tuple(argument(session, firing.rule.id, firing.certainty) for firing in found)


def _of_candidates(session: Session, candidates: Iterable[Candidate]) -> tuple[Argument, ...]:
    certainties = {firing.rule.id: firing.certainty for firing in session.firings}
    return tuple(
        argument(session, rule, certainties.get(rule, candidate.certainty))
        for candidate in candidates
        for rule in candidate.rules
    )


def argument(session: Session, rule_id: str, certainty: float) -> Argument:
    """Return what a rule of the session's knowledge says, and what it rests on."""
    rule = next(rule for rule in session.knowledge.rules if rule.id == rule_id)
    because = format_because(rule, session.facts)
    sources = tuple((name, evidence(session, name), session.knowledge.citation(name)) for name in rule.sources)
    return Argument(rule.then.value, rule.id, rule.title, because, rule.strength, certainty, sources)


def evidence(session: Session, source: str) -> str:
    """Return what kind of evidence a source is: a paper, what was measured here, experience, and so on."""
    sources = session.knowledge.sources
    return sources[source if source in sources else source.partition("-")[0]].kind
