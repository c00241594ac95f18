"""Answers "what if": draws the conclusions of a session anew with other facts, and says which come out otherwise.

Sensitivity asks the same of every measured number: how far it lies from the nearest threshold that changes a decision
or a finding. Nothing of the session is changed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from knowledge.conditions import same, spell
from knowledge.records import Fact, Unknown, Value
from knowledge.vocabulary import Entry

from .chaining import consult
from .proof import Explanation
from .ratios import ratio_entries
from .session import Session
from .sweep import Change, Sweep, given, shown


@dataclass(frozen=True, slots=True)
class WhatIf(Explanation):
    """What other facts would change."""

    said: Mapping[str, Value]
    changes: tuple[Change, ...]

    def lines(self) -> list[str]:
        """Return the supposition, then each change."""
        supposed = ", ".join(f"{name} = {spell(value)}" for name, value in self.said.items())
        return [f"If {supposed}:", *(f"  {change}" for change in self.changes or ("nothing would change",))]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"if": dict(self.said), "changes": [change.record() for change in self.changes]}


def what_if(session: Session, said: Mapping[str, Value]) -> WhatIf:
    """Draw all conclusions anew with `said` in place of what is known; decisions among it are fixed.

    Raises:
        UsageError: an unknown name, or a value that does not fit.
    """
    return compared(session, suppose(session, said), said)


def suppose(session: Session, said: Mapping[str, Value], *, released: Collection[str] = ()) -> Session:
    """Return the session that `said` would give; what is `released` is no longer given.

    Raises:
        UsageError: an unknown name, or a value that does not fit.
    """
    vocabulary = session.knowledge.vocabulary
    new = {name: vocabulary.user_fact(name, value, "what if") for name, value in said.items()}
    stale = {entry.name for entry in ratio_entries(vocabulary) if new.keys() & set(entry.parts)}
    gone = {*new, *released, *stale}
    old = {name: fact for name, fact in given(session).items() if name not in gone}
    fixed = {name: fact.value for name, fact in new.items() if vocabulary.entry(name).kind == "decision"}
    fixed |= {name: old[name].value for name in old if name in session.decisions}
    facts = [fact for name, fact in {**old, **new}.items() if name not in fixed]
    unknown = [Unknown(name, reason) for name, reason in session.unknown.items() if name not in new]
    return consult(session.knowledge, facts, packs=session.packs, unknown=unknown, fixed=fixed)


def compared(before: Session, after: Session, said: Mapping[str, Value]) -> WhatIf:
    """Return what the second session concludes otherwise; what was said to make it so is left out."""
    values = {name: after.facts[name].value for name in said}
    return WhatIf(values, tuple(_changes(before, after, values.keys())))


def _changes(before: Session, after: Session, supposed: Set[str]) -> Iterator[Change]:
    old, new = ({name: shown(fact) for name, fact in _concluded(session)} for session in (before, after))
    for name in dict.fromkeys((*new, *old)):
        if name not in supposed and not _equal(old.get(name), new.get(name)):
            decision = after.decisions.get(name)
            yield Change(name, old.get(name), new.get(name), decision.rule if decision else "")


def _concluded(session: Session) -> Iterator[tuple[str, Fact]]:
    """Decisions, whoever made them, derived facts and findings; of the estimates, the hours."""
    entries = session.knowledge.vocabulary.entries
    for name, fact in session.facts.items():
        estimate = entries[name].estimated
        hours = estimate and estimate.what == "training-hours" and estimate.end == "middle" and not estimate.assumes
        told = not entries[name].parts or hours
        if (fact.source in ("rule", "decision") and told) or name in session.decisions:
            yield name, fact


def _equal(left: Value | None, right: Value | None) -> bool:
    return left is right if left is None or right is None else same(left, right)


@dataclass(frozen=True, slots=True)
class Flip:
    """The smallest move of one number that changes a conclusion."""

    name: str
    value: float
    moved: float
    changes: tuple[Change, ...]
    at: str = ""
    """The value, for a reader: `499`, `just below 24`."""

    @property
    def share(self) -> float:
        """The move as a share of the value; infinite from 0."""
        return abs(self.moved - self.value) / abs(self.value) if self.value else float("inf")

    @property
    def away(self) -> str:
        """The share, for a reader."""
        return f"{self.share:.1%}" if self.share >= 0.001 else "less than 0.1%"


@dataclass(frozen=True, slots=True)
class Sensitivity(Explanation):
    """Which numbers lie near a threshold that matters, the nearest first."""

    flips: tuple[Flip, ...]

    def lines(self) -> list[str]:
        """Return each number with the move that changes something, and what it changes."""
        if not self.flips:
            return ["No number that is known here changes a conclusion, wherever it moved."]
        found = []
        for flip in self.flips:
            by = f", {flip.away} away" if flip.value else ""
            found.append(f"{flip.name} is {spell(flip.value)}; at {flip.at}{by}:")
            found += [f"  {change}" for change in flip.changes]
        return found

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "flips": [
                {
                    "name": flip.name,
                    "value": flip.value,
                    "moved": flip.moved,
                    "at": flip.at,
                    "changes": [change.record() for change in flip.changes],
                }
                for flip in self.flips
            ]
        }


def sensitivity(session: Session, name: str = "", *, attribute: str = "") -> Sensitivity:
    """Return for each given number, or for `name` alone, the nearest value on either side that changes a conclusion.

    With `attribute`, only what is concluded about that counts.

    Raises:
        KnowledgeError: there is no such fact.
    """
    if name:
        session.knowledge.vocabulary.entry(name)
    sweep = Sweep(session)
    flips: list[Flip] = []
    for fact in sweep.given.values():
        entry = session.knowledge.vocabulary.entry(fact.name)
        if entry.type in ("integer", "number") and name in ("", fact.name) and fact.name not in sweep.by_attribute:
            flips += _flips(session, sweep, fact, attribute)
    return Sensitivity(tuple(sorted(flips, key=lambda flip: (flip.share, flip.name))))


def _flips(session: Session, sweep: Sweep, fact: Fact, attribute: str) -> Iterator[Flip]:
    """At most one flip downward and one upward."""
    entry = session.knowledge.vocabulary.entry(fact.name)
    value = float(fact.value)
    for way in (-1, 1):
        for moved in _steps(session, entry, value, way):
            changes = sweep.changes({fact.name: moved})
            if changes and (not attribute or any(change.attribute == attribute for change in changes)):
                yield Flip(fact.name, value, moved, changes, _at(moved, way))
                break


def _at(moved: float, way: int) -> str:
    """A number next to a threshold is not told by its sixteenth digit."""
    short = float(spell(moved))
    return spell(moved) if short == moved else f"just {'below' if way < 0 else 'above'} {spell(moved)}"


def _steps(session: Session, entry: Entry, value: float, way: int) -> list[float]:
    """The values at and just past each threshold on one side that the fact can take, the nearest first."""
    rules = session.knowledge.pack(*session.packs)
    found: set[float] = set()
    for condition in (condition for rule in rules for condition in rule.conditions):
        if condition.kind == "is" and condition.fact == entry.name and not isinstance(condition.value, (tuple, str)):
            found |= _around(float(condition.value), whole=entry.type == "integer")
    low, high = entry.range
    inside = (step for step in found if (low is None or step >= low) and (high is None or step <= high))
    return sorted((step for step in inside if (step - value) * way > 0), key=lambda step: abs(step - value))


def _around(threshold: float, *, whole: bool) -> set[float]:
    if whole:
        return {math.floor(threshold) - 1, math.floor(threshold), math.ceil(threshold), math.ceil(threshold) + 1}
    return {math.nextafter(threshold, -math.inf), threshold, math.nextafter(threshold, math.inf)}
