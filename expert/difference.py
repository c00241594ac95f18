"""Says which cases two versions of a rulebook judge otherwise, with a case for each change; edits nothing.

A text diff of rules shows what was written; this shows what it does: cases at the edges of every rule that differs are
put to both versions, and the attributes that come out otherwise are listed: the cases that tell its two versions
apart, its examples, and where it meets a rival. A change that shows only where three rules meet may be missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.conditions import same
from knowledge.records import Fact, Value
from knowledge.rulebook import Check, Conclusion, Knowledge, Remedy, Rule
from knowledge.schema import PACKS
from knowledge.vocabulary import Entry

from .boxes import OTHER, Partition, admits, overlap
from .mutation import telling_cases
from .reference import Reference
from .strata import Concluding, concluding


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule, or another document, that one version has and the other has not, or has otherwise."""

    rule: str
    kind: str
    """`added`, `removed` or `changed`."""
    what: str = "rule"
    """`rule`, `fact`, `check`, `remedy` or `setting`."""


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


def other_changes(old: Knowledge, new: Knowledge) -> tuple[RuleChange, ...]:
    """Return facts, checks, remedies and settings that do not do the same in both; what differs in wording is left out.

    A fact that another number of items makes known, or a remedy that another patch makes, changes no conclusion here.
    """
    before, after = _documents(old), _documents(new)
    return tuple(
        RuleChange(name, "added" if key not in before else "removed" if key not in after else "changed", what)
        for key in sorted({**before, **after})
        if before.get(key) != after.get(key)
        for what, name in (key,)
    )


def _documents(book: Knowledge) -> dict[tuple[str, str], object]:
    """What each document that is no rule does, by its kind and name."""
    found: dict[tuple[str, str], object] = {("fact", name): _meaning(e) for name, e in book.vocabulary.entries.items()}
    found |= {("check", check.id): (check.when, check.feeds, check.scope) for check in book.checks}
    found |= {("remedy", name): _offer(remedy) for name, remedy in book.remedies.items()}
    return found | {("setting", name): setting.least for name, setting in book.settings.items()}


def check_differences(old: Knowledge, new: Knowledge) -> tuple[Difference, ...]:
    """Return for each check that changed a clip that one version flags and the other does not, either way round."""
    found = []
    before, after = ({one.id: _as_rule(one) for one in book.checks} for book in (old, new))
    for name in sorted(before.keys() & after.keys()):
        seen = set()
        for case in telling_cases(before[name], after[name], new.vocabulary):
            flags = _flags(before[name], case), _flags(after[name], case)
            if flags[0] != flags[1] and flags not in seen:
                seen.add(flags)
                found.append(Difference(name, *flags, case, (name,)))
    return tuple(found)


def differences(old: Knowledge, new: Knowledge) -> tuple[Difference, ...]:
    """Return one difference for each attribute, value before and value after that some case shows."""
    changes = {change.rule for change in rule_changes(old, new)}
    meanings = {one.rule for one in other_changes(old, new) if one.what == "fact" and one.kind == "changed"}
    found: dict[tuple[str, str, str], Difference] = {}
    for pack in PACKS:
        before, after = (concluding(book.pack(pack)) for book in (old, new))
        touched = [rule for book in (old, new) for rule in book.pack(pack) if rule.id in changes]
        touched += [rule for rule in new.pack(pack) if rule.id not in changes and _speaks_of(rule, meanings)]
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
        for book in (old, new):
            yield from ((rule.id, case) for case in _meeting_cases(rule, book))


def _meeting_cases(rule: Rule, book: Knowledge) -> Iterator[dict[str, Value]]:
    """A case for each rule of the same attribute with another value that holds where this one does."""
    for rival in book.pack(rule.pack):
        if rival.then.attribute != rule.then.attribute or same(rival.then.value, rule.then.value):
            continue
        partition = Partition((*rule.conditions, *rival.conditions), book.vocabulary)
        both = (overlap(one, two) for one in partition.boxes(rule) for two in partition.boxes(rival))
        box = next((found for found in both if found is not None), None)
        if box is not None:
            cells = partition.witness(box)
            yield {name: cell for name, cell in cells.items() if cell is not None and cell != OTHER}


def _speaks_of(rule: Rule, names: set[str]) -> bool:
    return rule.then.attribute in names or any(condition.fact in names for condition in rule.conditions)


def _meaning(entry: Entry) -> tuple[object, ...]:
    computed = entry.ratio_of, entry.fits, entry.estimated
    return entry.kind, entry.type, entry.values, entry.range, computed, entry.needs, entry.policy, entry.plan


def _offer(remedy: Remedy) -> tuple[object, ...]:
    return remedy.patch, remedy.action, remedy.when, remedy.unless


def _as_rule(check: Check) -> Rule:
    """A check in the form in which cases can be found that tell two versions apart."""
    then = Conclusion("set", check.feeds, True)
    return Rule(
        id=check.id, title=check.title, when=check.when, needs=(), then=then, because="", remedies=(),
        strength="default", certainty=check.certainty, sources=check.sources, since="", corrects="",
        examples=check.examples, pack="audit", file=check.file, line=check.line,
    )  # fmt: skip


def _flags(rule: Rule, case: Mapping[str, Value]) -> bool:
    return all(any(admits(condition, case.get(condition.fact)) for condition in clause) for clause in rule.when)


def _reference(case: Mapping[str, Value], by_attribute: Concluding, knowledge: Knowledge) -> Reference:
    known = knowledge.vocabulary.entries
    facts = {name: Fact(name, value, "user") for name, value in case.items() if name in known}
    return Reference(knowledge.vocabulary, by_attribute, facts)


def _value(reference: Reference, attribute: str) -> Value | None:
    fact = reference.fact(attribute)
    return None if fact is None or fact.value is False else fact.value
