"""Finds the cases that a set of boxes leaves out, each with the values that show it; knows no rules.

The search splits one fact at a time and stops after a bounded number of steps, because the exact answer can take
exponentially long. What is left out is found early; that nothing is left out is what may remain unproven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .boxes import OTHER, Box, Cell, Partition, overlap

_STEPS = 5_000
"""Splits before a search gives up; the widest decision of the shipped rulebook takes a few hundred."""


class Undecided(Exception):  # noqa: N818  # an outcome of the search, not a mistake
    """The search was given up before it was finished."""


def left_out(boxes: Sequence[Box], partition: Partition, within: Box | None = None, *, known_only: bool = False
             ) -> Iterator[dict[str, Cell]]:  # fmt: skip
    """Return cases of `within` outside all boxes, one for each way of missing them.

    With `known_only`, cases in which a fact is unknown do not count, nor do texts that no condition names.

    Raises:
        Undecided: it takes too long to say.
    """
    space = within or {}
    common = [both for box in boxes if (both := overlap(box, space)) is not None]
    # What all of `space` satisfies restricts nothing: only facts on which a box is narrower are worth splitting.
    narrowed = [{name: cells for name, cells in box.items() if cells != space.get(name)} for box in common]
    budget = [_STEPS]
    return _split(narrowed, partition, space, {}, known_only, budget)


def _split(
    boxes: Sequence[Mapping[str, frozenset[int]]],
    partition: Partition,
    space: Box,
    case: dict[str, Cell],
    known_only: bool,
    budget: list[int],
) -> Iterator[dict[str, Cell]]:
    if any(not box for box in boxes):
        return
    if not boxes:
        yield case
        return
    budget[0] -= 1
    if budget[0] < 0:
        raise Undecided
    fact = max(sorted({name for box in boxes for name in box}), key=lambda name: sum(name in box for box in boxes))
    groups: dict[tuple[int, ...], Cell] = {}
    for index in sorted(space.get(fact, range(len(partition.cells[fact])))):
        cell = partition.cells[fact][index]
        if not (known_only and cell in (None, OTHER)):
            left = tuple(number for number, box in enumerate(boxes) if index in box.get(fact, (index,)))
            groups.setdefault(left, cell)
    for left, cell in groups.items():
        rest = [{name: cells for name, cells in boxes[number].items() if name != fact} for number in left]
        yield from _split(rest, partition, space, {**case, fact: cell}, known_only, budget)
