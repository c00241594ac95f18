"""Lays the rules of one attribute over each other and finds clashes, special cases and gaps, each with a case.

Works on boxes (`expert.boxes`): facts are taken as independent, so a case may combine derived facts that never occur
together; therefore these are hints for a reader, not proofs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice

from knowledge.conditions import same, spell
from knowledge.records import SEVERITIES
from knowledge.rulebook import Rule
from knowledge.schema import STRENGTHS
from knowledge.vocabulary import Vocabulary

from .boxes import Box, Cell, Partition, branches, contains, is_satisfiable, overlap
from .covering import Undecided, left_out
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

    def subsumed(self) -> Iterator[tuple[Rule, Rule]]:
        """Return rules (narrow, wide) where the wide one concludes the same value at least as strongly."""
        for narrow, wide in self._nested():
            no_weaker = STRENGTHS.index(wide.strength) <= STRENGTHS.index(narrow.strength)
            surer = wide.certainty >= narrow.certainty
            if no_weaker and surer and same(narrow.then.value, wide.then.value) and _tells_less(narrow, wide):
                yield narrow, wide

    def table_overlaps(self) -> Iterator[Clash]:
        """Return rows of one table that both decide the same case, whatever settles it between them."""
        for first, second in self._pairs():
            common = self._common(first, second) if first.table and first.table == second.table else None
            if common is not None:
                yield Clash(first, second, self._case(common))

    def undecided(self) -> Iterator[tuple[str, str]]:
        """Return attributes that no rule concludes in some case in which everything is known, with the case."""
        for attribute, rules in concluding(self._rules).items():
            if rules[0].then.kind == "finding" or any(rule.table for rule in rules):
                continue
            partition = Partition((one for rule in rules for one in rule.conditions), self._vocabulary)
            boxes = [box for rule in rules for box in partition.boxes(rule)]
            try:
                case = next(left_out(boxes, partition, known_only=True), None)
            except Undecided:
                continue
            if case is not None:
                yield attribute, _spell_case(case)

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
            gaps = left_out([box for box in own if is_satisfiable(box)], partition, known_only=True)
            yield from ((table, _spell_case(gap)) for gap in islice(gaps, _MOST_GAPS))

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


def _tells_less(narrow: Rule, wide: Rule) -> bool:
    """Whether nothing is lost with the narrow rule; a finding also has its severity and its remedies."""
    if narrow.then.kind != "finding":
        return True
    severe = SEVERITIES.index(wide.then.severity) <= SEVERITIES.index(narrow.then.severity)
    return severe and set(narrow.remedies) <= set(wide.remedies)


def _spell_case(case: dict[str, Cell]) -> str:
    parts = (f"{name} is {'unknown' if cell is None else spell(cell)}" for name, cell in case.items())
    return ", ".join(parts) or "anything holds"
