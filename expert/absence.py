"""Says which conclusions rest on something that was not measured: rules that fire because a fact is unknown.

`none` is no such condition: it holds only after every rule for the finding was refuted. Judges no rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.rulebook import Knowledge, Rule

from .strata import Concluding, concluding


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A rule that fires while a fact is unknown."""

    rule: str
    concludes: str
    without: tuple[str, ...]
    """The facts whose absence it needs."""
    suppliers: tuple[str, ...]
    """Who could end the absence."""
    reaches: tuple[str, ...]
    """What may be concluded from it in turn."""


def unmeasured(knowledge: Knowledge) -> tuple[Unmeasured, ...]:
    """Return every rule that needs something to be unknown, in file order."""
    found = []
    read = _read_by(knowledge.rules)
    for rule in knowledge.rules:
        without = absent(rule)
        if without:
            suppliers = dict.fromkeys(
                who for name in without for who in knowledge.vocabulary.entry(name).supplied_by or ("rules",)
            )
            found.append(
                Unmeasured(rule.id, rule.then.attribute, without, tuple(suppliers), _from(rule.then.attribute, read))
            )
    return tuple(found)


def absent(rule: Rule) -> tuple[str, ...]:
    """Return the facts that must be unknown for the rule to fire, or for one of its alternatives to hold."""
    return tuple(dict.fromkeys(condition.fact for condition in rule.conditions if condition.kind == "unknown"))


def established(rule: Rule, knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """Return for each finding whose absence the rule needs what has to be measured before it counts as absent."""
    by_attribute = concluding(knowledge.pack(rule.pack))
    names = dict.fromkeys(condition.fact for condition in rule.conditions if condition.kind == "none")
    return {name: _inputs(name, by_attribute, set()) for name in names}


def _inputs(name: str, by_attribute: Concluding, seen: set[str]) -> tuple[str, ...]:
    if name in seen:
        return ()
    seen.add(name)
    rules = by_attribute.get(name)
    if rules is None:
        return (name,)
    facts = dict.fromkeys(condition.fact for rule in rules for condition in rule.conditions)
    return tuple(dict.fromkeys(leaf for fact in facts for leaf in _inputs(fact, by_attribute, seen)))


def _read_by(rules: Iterable[Rule]) -> dict[str, set[str]]:
    readers: dict[str, set[str]] = {}
    for rule in rules:
        for condition in rule.conditions:
            readers.setdefault(condition.fact, set()).add(rule.then.attribute)
    return readers


def _from(attribute: str, readers: dict[str, set[str]]) -> tuple[str, ...]:
    found: set[str] = set()
    waiting = [attribute]
    while waiting:
        new = readers.get(waiting.pop(), set()) - found - {attribute}
        found |= new
        waiting += new
    return tuple(sorted(found))
