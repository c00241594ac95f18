"""Proposes a split in which no group and no copy crosses, with even labels; writes nothing.

Leak groups (same group, or exact copies) go to one split as a whole. A class that lives in too few leak groups to be
everywhere goes to training first. When the old split merely lacks a validation part, only training rows are divided.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from knowledge.records import Measured

from .assignment import assign, reassign
from .clips import Scan
from .coded import Integers
from .counting import where
from .fewest_moves import fewest_moves
from .integrity import usable_rows
from .labels import strata
from .leaks import copy_components, leak_components
from .near import NearPair
from .records import SPLITS, Dataset, Row, Split
from .splits import measure_splits

Protocol = Literal["minimal-moves", "group-disjoint-split", "leave-one-group-out"]
PROTOCOLS: tuple[Protocol, ...] = ("minimal-moves", "group-disjoint-split", "leave-one-group-out")


@dataclass(frozen=True, slots=True)
class SplitShares:
    """What a fresh split should look like; the rules say so."""

    wanted: tuple[tuple[float, float, float], ...]
    """Shares of training, validation and test in order of preference: few groups often fit one of them only."""
    even: float
    """Label distance plus size error at which no further shares are tried."""

    @classmethod
    def parsed(cls, text: str, even: float) -> SplitShares:
        """Read shares in per cent, such as `70-15-15 60-20-20`."""
        parts = [[int(part) / 100 for part in shares.split("-")] for shares in text.split()]
        return cls(tuple((train, val, test) for train, val, test in parts), even)


@dataclass(frozen=True)
class SplitProposal:
    """A new split for the usable rows of a data set."""

    protocol: Protocol
    """What the rules prefer: the old split with few moves, a fresh one, or one fold a group where groups are few."""
    splits: tuple[Split, ...]
    """The split of each row of the data set; empty for a row that is left out."""
    folds: tuple[str, ...]
    """The fold of each row, from "1" on; empty without leave-one-group-out."""
    split_column: str
    fold_column: str
    """Name of the fold column; empty without folds."""
    kept: tuple[Split, ...]
    """Splits of the old manifest that stay as they are."""
    left_out: tuple[Row, ...]
    """Rows that nobody can train or test on (no file, not decodable, no label), and copies that minimal moves drop."""
    before: Measured
    after: Measured
    infeasible: tuple[str, ...]
    """What no split can reach, in sentences."""


def propose_split(
    dataset: Dataset,
    scan: Scan,
    *,
    shares: SplitShares,
    protocol: Protocol = "group-disjoint-split",
    keep_test: bool = False,
    near: Sequence[NearPair] = (),
    before: Measured | None = None,
) -> SplitProposal | None:
    """Return a split with leak groups kept whole, or None when there are fewer leak groups than splits.

    Args:
        dataset: what is to be split.
        scan: the clips, as `scan_clips` returns them.
        shares: how large the splits should be; minimal moves leave them nearly as they are.
        protocol: with leave-one-group-out, a fold for each leak group is proposed beside the split.
        near: pairs of clips that are copies of one another though not exact ones.
        keep_test: leave validation and test rows where they are, and take validation from the training rows.
        before: the facts of the old split, where they are measured already.
    """
    proposal = functools.partial(_proposal, dataset, scan, near, before, protocol)
    if protocol == "minimal-moves":
        moves = fewest_moves(dataset, scan, near)
        return None if moves is None else proposal(moves.splits, (), (), ())
    usable = where(usable_rows(dataset, scan))
    groups = leak_components(dataset, scan, near)
    kept: tuple[Split, ...] = ("test",) if keep_test else ()
    free = usable[~np.isin(dataset.splits[usable], [SPLITS.index(split) for split in kept])]
    names = [split for split in SPLITS if split not in kept]
    units, unit = np.unique(groups[free], return_inverse=True)
    if len(units) < len(names):
        return None
    counts = _counts(strata(dataset)[free], unit, len(units))
    classes = dataset.labels.names if dataset.task == "classification" else ()
    required, infeasible = _required(counts, classes, names)
    assigned = _assigned(counts, names, required, shares)
    splits: list[Split] = [""] * len(dataset)
    for place in usable.tolist():
        splits[place] = SPLITS[dataset.splits[place]] if dataset.splits[place] >= 0 else ""
    for place, number in zip(free.tolist(), unit.tolist(), strict=True):
        splits[place] = names[assigned[number]]
    folds = _folds(groups, usable) if protocol == "leave-one-group-out" else ()
    return proposal(tuple(splits), folds, kept, infeasible)


def _assigned(
    counts: npt.NDArray[np.int64], names: Sequence[Split], required: npt.NDArray[np.bool_], shares: SplitShares
) -> npt.NDArray[np.int64]:
    """Try the shares in order of preference until one comes out even; else look longer at the most even."""
    tried = []
    for wanted in shares.wanted:
        part = np.array([wanted[SPLITS.index(name)] for name in names])
        share = tuple(part / part.sum())
        result = assign(counts, share, required)
        if result.lacking == 0 and result.unevenness <= shares.even:
            return result.splits
        tried.append((result, share))
    best, share = min(tried, key=lambda each: (each[0].lacking, each[0].unevenness))
    return reassign(counts, share, required, best.splits).splits


def _counts(codes: Integers, unit: Integers, units: int) -> Integers:
    """Return the rows of each label stratum in each leak group, `(groups, strata + 1)`, the size last."""
    size = int(codes.max(initial=-1)) + 1
    counts = np.zeros((units, size + 1), dtype=np.int64)
    if size:
        np.add.at(counts, (unit[codes >= 0], codes[codes >= 0]), 1)
    np.add.at(counts[:, -1], unit, 1)
    return counts


def _required(
    counts: npt.NDArray[np.int64], classes: Sequence[str], names: Sequence[Split]
) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Say which split must hold which class: training first, then test, then validation, as far as groups reach."""
    spread = (counts > 0).sum(axis=0)  # leak groups that hold each class
    spread[len(classes) : -1] = 0  # fifths of scores may be empty
    order = [split for split in ("train", "test", "val") if split in names]
    required = np.array([spread > order.index(name) for name in names])
    infeasible = []
    for name, groups in zip(classes, spread.tolist(), strict=False):
        if 0 < groups < len(names):
            lacking = " and ".join(_LONG[split] for split in order[groups:])
            infeasible.append(f"class {name}: only {groups} leak group{'s' * (groups > 1)}, so none for {lacking}")
    return required, tuple(infeasible)


