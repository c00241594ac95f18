"""Checks a rulebook before anybody is advised by it: order, capacity, contradictions, dead ends and paths.

Says what is wrong and shows a case; repairs nothing, and runs no example (`expert.examples` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from knowledge.conditions import Clause, Condition, spell
from knowledge.errors import KnowledgeError
from knowledge.rulebook import TEMPLATE, Knowledge, Rule
from knowledge.schema import PACKS, Pack
from knowledge.vocabulary import Entry

from . import overlaps, paths, thresholds
from .absence import unmeasured
from .definition import define
from .ratios import concluded_parts
from .strata import Concluding, concluding, stratify
from .winning import beaten

FATAL = frozenset({"contradiction", "gap", "overlap"})
"""Warnings that nobody can have meant: the outcome would follow the name of a value, or nothing would decide."""
_APART = "Give one of them another strength or certainty, or narrow its `when`."
_NEIGHBOUR = "Move the neighbouring row's bound as well, so that one row decides."


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or looks wrong, in a rulebook."""

    kind: str
    """Stable kebab-case name of the check."""
    rule: str
    """Id of the rule, table, remedy or vocabulary entry."""
    message: str
    severity: Literal["error", "warning", "note"]
    others: tuple[str, ...] = field(default=(), compare=False)
    """What it is reported with: the names by which it can be justified."""


def verify(knowledge: Knowledge, packs: Iterable[Pack] = PACKS) -> tuple[Problem, ...]:
    """Return every problem, errors first, without those that the rulebook names and justifies.

    Each pack is checked by itself, because consultations run one at a time.
    """
    found: list[Problem] = []
    packs = tuple(packs)
    compared = True
    for pack in packs:
        rules = knowledge.pack(pack)
        structure = list(_structure(rules, knowledge))
        found += structure
        compared = compared and not structure
        if not structure:
            found += _compared(rules, knowledge)
    found += _dead(knowledge)
    found += _unread(knowledge)
    found += _because(knowledge)
    found += _unfed(knowledge)
    found += _thresholds(knowledge)
    found += (Problem("path", item.subject, item.message, "error") for item in paths.wrong_paths(knowledge))
    found = list(_without_justified(found, knowledge, everything=compared and set(PACKS) <= set(packs)))
    return tuple(sorted(dict.fromkeys(found), key=lambda item: (item.severity, item.kind, item.rule, item.message)))


def notes(knowledge: Knowledge, packs: Iterable[Pack] = PACKS) -> tuple[Problem, ...]:
    """Return what is no fault but worth knowing: second choices, cases left open, what rests on the unmeasured."""
    found: list[Problem] = []
    for pack in packs:
        rules = knowledge.pack(pack)
        for one in beaten(concluding(rules), knowledge.vocabulary):
            if one.second_choice:
                by = " and ".join(rule.id for rule in one.by)
                message = f"only ever shown as the alternative: {by} is stronger wherever it fires"
                found.append(Problem("second-choice", one.rule.id, message, "note"))
        for attribute, case in overlaps.Overlaps(rules, knowledge.vocabulary).undecided():
            found.append(Problem("undecided", attribute, f"no rule concludes it when {case}", "note"))
    for item in unmeasured(knowledge):
        reached = f"; {len(item.reaches)} further conclusions may follow" if item.reaches else ""
        message = f"concludes {item.concludes} while {' or '.join(item.without)} is unknown{reached}"
        found.append(Problem("unmeasured", item.rule, message, "note"))
    for rule in knowledge.rules:
        for value in thresholds.unfounded(rule, knowledge):
            message = f"decides at {spell(value)}, which none of the rows that it cites mentions"
            found.append(Problem("own-figure", rule.id, message, "note"))
    return tuple(found)


def tables_told(knowledge: Knowledge, problems: Iterable[Problem]) -> str:
    """Say of all decision tables together whether each case has one row, and what is justified all the same."""
    tables = {rule.table for rule in knowledge.rules if rule.table}
    found = [problem.kind for problem in problems]
    justified = [one.kind for one in knowledge.justified]
    told = " and ".join(
        f"{found.count(kind)} {kind}s ({justified.count(kind)} more justified)" for kind in ("gap", "overlap")
    )
    return f"{len(tables)} decision tables with {sum(bool(rule.table) for rule in knowledge.rules)} rows: {told}"


