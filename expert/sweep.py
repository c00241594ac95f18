"""Draws conclusions anew with other facts, for hundreds of suppositions at once; changes nothing of the session.

What depends on none of the supposed facts is taken over as the session has it, so that one supposition costs a
millisecond or less. Plain recursion (`expert.reference`) does the reasoning; it agrees with the forward chaining.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from knowledge.conditions import same, spell
from knowledge.records import Fact, Value

from .ratios import late_entries, ratio_entries, with_ratios
from .reference import Reference
from .session import Session
from .strata import concluding

_CONCLUDED = ("rule", "decision")


@dataclass(frozen=True, slots=True)
class Change:
    """A conclusion that comes out otherwise."""

    attribute: str
    before: Value | None
    """None: nothing is concluded."""
    after: Value | None
    rule: str = ""
    """The rule behind the new value, where it is a decision."""

    def __str__(self) -> str:
        values = ["nothing" if value is None else spell(value) for value in (self.before, self.after)]
        return f"{self.attribute}: {values[0]} becomes {values[1]}" + (f" ({self.rule})" if self.rule else "")

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"attribute": self.attribute, "before": self.before, "after": self.after, "rule": self.rule}


class Sweep:
    """The suppositions about one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries = session.knowledge.vocabulary.entries
        rules = session.knowledge.pack(*session.packs)
        self.by_attribute = concluding(rules)
        self._order = {name: number for number, name in enumerate(self._entries)}
        self._readers: dict[str, set[str]] = {}
        for rule in rules:
            for condition in rule.conditions:
                self._readers.setdefault(condition.fact, set()).add(rule.then.attribute)
        self.given = given(session)
        self._late = late_entries(session.knowledge.vocabulary, self.by_attribute)
        for entry in self._late.values():
            for part in entry.parts:
                self._readers.setdefault(part, set()).add(entry.name)
        self._ratios = tuple(
            entry for entry in ratio_entries(session.knowledge.vocabulary) if entry.name not in self._late
        )
        self._affected: dict[frozenset[str], frozenset[str]] = {}

    def changes(self, said: Mapping[str, Value]) -> tuple[Change, ...]:
        """Return what comes out otherwise with these facts, in the order of the vocabulary; what is said is left out.

        Estimates are left out too: they move with every number, and no conclusion changes by that alone.
        The facts must fit the vocabulary.
        """
        vocabulary = self._session.knowledge.vocabulary
        supposed = {name: Fact(name, value, "user") for name, value in said.items()}
        stale = {entry.name for entry in self._ratios if supposed.keys() & set(entry.parts)}
        known = {name: fact for name, fact in self.given.items() if name not in stale or name in supposed}
        known = with_ratios({**known, **supposed}, vocabulary, self._late)
        affected = self._dependents(frozenset(said) | stale)
        settled = {name: self._session.facts.get(name) for name in self.by_attribute if name not in affected}
        reference = Reference(vocabulary, self.by_attribute, {**settled, **known}, self._session.certainties)
        return tuple(self._compared(reference, affected.difference(known, self._late)))

    def _compared(self, reference: Reference, names: frozenset[str]) -> Iterator[Change]:
        for name in sorted(names, key=self._order.__getitem__):
            before, after = (shown(fact) for fact in (self._session.facts.get(name), reference.fact(name)))
            if before is not after and (before is None or after is None or not same(before, after)):
                decided = self._entries[name].kind == "decision"
                yield Change(name, before, after, reference.winner(name) if decided else "")

    def _dependents(self, names: frozenset[str]) -> frozenset[str]:
        """The attributes that are concluded, through however many rules, from these facts."""
        if names not in self._affected:
            found: set[str] = set()
            waiting = list(names)
            while waiting:
                new = self._readers.get(waiting.pop(), set()) - found
                found |= new
                waiting += new
            self._affected[names] = frozenset(found)
        return self._affected[names]


def given(session: Session) -> dict[str, Fact]:
    """Return what the session started from."""
    return {name: fact for name, fact in session.facts.items() if fact.source not in _CONCLUDED}


def shown(fact: Fact | None) -> Value | None:
    """The value; a finding that is refuted counts as none."""
    return None if fact is None or (fact.value is False and fact.source == "rule") else fact.value


def kinds(changes: Iterable[Change], session: Session) -> dict[Literal["decision", "finding"], tuple[Change, ...]]:
    """Sort changes into decisions and findings; derived facts are neither."""
    entries = session.knowledge.vocabulary.entries
    listed = tuple(changes)
    return {
        "decision": tuple(change for change in listed if entries[change.attribute].kind == "decision"),
        "finding": tuple(change for change in listed if change.attribute.startswith("finding.")),
    }
