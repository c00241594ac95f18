"""Lists every number that decides in a rulebook, and finds those that are nearly, but not quite, the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, groupby

from knowledge.conditions import Condition, spell
from knowledge.rulebook import Knowledge, Rule

SETTING = "threshold.near"
"""How near two thresholds of one fact must be to be reported: the smaller over the larger."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number that a fact is compared with."""

    fact: str
    value: float
    owners: frozenset[str]
    """The rules, tables, checks and remedies that name it."""

    @property
    def text(self) -> str:
        """How the number is spelt in messages."""
        return spell(self.value)


def thresholds(knowledge: Knowledge) -> tuple[Threshold, ...]:
    """Return every threshold by fact and value."""
    found: dict[tuple[str, float], set[str]] = {}
    for owner, condition in _conditions(knowledge):
        if (value := number_of(condition)) is not None:
            found.setdefault((condition.fact, value), set()).add(owner)
    return tuple(Threshold(fact, value, frozenset(found[fact, value])) for fact, value in sorted(found))


def near(knowledge: Knowledge) -> Iterator[tuple[Threshold, Threshold]]:
    """Return pairs of thresholds of one fact that look meant to be one: near, unequal, and never named together.

    A rule or table that names both tells them apart on purpose. Without the setting, nothing is near.
    """
    setting = knowledge.settings.get(SETTING)
    if setting is None:
        return
    by_fact = groupby(thresholds(knowledge), key=lambda one: one.fact)
    for left, right in (pair for _, group in by_fact for pair in combinations(group, 2)):
        small, large = sorted((abs(left.value), abs(right.value)))
        apart = left.value * right.value <= 0 or bool(left.owners & right.owners)
        whole = knowledge.vocabulary.entry(left.fact).type == "integer" and large - small <= 1 and large > 1
        if not apart and small / large >= setting.least and not (whole and _one_cut(left, right, knowledge)):
            yield left, right


def number_of(condition: Condition) -> float | None:
    """Return the number that a condition compares with, or None."""
    if condition.kind != "is" or isinstance(condition.value, (tuple, str, bool)):
        return None
    return float(condition.value)


def unfounded(rule: Rule, knowledge: Knowledge) -> tuple[float, ...]:
    """Return thresholds of a rule that no cited row of a source document mentions.

    Empty where something else is cited as well: what a paper or a measurement says is not at hand here.
    """
    rows = [knowledge.items[name].says for source in rule.sources for name in knowledge.items_named(source)]
    if rule.corrects or not rows or not all(knowledge.items_named(source) for source in rule.sources):
        return ()
    numbers = {float(text.replace(",", "")) for row in rows for text in re.findall(r"\d[\d,]*(?:\.\d+)?", row)}
    numbers |= {number / 100 for number in numbers} | {number * 1000 for number in numbers}
    values = dict.fromkeys(value for one in rule.conditions if (value := number_of(one)) is not None)
    return tuple(value for value in values if abs(value) not in numbers | {0.0, 1.0})


def _one_cut(left: Threshold, right: Threshold, knowledge: Knowledge) -> bool:
    """Whether `> 99` here and `>= 100` there cut whole numbers in the same place."""
    return len({_cuts(one, knowledge) for one in (left, right)}) == 1


def _cuts(threshold: Threshold, knowledge: Knowledge) -> frozenset[float]:
    """The least whole number above each cut."""
    found = set()
    for _, condition in _conditions(knowledge):
        if condition.fact == threshold.fact and number_of(condition) == threshold.value:
            found.add(threshold.value + (condition.operator in ("<=", ">")))
    return frozenset(found)


def _conditions(knowledge: Knowledge) -> Iterator[tuple[str, Condition]]:
    for rule in knowledge.rules:
        yield from ((rule.table or rule.id, condition) for condition in rule.conditions)
    for check in knowledge.checks:
        yield from ((check.id, condition) for condition in check.conditions)
    for remedy in knowledge.remedies.values():
        yield from ((remedy.id, condition) for clause in (*remedy.when, *remedy.unless) for condition in clause)
