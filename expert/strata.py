"""Orders the rules into strata, so that whatever a rule reads as absent or as settled is complete by then.

Within a stratum all rules are positive and monotone, therefore the result does not depend on any order. Which rules
conclude what is said here as well; nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from types import MappingProxyType

from knowledge.conditions import Condition
from knowledge.errors import KnowledgeError
from knowledge.records import Value
from knowledge.rulebook import Rule

Concluding = Mapping[str, tuple[Rule, ...]]
"""The rules that conclude each attribute."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Rules that run to quiescence together."""

    level: int
    rules: tuple[Rule, ...]
    settles: tuple[str, ...]
    """The attributes that these rules conclude, each after those that it depends on."""


def concluding(rules: Iterable[Rule]) -> dict[str, tuple[Rule, ...]]:
    """Return the rules by the attribute that they conclude; an attribute that is missing here is an input."""
    found: dict[str, tuple[Rule, ...]] = {}
    for rule in rules:
        found[rule.then.attribute] = (*found.get(rule.then.attribute, ()), rule)
    return found


def is_closed(rules: tuple[Rule, ...]) -> bool:
    """Whether an attribute with these rules is false once all of them are refuted.

    So it is for findings and other booleans that are only ever set to true; not for decisions.
    """
    return all(rule.then.kind != "recommend" and rule.then.value is True for rule in rules)


def sole_value(rules: tuple[Rule, ...]) -> Value | None:
    """Return the only value that these rules can set, or None when it must be settled among several.

    Decisions are always settled first, because a user or a policy has a say in them.
    """
    values = {(type(rule.then.value), rule.then.value) for rule in rules}
    if len(values) > 1 or rules[0].then.kind == "recommend":
        return None
    return rules[0].then.value


def reads_within(condition: Condition, rules: tuple[Rule, ...]) -> bool:
    """Whether `condition` may read the attribute concluded by `rules` in the stratum that concludes it.

    It may when the attribute can become nothing but one value, and the condition waits for that value; not when the
    condition also holds for an attribute that is excluded.
    """
    value = sole_value(rules)
    if condition.kind != "is" or value is None or not condition.holds(value):
        return False
    return not (is_closed(rules) and condition.holds(False))


def stratify(
    rules: Iterable[Rule], computed: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> tuple[Stratum, ...]:
    """Order the rules. `computed` names the attributes that facts rest on which are computed late (`expert.ratios`).

    Raises:
        KnowledgeError: attributes depend on each other in a circle; the message names them.
    """
    by_attribute = concluding(rules)
    levels: dict[str, int] = {}
    for attribute in _in_order(by_attribute, computed):
        levels[attribute] = max(_level_above(rule, by_attribute, levels, computed) for rule in by_attribute[attribute])
    return tuple(
        Stratum(
            level,
            tuple(rule for name in settled for rule in by_attribute[name]),
            settled,
        )
        for level in sorted(set(levels.values()))
        if (settled := tuple(name for name, own in levels.items() if own == level))
    )


def _in_order(by_attribute: Concluding, computed: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the attributes so that each follows those that it depends on; equal for every order of the rules."""
    graph = {
        attribute: sorted(
            {name for rule in by_attribute[attribute] for c in rule.conditions for name in _leaves(c, computed)}
            & by_attribute.keys()
        )
        for attribute in sorted(by_attribute)
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle: list[str] = error.args[1]
        steps = ((name, rule) for name, after in pairwise(circle) for rule in by_attribute[after])
        found = {rule.id: rule for name, rule in steps if any(name in _leaves(c, computed) for c in rule.conditions)}
        places = ", ".join(f"{name} ({found[name].file}:{found[name].line})" for name in sorted(found))
        raise KnowledgeError(
            f"attributes depend on each other in a circle: {' -> '.join(circle)}; rules {places}",
            hint="Let one of these rules read the facts that the other one reads, instead of its conclusion.",
        ) from None


def _leaves(condition: Condition, computed: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return computed.get(condition.fact, (condition.fact,))


def _level_above(
    rule: Rule, by_attribute: Concluding, levels: Mapping[str, int], computed: Mapping[str, tuple[str, ...]]
) -> int:
    through = [levels[part] + 1 for condition in rule.conditions for part in computed.get(condition.fact, ())]
    needed = through + [
        levels[condition.fact] + (not reads_within(condition, by_attribute[condition.fact]))
        for condition in rule.conditions
        if condition.fact in by_attribute
    ]
    return max(needed, default=0)