def justified_lines(knowledge: Knowledge) -> tuple[str, ...]:
    """Return what is reported and stands all the same, each with its reason."""
    return tuple(
        f"{one.kind}: {one.of} with {', '.join(one.others)}: {' '.join(one.because.split())}"
        for one in knowledge.justified
    )


def _without_justified(problems: Iterable[Problem], knowledge: Knowledge, *, everything: bool) -> Iterator[Problem]:
    """Leave out what is justified; a justification of nothing is a problem of its own."""
    reasons = {(one.kind, one.of, frozenset(one.others)): one.justified for one in knowledge.justified}
    used = set()
    for problem in problems:
        key = problem.kind, problem.rule, frozenset(problem.others)
        if key in reasons and problem.severity != "error":
            used.add(key)
        else:
            yield problem
    for key in reasons.keys() - used if everything else ():
        message = f"justifies a {key[0]} of {key[1]} that is not there"
        yield Problem("justifies-nothing", reasons[key], message, "warning")


def _thresholds(knowledge: Knowledge) -> Iterator[Problem]:
    """Numbers that look meant to be one, and numbers that nobody answers for."""
    for left, right in thresholds.near(knowledge):
        message = (
            f"{left.text} ({', '.join(sorted(left.owners))}) and {right.text} ({', '.join(sorted(right.owners))}) "
            "look meant to be one threshold"
        )
        yield Problem("near-thresholds", left.fact, message, "warning", (left.text, right.text))
    for entry in knowledge.vocabulary.entries.values():
        if entry.needs is not None and not entry.source:
            message = f"counts as known from {entry.needs.at_least} {entry.needs.of} on, and cites nothing for it"
            yield Problem("uncited", entry.name, message, "warning")


def _structure(rules: tuple[Rule, ...], knowledge: Knowledge) -> Iterator[Problem]:
    """Circles, and what the engine cannot hold."""
    try:
        strata = stratify(rules, concluded_parts(knowledge.vocabulary, concluding(rules)))
    except KnowledgeError as error:
        yield Problem("circle", "", f"{error.message}. {error.hint}", "error")
        return
    for stratum in strata:
        try:
            define(stratum)
        except KnowledgeError as error:
            yield Problem("capacity", stratum.rules[0].id, error.message, "error")


def _compared(rules: tuple[Rule, ...], knowledge: Knowledge) -> Iterator[Problem]:
    """What shows when rules are laid over each other."""
    space = overlaps.Overlaps(rules, knowledge.vocabulary)
    for rule in space.unsatisfiable():
        yield Problem("unsatisfiable", rule.id, "its conditions exclude each other; it can never fire", "error")
    for clash in space.contradictions():
        unique = knowledge.vocabulary.entry(clash.first.then.attribute).policy == "unique"
        message = (
            f"says {clash.first.then.attribute} = {clash.first.then.value}, and {clash.second.id} says "
            f"{clash.second.then.value}, with equal strength, when {clash.case}. {_APART}"
        )
        yield Problem("contradiction", clash.first.id, message, "error" if unique else "warning", (clash.second.id,))
    for one in beaten(concluding(rules), knowledge.vocabulary):
        if not one.second_choice:
            by = tuple(rule.id for rule in one.by)
            message = f"never wins: wherever it fires, {' or '.join(by)} is stronger or surer"
            yield Problem("masked", one.rule.id, message, "warning", by)
    for clash in space.table_overlaps():
        message = f"decides beside {clash.second.id} of the same table when {clash.case}. {_NEIGHBOUR}"
        yield Problem("overlap", clash.first.id, message, "warning", (clash.second.id,))
    for narrow, wide in space.subsumed():
        message = f"adds nothing: {wide.id} concludes the same, no weaker, in every case that it covers"
        yield Problem("subsumed", narrow.id, message, "warning", (wide.id,))
    thinned = {rule.table for rule in knowledge.silenced}
    for table, case in space.gaps():
        kind = "silenced" if table in thinned else "gap"  # whoever silenced a row meant that nothing decides there
        yield Problem(kind, table, f"no row decides when {case}. {_NEIGHBOUR}", "warning")


