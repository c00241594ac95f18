"""Repairs a split by moving as few clips as possible; judges nothing: rules decide whether it is good enough.

Where copies of different groups, or of unknown ones, stand in several splits, those of the most protected split stay
and the others are left out. What then still crosses, a group as a whole, goes where most of its clips are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.records import Fact, Measured

from .clips import Scan
from .coded import Integers, different
from .components import linked, members
from .counting import unknown
from .integrity import usable_rows
from .labels import strata
from .leaks import copy_components
from .near import NearPair
from .records import SPLITS, Dataset, Split

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
    old = _present(dataset, scan)
    if set(old.tolist()) - {-1} != set(range(len(SPLITS))):
        return None
    grouped = dataset.columns.group is not None
    groups = dataset.groups.codes if grouped else np.full(len(dataset), -1, dtype=np.int64)
    alike = copy_components(dataset, scan, near)
    new = _without_copies(old, groups, alike)
    out = int((new != old).sum())
    columns = [np.where(new < 0, -1, alike)]
    if grouped:
        columns.append(np.where(new < 0, -1, np.where(groups < 0, len(dataset.groups), groups)))
    sizes = np.zeros((len(dataset) + 1, len(SPLITS)), dtype=np.int64)
    component = linked(columns, len(dataset))
    kept = new >= 0
    np.add.at(sizes, (component[kept], new[kept]), 1)
    goal = len(SPLITS) - 1 - sizes[:, ::-1].argmax(axis=1)  # of equal ones the most protected: test, validation
    moved = np.where(kept, goal[component], -1)
    changed = int((moved != old).sum()) - out
    whole = set(moved.tolist()) - {-1} == set(range(len(SPLITS)))
    return Moves(tuple(SPLITS[code] if code >= 0 else "" for code in moved.tolist()), changed, out) if whole else None


def _present(dataset: Dataset, scan: Scan) -> Integers:
    """Return `(rows,)`: the split of each usable row, -1 for the others."""
    return np.where(usable_rows(dataset, scan), dataset.splits, -1)


def _without_copies(old: Integers, groups: Integers, alike: Integers) -> Integers:
    """Take out copies of different groups, or of unknown ones, that do not stand in the most protected of their splits.

    Test is the most protected, for scores on it stay comparable as long as it stays the same; then validation.
    """
    new = old.copy()
    for places in members(np.where(old < 0, alike.max(initial=0) + 1 + np.arange(len(old)), alike)):
        here = old[places]
        several = len(different(groups[places])) > 1 or groups[places[0]] < 0
        if several and len(different(here)) > 1:
            new[places[here != here.max()]] = -1
    return new


def measure_moves(dataset: Dataset, scan: Scan, near: Sequence[NearPair] = ()) -> Measured:
    """Return what the smallest repair costs, and how even the split is after it."""
    moves = fewest_moves(dataset, scan, near)
    if moves is None:
        reason = "one of training, validation and test holds no usable clip before or after the repair"
        return Measured(unknown=unknown(_NAMES, reason))
    old = _present(dataset, scan)
    number = {split: code for code, split in enumerate(SPLITS)}
    new = np.array([number.get(split, -1) for split in moves.splits], dtype=np.int64)
    n = int((old >= 0).sum())
    codes = strata(dataset)
    before, after = (_table(codes, splits) for splits in (old, new))
    lost = int(((before > 0) & (after == 0)).sum()) if dataset.task == "classification" else 0
    sizes = np.abs(_sizes(old) / n - _sizes(new) / max(1, n - moves.copies_left_out))
    share = (moves.moved + moves.copies_left_out) / n
    return Measured(
        (
            Fact("dataset.fewest_moves_share", share, "audit", n=n),
            Fact("dataset.fewest_moves_distance", _distance(after), "audit", n=n),
            Fact("dataset.fewest_moves_lost_classes", lost, "audit", n=n),
            Fact("dataset.fewest_moves_size_change", float(sizes.max()), "audit", n=n),
        )
    )


def _sizes(splits: Integers) -> Integers:
    return np.bincount(splits[splits >= 0], minlength=len(SPLITS))


def _table(codes: Integers, splits: Integers) -> Integers:
    """Count the rows of each label in each split, `(splits, labels)`."""
    table = np.zeros((len(SPLITS), int(codes.max(initial=0)) + 1), np.int64)
    known = (splits >= 0) & (codes >= 0)
    np.add.at(table, (splits[known], codes[known]), 1)
    return table


def _distance(table: Integers) -> float:
    """Return the largest total variation between the labels of a split and of all."""
    whole = table.sum(axis=0) / max(1, table.sum())
    own = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    return float(np.abs(own - whole).sum(axis=1).max() / 2)
