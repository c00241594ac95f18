"""Repairs a split by moving as few clips as possible; judges nothing: rules decide whether it is good enough.

Where copies of different groups, or of unknown ones, stand in several splits, those of the most protected split stay
and the others are left out. What then still crosses, a group as a whole, goes where most of its clips are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.records import Fact, Measured

from .clips import Scan
from .counting import unknown
from .integrity import usable_row
from .labels import strata
from .leaks import copy_components, group_key, linked
from .near import NearPair
from .records import SPLITS, Dataset, Split

_PROTECTED: tuple[Split, ...] = ("test", "val", "train")
"""Scores on the old test split stay comparable as long as it stays the same."""
_NAMES = (
    "dataset.fewest_moves_share dataset.fewest_moves_distance dataset.fewest_moves_lost_classes "
    "dataset.fewest_moves_size_change"
)


@dataclass(frozen=True)
class Moves:
    """A repaired split."""

    splits: tuple[Split, ...]
    """Of each row; empty for a row that is left out."""
    moved: int
    copies_left_out: int


def fewest_moves(dataset: Dataset, scan: Scan, near: Sequence[NearPair] = ()) -> Moves | None:
    """Return the present split with as few changes as keep leak groups whole; None where a split is missing."""
    rows = dataset.rows
    old: list[Split] = [row.split if usable_row(dataset, row, scan) else "" for row in rows]
    if set(old) - {""} != set(SPLITS):
        return None
    groups = [group_key(row) for row in rows] if dataset.columns.group is not None else [""] * len(rows)
    alike = copy_components(dataset, scan, near)
    new = list(old)
    for members in _components(alike, old):
        several = len({groups[place] for place in members}) > 1 or not groups[members[0]]
        here = {old[place] for place in members}
        if several and len(here) > 1:
            stays = next(split for split in _PROTECTED if split in here)
            for place in members:
                new[place] = old[place] if old[place] == stays else ""
    out = sum(a != b for a, b in zip(old, new, strict=True))
    grouped = dataset.columns.group is not None
    keys = [
        (("copy", alike[place]), *([("group", groups[place])] if grouped else [])) if new[place] else [("row", place)]
        for place in range(len(rows))
    ]
    for members in _components(linked(keys), new):
        sizes = Counter(new[place] for place in members)
        goal = max(_PROTECTED, key=lambda split: sizes[split])  # the first, most protected one of equals
        for place in members:
            new[place] = goal
    moved = sum(a != b for a, b in zip(old, new, strict=True)) - out
    return Moves(tuple(new), moved, out) if set(new) - {""} == set(SPLITS) else None


def _components(numbers: Sequence[int], splits: Sequence[Split]) -> Iterable[list[int]]:
    """Yield the places of each component that stands in several splits, rows without a split left aside."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, (number, split) in enumerate(zip(numbers, splits, strict=True)):
        if split:
            found[number].append(place)
    return [places for places in found.values() if len({splits[place] for place in places}) > 1]


def measure_moves(dataset: Dataset, scan: Scan, near: Sequence[NearPair] = ()) -> Measured:
    """Return what the smallest repair costs, and how even the split is after it."""
    moves = fewest_moves(dataset, scan, near)
    if moves is None:
        reason = "one of training, validation and test holds no usable clip before or after the repair"
        return Measured(unknown=unknown(_NAMES, reason))
    old: list[Split] = [row.split if usable_row(dataset, row, scan) else "" for row in dataset.rows]
    n = sum(bool(split) for split in old)
    codes = strata(dataset, dataset.rows)
    before, after = (_table(codes, splits) for splits in (old, moves.splits))
    lost = int(((before > 0) & (after == 0)).sum()) if dataset.task == "classification" else 0
    sizes = np.abs(_sizes(old) / n - _sizes(moves.splits) / max(1, n - moves.copies_left_out))
    share = (moves.moved + moves.copies_left_out) / n
    return Measured(
        (
            Fact("dataset.fewest_moves_share", share, "audit", n=n),
            Fact("dataset.fewest_moves_distance", _distance(after), "audit", n=n),
            Fact("dataset.fewest_moves_lost_classes", lost, "audit", n=n),
            Fact("dataset.fewest_moves_size_change", float(sizes.max()), "audit", n=n),
        )
    )


def _sizes(splits: Sequence[Split]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(sum(own == split for own in splits)) for split in SPLITS])


def _table(
    codes: np.ndarray[tuple[int], np.dtype[np.int64]], splits: Sequence[Split]
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Count the rows of each label in each split, `(splits, labels)`."""
    table = np.zeros((len(SPLITS), int(codes.max(initial=0)) + 1), np.int64)
    for split, code in zip(splits, codes.tolist(), strict=True):
        if split and code >= 0:
            table[SPLITS.index(split), code] += 1
    return table


def _distance(table: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> float:
    """Return the largest total variation between the labels of a split and of all."""
    whole = table.sum(axis=0) / max(1, table.sum())
    own = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    return float(np.abs(own - whole).sum(axis=1).max() / 2)