def _dead(knowledge: Knowledge) -> Iterator[Problem]:
    """Rules that read what nobody supplies, or wait for a value that no rule concludes."""
    by_attribute = concluding(knowledge.rules)
    silenced = {rule.then.attribute: rule.id for rule in knowledge.silenced}
    for rule in knowledge.rules:
        for clause in (*rule.when, *rule.needs):
            if not any(_supplied(condition, knowledge, by_attribute) for condition in clause):
                text = " or ".join(map(str, clause))
                why = next((silenced[condition.fact] for condition in clause if condition.fact in silenced), "")
                message = f"can never fire: nobody supplies what `{text}` waits for"
                if why:  # meant by whoever silenced it
                    yield Problem("dead", rule.id, f"{message}, for {why} is silenced", "warning")
                else:
                    yield Problem("dead", rule.id, message, "error")


def _supplied(condition: Condition, knowledge: Knowledge, by_attribute: Concluding) -> bool:
    if condition.kind == "unknown":
        return True
    entry = knowledge.vocabulary.entry(condition.fact)
    rules = by_attribute.get(condition.fact, ())
    if entry.kind == "decision" or entry.supplied_by or entry.ask or entry.plan:
        return True  # a user may fix any decision
    if condition.kind != "is":
        return bool(rules)
    return any(condition.holds(rule.then.value) for rule in rules) or (bool(rules) and entry.type == "boolean")


def _unread(knowledge: Knowledge) -> Iterator[Problem]:
    """Derived facts that rules set and nothing uses."""
    read = {condition.fact for rule in knowledge.rules for condition in rule.conditions}
    read |= {name for rule in knowledge.rules for name, _ in TEMPLATE.findall(rule.because)}
    read |= {part for entry in knowledge.vocabulary.computed for part in entry.parts}
    for remedy in knowledge.remedies.values():
        clauses: tuple[Clause, ...] = (*remedy.when, *remedy.unless)
        read |= {condition.fact for clause in clauses for condition in clause}
        read |= {value["from"] for value in remedy.patch.values() if isinstance(value, dict) and "from" in value}
    for rule in knowledge.rules:
        name = rule.then.attribute
        if rule.then.kind == "set" and name not in read and not knowledge.vocabulary.entry(name).plan:
            yield Problem("unread", rule.id, f"sets {name}, which no rule, reason or remedy reads", "warning")


def _unfed(knowledge: Knowledge) -> Iterator[Problem]:
    """Checks whose count no rule reads."""
    read = {condition.fact for rule in knowledge.rules for condition in rule.conditions}
    for check in knowledge.checks:
        if check.feeds not in read:
            yield Problem("unread", check.id, f"feeds {check.feeds}, which no rule reads", "warning")


def _because(knowledge: Knowledge) -> Iterator[Problem]:
    """Reasons whose numbers could be missing, or cannot be written as asked."""
    for rule in knowledge.rules:
        sure = {clause[0].fact for clause in (*rule.when, *rule.needs) if len({item.fact for item in clause}) == 1}
        sure.add(rule.then.attribute)
        for name, form in TEMPLATE.findall(rule.because):
            entry = knowledge.vocabulary.entry(name)
            if name not in sure:
                yield Problem("because", rule.id, f"`because` tells {name}, which may be unknown here", "warning")
            if form and not _writes(entry, form):
                yield Problem("because", rule.id, f"`because` cannot write {entry.type} {name} as {form!r}", "error")


def _writes(entry: Entry, form: str) -> bool:
    sample = {"integer": 1, "number": 1.5, "boolean": True}.get(entry.type, "text")
    try:
        format(sample, form)
    except ValueError:
        return False
    return entry.type in ("integer", "number")
