"""Changes rules in small ways and asks whether their examples notice; changes no file, knows no audio.

A mutant that no example kills marks a part of a rule that nothing pins: a condition that could be dropped, a threshold
that could be moved, and nobody would be told (DeMillo, Lipton and Sayward, Hints on test data selection, 1978).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from knowledge.conditions import Clause, Condition
from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Example
from knowledge.vocabulary import Entry, Vocabulary

from .boxes import OTHER, Box, Cell, Partition, contains, same_cases
from .covering import Undecided, left_out
from .reference import Reference
from .strata import Concluding, concluding

_STRICTER = {">=": ">", ">": ">=", "<=": "<", "<": "<=", "==": "!=", "!=": "=="}
_MOST_EXACT = 8
"""How many of the exact cases of a box are tried; the first nearly always does."""
_SHIFT = 0.1
"""By what share of itself the threshold of a number is moved; that of a count is moved by one."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one rule."""

    rule: str
    change: str
    """What was changed, in words."""
    killed: bool
    """Whether an example of the rule turns out otherwise."""


def mutants_of(rule: Rule, knowledge: Knowledge) -> tuple[Mutant, ...]:
    """Return every mutant of a rule that some case tells from the rule itself."""
    others = [other for other in knowledge.pack(rule.pack) if other.id != rule.id]
    return tuple(
        Mutant(rule.id, change, _killed(mutant, others, knowledge.vocabulary))
        for change, mutant in _mutations(rule, knowledge.vocabulary)
        if not same_cases(mutant, rule, knowledge.vocabulary)
    )


def pins_of(rule: Rule, knowledge: Knowledge) -> tuple[Example, ...]:
    """Return cases that kill the mutants which the examples of the rule leave alive; its pins do not count.

    A mutant that no case tells from the rule, once the other rules have had their say, gets none.
    """
    others = [other for other in knowledge.pack(rule.pack) if other.id != rule.id]
    added: list[Example] = []
    for _, mutant in _mutations(rule, knowledge.vocabulary):
        known = replace(mutant, pins=tuple(added))
        if same_cases(mutant, rule, knowledge.vocabulary) or _killed(known, others, knowledge.vocabulary):
            continue
        for given in telling_cases(rule, mutant, knowledge.vocabulary):
            example = Example(given=given, fires=_fires(rule, given, others, knowledge.vocabulary))
            if example.fires != _fires(mutant, given, others, knowledge.vocabulary):
                added.append(example)
                break
    return tuple(added)


def telling_cases(rule: Rule, mutant: Rule, vocabulary: Vocabulary) -> Iterator[dict[str, Value]]:
    """Cases in which one of the two may fire and the other not; facts that must be unknown are left out."""
    partition = Partition((*rule.conditions, *mutant.conditions), vocabulary)
    for inside, outside in ((rule, mutant), (mutant, rule)):
        boxes = partition.boxes(outside)
        for box in partition.boxes(inside):
            for case in _cases(partition, box):
                point = {name: frozenset({partition.cells[name].index(cell)}) for name, cell in case.items()}
                if not any(contains(other, point) for other in boxes):
                    yield _given(case)
            # Where many alternatives lead to the rule, a case that needs just one of them is none of the above.
            with suppress(Undecided):
                own = {name: partition.cells[name][min(cells)] for name, cells in box.items()}
                for case in islice(left_out(boxes, partition, box), _MOST_EXACT):
                    yield _given({**own, **case})


def _given(case: Mapping[str, Cell]) -> dict[str, Value]:
    return {name: cell for name, cell in case.items() if cell is not None and cell != OTHER}


def _cases(partition: Partition, box: Box) -> Iterator[dict[str, Cell]]:
    """One case of the box with every fact given where it can be, and those that differ from it in one fact."""
    base = {}
    for name, cells in partition.cells.items():
        inside = sorted(box.get(name, frozenset(range(len(cells)))))
        base[name] = cells[next((number for number in inside if cells[number] not in (None, OTHER)), inside[0])]
    yield base
    for name, cells in partition.cells.items():
        for number in sorted(box.get(name, frozenset(range(len(cells))))):
            yield {**base, name: cells[number]}


def score(mutants: Iterable[Mutant]) -> float:
    """Return the share of mutants that were killed, from 0 to 1 (higher is better); 1 when there is none."""
    outcomes = [mutant.killed for mutant in mutants]
    return sum(outcomes) / len(outcomes) if outcomes else 1.0


def _killed(mutant: Rule, others: list[Rule], vocabulary: Vocabulary) -> bool:
    by_attribute = concluding([*others, mutant])
    return any(_outcome(mutant, example.given, by_attribute, vocabulary) != example.fires for example in mutant.cases)


def _fires(rule: Rule, given: Mapping[str, Value], others: list[Rule], vocabulary: Vocabulary) -> bool:
    return _outcome(rule, given, concluding([*others, rule]), vocabulary)


def _outcome(rule: Rule, given: Mapping[str, Value], by_attribute: Concluding, vocabulary: Vocabulary) -> bool:
    facts = {name: Fact(name, value, "user") for name, value in given.items()}
    return Reference(vocabulary, by_attribute, facts).assessment.status(rule) == "fires"


def _mutations(rule: Rule, vocabulary: Vocabulary) -> Iterator[tuple[str, Rule]]:
    for number, clause in enumerate(rule.when):
        for change, mutated in _clauses(clause, vocabulary):
            yield change, replace(rule, when=_put(rule.when, number, mutated))
    for number, clause in enumerate(rule.needs):
        for change, mutated in _clauses(clause, vocabulary):
            yield f"needs: {change}", replace(rule, needs=_put(rule.needs, number, mutated))


def _put(clauses: tuple[Clause, ...], place: int, clause: Clause) -> tuple[Clause, ...]:
    """Return the clauses with one replaced; an empty clause drops it."""
    return (*clauses[:place], *([clause] if clause else []), *clauses[place + 1 :])


def _clauses(clause: Clause, vocabulary: Vocabulary) -> Iterator[tuple[str, Clause]]:
    yield f"drop `{' or '.join(map(str, clause))}`", ()
    for number, condition in enumerate(clause):
        rest = (*clause[:number], *clause[number + 1 :])
        if rest:
            yield f"drop the alternative `{condition}`", rest
        for changed in _conditions(condition, vocabulary.entry(condition.fact)):
            yield f"`{condition}` becomes `{changed}`", (*clause[:number], changed, *clause[number + 1 :])


def _conditions(condition: Condition, entry: Entry) -> Iterator[Condition]:
    if condition.kind != "is":
        if condition.kind in ("known", "unknown"):
            yield replace(condition, kind="unknown" if condition.kind == "known" else "known")
        return
    if isinstance(condition.value, tuple):
        for number in range(len(condition.value)):
            fewer = (*condition.value[:number], *condition.value[number + 1 :])
            if fewer:
                yield replace(condition, value=fewer)
        return
    yield replace(condition, operator=_STRICTER[condition.operator])  # type: ignore[arg-type]  # operators all
    for value in _moved(condition.value, entry):
        yield replace(condition, value=value)


def _moved(value: Value, entry: Entry) -> tuple[Value, ...]:
    if isinstance(value, (bool, str)):
        return ()
    step = 1 if entry.type == "integer" else _SHIFT * abs(value) or _SHIFT
    return value - step, value + step
