"""Lays the rules of one attribute over each other and finds clashes, special cases and gaps, each with a case.

Works on boxes (`expert.boxes`): facts are taken as independent, so a case may combine derived facts that never occur
together; therefore these are hints for a reader, not proofs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from knowledge.conditions import same, spell
from knowledge.rulebook import Rule
from knowledge.schema import STRENGTHS
from knowledge.vocabulary import Vocabulary

from .boxes import OTHER, Box, Cell, Partition, branches, contains, overlap
from .strata import concluding

_MOST_GAPS = 5


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rules of equal strength that conclude different values of one attribute in some case."""

    first: Rule
    second: Rule
    case: str


class Overlaps:
    """The rules of one pack as boxes."""

    def __init__(self, rules: Iterable[Rule], vocabulary: Vocabulary) -> None:
        self._rules = tuple(rules)
        self._vocabulary = vocabulary
        self._partition = Partition((c for rule in self._rules for c in rule.conditions), vocabulary)
        self._boxes = {rule.id: self._partition.boxes(rule) for rule in self._rules}

    def unsatisfiable(self) -> list[Rule]:
        """Return the rules that no case satisfies."""
        return [rule for rule in self._rules if not self._boxes[rule.id]]

    def contradictions(self) -> Iterator[Clash]:
        """Return the clashes; a rule that treats a special case of the other does not clash with it.

        Of two rules for the very same case, their certainty may say which is the first choice.
        """
        for first, second in self._pairs():
            settled_by_value = self._vocabulary.entry(first.then.attribute).policy in ("min", "max")
            if settled_by_value or first.strength != second.strength or same(first.then.value, second.then.value):
                continue
            special = self._within(first, second), self._within(second, first)
            if any(special) and (special != (True, True) or first.certainty != second.certainty):
                continue
            common = self._common(first, second)
            if common is not None:
                yield Clash(first, second, self._case(common))

    def masked(self) -> Iterator[tuple[Rule, Rule]]:
        """Return special cases (narrow, wide) with another value that are less certain, so that they never win."""
        for narrow, wide in self._nested():
            loses = narrow.strength == wide.strength and narrow.certainty < wide.certainty
            by_certainty = self._vocabulary.entry(narrow.then.attribute).policy in ("one", "unique")
            if loses and by_certainty and not same(narrow.then.value, wide.then.value):
                yield narrow, wide

    def subsumed(self) -> Iterator[tuple[Rule, Rule]]:
        """Return rules (narrow, wide) where the wide one concludes the same value at least as strongly."""
        for narrow, wide in self._nested():
            no_weaker = STRENGTHS.index(wide.strength) <= STRENGTHS.index(narrow.strength)
            surer = wide.certainty >= narrow.certainty
            if no_weaker and surer and same(narrow.then.value, wide.then.value) and narrow.then.kind != "finding":
                yield narrow, wide

    def gaps(self) -> Iterator[tuple[str, str]]:
        """Return for each table the cases that none of its rows decides, where the conditions of all rows hold."""
        tables: dict[str, list[Rule]] = {}
        for rule in self._rules:
            if rule.table:
                tables.setdefault(rule.table, []).append(rule)
        for table, rows in tables.items():
            shared = set.intersection(*(set(row.when) for row in rows)) if len(rows) > 1 else set()
            partition = Partition((c for row in rows for c in row.conditions), self._vocabulary)
            own = [
                partition.box(conjunction)
                for row in rows
                for conjunction in branches(clause for clause in row.when if clause not in shared)
            ]
            for number, gap in enumerate(_uncovered(own, partition)):
                if number < _MOST_GAPS:
                    yield table, _spell_case(gap)

    def _pairs(self) -> Iterator[tuple[Rule, Rule]]:
        for rules in concluding(self._rules).values():
            yield from combinations(rules, 2)

    def _nested(self) -> Iterator[tuple[Rule, Rule]]:
        for first, second in self._pairs():
            inside, outside = self._within(first, second), self._within(second, first)
            if inside:
                yield first, second
            elif outside:
                yield second, first

    def _within(self, narrow: Rule, wide: Rule) -> bool:
        boxes = self._boxes[narrow.id]
        return bool(boxes) and all(any(contains(big, box) for big in self._boxes[wide.id]) for box in boxes)

    def _common(self, first: Rule, second: Rule) -> Box | None:
        boxes = (overlap(one, other) for one in self._boxes[first.id] for other in self._boxes[second.id])
        return next((box for box in boxes if box is not None), None)

    def _case(self, box: Box) -> str:
        return _spell_case(self._partition.witness(box))


def _uncovered(boxes: Sequence[Box], partition: Partition, case: dict[str, Cell] | None = None
               ) -> Iterator[dict[str, Cell]]:  # fmt: skip
    """Return cases outside all boxes, one for each way of missing them."""
    case = case or {}
    if any(not box for box in boxes):
        return
    if not boxes:
        yield case
        return
    fact = max(sorted({name for box in boxes for name in box}), key=lambda name: sum(name in box for box in boxes))
    groups: dict[tuple[int, ...], Cell] = {}
    for index, cell in enumerate(partition.cells[fact]):
        if cell not in (None, OTHER):
            left = tuple(number for number, box in enumerate(boxes) if index in box.get(fact, (index,)))
            groups.setdefault(left, cell)
    for left, cell in groups.items():
        rest = [{name: cells for name, cells in boxes[number].items() if name != fact} for number in left]
        yield from _uncovered(rest, partition, {**case, fact: cell})


def _spell_case(case: dict[str, Cell]) -> str:
    parts = (f"{name} is {'unknown' if cell is None else spell(cell)}" for name, cell in case.items())
    return ", ".join(parts) or "anything holds"