_LONG = {"train": "training", "val": "validation", "test": "test"}


def _folds(groups: Integers, usable: Integers) -> tuple[str, ...]:
    """One fold for each leak group, numbered by its first row."""
    number = {unit: str(place) for place, unit in enumerate(dict.fromkeys(groups[usable].tolist()), start=1)}
    folds = [""] * len(groups)
    for place in usable.tolist():
        folds[place] = number[int(groups[place])]
    return tuple(folds)


def _proposal(
    dataset: Dataset,
    scan: Scan,
    near: Sequence[NearPair],
    before: Measured | None,
    protocol: Protocol,
    splits: tuple[Split, ...],
    folds: tuple[str, ...],
    kept: tuple[Split, ...],
    infeasible: tuple[str, ...],
) -> SplitProposal:
    column = _free_name("repaired_split", dataset.header)
    after_set = dataset.with_splits(splits, column)
    after = measure_splits(after_set, scan, copy_components(after_set, scan, near))
    return SplitProposal(
        protocol=protocol,
        splits=splits,
        folds=folds,
        split_column=column,
        fold_column=_free_name("repaired_fold", dataset.header) if folds else "",
        kept=kept,
        left_out=tuple(dataset.row(place) for place, split in enumerate(splits) if not split),
        before=before or measure_splits(dataset, scan, copy_components(dataset, scan, near)),
        after=after,
        infeasible=infeasible,
    )


def _free_name(wanted: str, header: Sequence[str]) -> str:
    name, number = wanted, 2
    while name in header:
        name, number = f"{wanted}_{number}", number + 1
    return name
