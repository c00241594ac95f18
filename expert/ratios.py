"""Divides one given fact by another where the vocabulary defines a fact as their ratio; measures and decides nothing.

A comparison of two facts is no rule condition: the ratio is a fact of its own, and rules compare that with a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from knowledge.conditions import Condition
from knowledge.records import Fact
from knowledge.vocabulary import Entry, Vocabulary


def with_ratios(facts: Mapping[str, Fact], vocabulary: Vocabulary) -> dict[str, Fact]:
    """Return the facts with every ratio whose two parts are known and that nobody supplied."""
    found = dict(facts)
    for entry in ratio_entries(vocabulary):
        if entry.name not in found and (fact := _ratio(entry, facts)) is not None:
            found[entry.name] = fact
    return found


def ratio_entries(vocabulary: Vocabulary) -> tuple[Entry, ...]:
    """Return the entries that are ratios."""
    return tuple(entry for entry in vocabulary.entries.values() if entry.ratio_of)


def scaled(condition: Condition, entry: Entry, part: str, facts: Mapping[str, Fact]) -> Condition | None:
    """Return a condition on a ratio as one on the upper part, the lower being known; None where that cannot be said."""
    over, under = entry.ratio_of or ("", "")
    if part != over or under not in facts or condition.kind != "is" or isinstance(condition.value, (tuple, str, bool)):
        return None
    return replace(condition, fact=part, value=float(condition.value) * float(facts[under].value))


def _ratio(entry: Entry, facts: Mapping[str, Fact]) -> Fact | None:
    over, under = (facts.get(name) for name in entry.ratio_of or ())
    if over is None or under is None or not float(under.value):
        return None
    value = float(over.value) / float(under.value)
    return Fact(entry.name, value, over.source if over.source != "user" else under.source)
