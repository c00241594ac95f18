"""Says which cases two versions of a rulebook judge otherwise, with a case for each change; edits nothing.

A text diff of rules shows what was written; this shows what it does: cases at the edges of every rule that differs are
put to both versions, and the attributes that come out otherwise are listed. Cases are single points, so a change that
shows only in a combination that no rule names is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge, Pack, Rule

from .mutation import telling_cases
from .reference import Reference
from .strata import Concluding, concluding

PACKS: tuple[Pack, ...] = ("plan", "audit", "diagnose")


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that one version has and the other has not, or has otherwise."""

    rule: str
    kind: str
    """`added`, `removed` or `changed`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An attribute that the two versions conclude differently in one case."""

    attribute: str
    before: Value | None
    """None: nothing was concluded."""
    after: Value | None
    case: Mapping[str, Value]
    rules: tuple[str, ...]
    """The changed rules whose edge the case was taken from."""


def rule_changes(old: Knowledge, new: Knowledge) -> tuple[RuleChange, ...]:
    """Return the rules that do not do the same in both, by id."""
    before, after = ({rule.id: rule for rule in book.rules} for book in (old, new))
    found = [RuleChange(name, "removed") for name in before.keys() - after.keys()]
    found += [RuleChange(name, "added") for name in after.keys() - before.keys()]
    both = before.keys() & after.keys()
    found += [RuleChange(name, "changed") for name in both if _substance(before[name]) != _substance(after[name])]
    return tuple(sorted(found, key=lambda change: change.rule))


def differences(old: Knowledge, new: Knowledge) -> tuple[Difference, ...]:
    """Return one difference for each attribute, value before and value after that some case shows."""
    changes = {change.rule for change in rule_changes(old, new)}
    found: dict[tuple[str, str, str], Difference] = {}
    for pack in PACKS:
        before, after = (concluding(book.pack(pack)) for book in (old, new))
        touched = [rule for book in (old, new) for rule in book.pack(pack) if rule.id in changes]
        affected = sorted(_reached({rule.then.attribute for rule in touched}, (*old.pack(pack), *new.pack(pack))))
        for rule, case in _edge_cases(touched, old, new):
            left, right = _reference(case, before, old), _reference(case, after, new)
            for attribute in affected:
                pair = _value(left, attribute), _value(right, attribute)
                key = attribute, repr(pair[0]), repr(pair[1])
                if pair[0] != pair[1] and key not in found:
                    found[key] = Difference(attribute, *pair, case, (rule,))
    return tuple(found[key] for key in sorted(found))


def _substance(rule: Rule) -> tuple[object, ...]:
    return rule.when, rule.needs, rule.then, rule.strength, rule.certainty, rule.remedies, rule.pack


def _reached(attributes: set[str], rules: Iterable[Rule]) -> set[str]:
    """The attributes, and all that is concluded from them."""
    readers: dict[str, set[str]] = {}
    for rule in rules:
        for condition in rule.conditions:
            readers.setdefault(condition.fact, set()).add(rule.then.attribute)
    found, waiting = set(attributes), list(attributes)
    while waiting:
        new = readers.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _edge_cases(touched: Iterable[Rule], old: Knowledge, new: Knowledge) -> Iterator[tuple[str, dict[str, Value]]]:
    """The cases of every rule that was touched, and those that tell its two versions apart."""
    for rule in touched:
        yield from ((rule.id, dict(example.given)) for example in rule.cases)
        other = old.rule(rule.id) if new.rule(rule.id) is rule else new.rule(rule.id)
        if other is not None:
            yield from ((rule.id, case) for case in telling_cases(rule, other, new.vocabulary))


def _reference(case: Mapping[str, Value], by_attribute: Concluding, knowledge: Knowledge) -> Reference:
    known = knowledge.vocabulary.entries
    facts = {name: Fact(name, value, "user") for name, value in case.items() if name in known}
    return Reference(knowledge.vocabulary, by_attribute, facts)


def _value(reference: Reference, attribute: str) -> Value | None:
    fact = reference.fact(attribute)
    return None if fact is None or fact.value is False else fact.value
