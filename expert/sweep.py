"""Draws conclusions anew with other facts, for hundreds of suppositions at once; changes nothing of the session.

What depends on nothing that comes out otherwise is taken over as the session has it, so that one supposition costs a
millisecond or less. Plain recursion (`expert.reference`) does the reasoning; it agrees with the forward chaining.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
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
        self.given = given(session)
        self._late = late_entries(session.knowledge.vocabulary, self.by_attribute)
        self._reads = {
            **{name: {c.fact for rule in some for c in rule.conditions} for name, some in self.by_attribute.items()},
            **{name: set(entry.parts) for name, entry in self._late.items()},
        }
        self._readers: dict[str, set[str]] = {}
        for name, reads in self._reads.items():
            for read in reads:
                self._readers.setdefault(read, set()).add(name)
        self._ratios = tuple(
            entry for entry in ratio_entries(session.knowledge.vocabulary) if entry.name not in self._late
        )
        self._affected: dict[frozenset[str], tuple[str, ...]] = {}
        self._before: dict[str, Fact | None] = {name: session.facts.get(name) for name in self._reads}
        self._depth = {name: number for number, name in enumerate(TopologicalSorter(self._reads).static_order())}

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
        moved = {*said, *stale}
        affected = self._dependents(frozenset(moved))
        reference = Reference(vocabulary, self.by_attribute, {**self._before, **known}, self._session.certainties)
        for name in affected:
            if name not in known and not self._reads[name].isdisjoint(moved):
                reference.forget(name)
                if self._moves(reference, name):
                    moved.add(name)
        return tuple(self._compared(reference, moved.difference(known, self._late).intersection(self.by_attribute)))

    def _moves(self, reference: Reference, name: str) -> bool:
        """Whether a conclusion comes out otherwise; of what stays unknown the possible values may be others."""
        before, after = self._before[name], reference.fact(name)
        if before is None or after is None or not same(before.value, after.value):
            return True
        return reference.certainty(name) != self._session.certainties.get(name, 1.0)

    def _compared(self, reference: Reference, names: Iterable[str]) -> Iterator[Change]:
        for name in sorted(names, key=self._order.__getitem__):
            before, after = (shown(fact) for fact in (self._session.facts.get(name), reference.fact(name)))
            if before is not after and (before is None or after is None or not same(before, after)):
                decided = self._entries[name].kind == "decision"
                yield Change(name, before, after, reference.winner(name) if decided else "")

    def _dependents(self, names: frozenset[str]) -> tuple[str, ...]:
        """What is concluded, through however many rules, from these facts; each after those that it rests on."""
        if names not in self._affected:
            found: set[str] = set()
            waiting = list(names)
            while waiting:
                new = self._readers.get(waiting.pop(), set()) - found
                found |= new
                waiting += new
            self._affected[names] = tuple(sorted(found, key=self._depth.__getitem__))
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
