"""Facts about the splits: sizes, groups and copies on both sides, labels that are distributed otherwise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.records import Evidence, Fact, Measured, Unknown

from .clips import Scan
from .counting import counted, measured, unknown
from .groups import no_group_reason
from .labels import Integers, strata
from .leaks import group_key, splits_of
from .records import SPLITS, Dataset, Row, Split

_SHUFFLES = 1000
"""Random splits drawn for the p-value; the smallest p is then 0.001 before the correction for several pairs."""
_SEED = 20260301
_SIZES = "dataset.train_clips dataset.validation_clips dataset.test_clips dataset.rows_without_split"
_LEAKS = (
    "dataset.leaked_test_clips dataset.leaked_test_share "
    "dataset.leaked_validation_clips dataset.leaked_validation_share"
)
_DRIFT = "dataset.label_split_distance dataset.label_split_p dataset.untrained_classes"
_LONG = {"train": "training", "val": "validation", "test": "test"}


def measure_splits(dataset: Dataset, scan: Scan, copies: Sequence[int]) -> Measured:
    """Return the split facts; all unknown without a split column."""
    if dataset.columns.split is None:
        names = f"{_SIZES} dataset.overlapping_groups {_LEAKS} {_DRIFT}"
        return Measured(unknown=unknown(names, f"no split column among {', '.join(dataset.header)}"))
    parts = {split: [row for row in dataset.rows if row.split == split] for split in SPLITS}
    return (
        Measured((*_sizes(dataset, parts), *_scoped(scan, parts)))
        + _overlap(dataset)
        + _leaks(dataset, parts, copies)
        + _drift(dataset, parts)
    )


def _sizes(dataset: Dataset, parts: Mapping[Split, list[Row]]) -> tuple[Fact, ...]:
    n = len(dataset.rows)
    without = [row for row in dataset.rows if not row.split]
    sizes = (Fact(f"dataset.{_LONG[split]}_clips", len(parts[split]), "audit", n=n) for split in ("val", "test"))
    return (
        Fact("dataset.train_clips", len(parts["train"]), "audit", n=n),
        *sizes,
        counted("dataset.rows_without_split", without, n, lambda row: f"split {dataset.written(row, 'split')!r}"),
    )


def _scoped(scan: Scan, parts: Mapping[Split, list[Row]]) -> list[Fact]:
    """The size of each split, for reports."""
    facts = []
    for split, rows in parts.items():
        n, subject = len(rows), f"split:{split}"
        heard = [scan.clips[region] for region in {row.region for row in rows if row.region is not None}]
        hours = sum(clip.duration_seconds for clip in heard) / 3600
        groups = len({group_key(row) for row in rows if row.group})
        facts.append(Fact("dataset.rows", n, "audit", subject, n=n))
        facts.append(Fact("dataset.hours", hours, "audit", subject, n=len(heard)))
        facts.append(Fact("dataset.groups", groups, "audit", subject, n=n))
    return facts


def _overlap(dataset: Dataset) -> Measured:
    """Groups in several splits; the rows named are those outside the first of them, training before the others."""
    if dataset.columns.group is None:
        return Measured(unknown=unknown("dataset.overlapping_groups", no_group_reason(dataset)))
    by_group: dict[str, list[Row]] = {}
    for row in dataset.rows:
        if row.group and row.split:
            by_group.setdefault(group_key(row), []).append(row)
    crossing = [rows for rows in by_group.values() if len(splits_of(rows)) > 1]
    evidence = []
    for rows in sorted(crossing, key=len, reverse=True)[:20]:
        sizes = Counter(row.split for row in rows)
        where = ", ".join(f"{sizes[split]} {_LONG[split]}" for split in splits_of(rows))
        evidence.append(Evidence(f"{rows[0].group}: {where}", n=len(rows)))
    outside = [row.path for rows in crossing for row in rows if row.split != splits_of(rows)[0]]
    fact = Fact(
        "dataset.overlapping_groups",
        len(crossing),
        "audit",
        n=len(by_group),
        evidence=tuple(evidence),
        paths=tuple(dict.fromkeys(outside)),
    )
    return Measured((fact,))


def _leaks(dataset: Dataset, parts: Mapping[Split, list[Row]], copies: Sequence[int]) -> Measured:
    """Rows outside training whose group or exact copy is in training.

    Without a group column only copies can be counted: some is a leak, none proves nothing.
    """
    number = dict(zip(map(id, dataset.rows), copies, strict=True))
    groups = {group_key(row) for row in parts["train"] if row.group}
    copied = {number[id(row)] for row in parts["train"]}

    def say(row: Row) -> str:
        return f"{row.group} is in training" if group_key(row) in groups else "a copy is in training"

    found = Measured()
    for split in ("val", "test"):
        rows, name = parts[split], f"dataset.leaked_{_LONG[split]}"
        leaked = [row for row in rows if group_key(row) in groups or number[id(row)] in copied]
        if rows and (leaked or dataset.columns.group is not None):
            share = measured(f"{name}_share", len(leaked) / len(rows), len(rows))
            found += Measured((counted(f"{name}_clips", leaked, len(rows), say), share))
        else:
            reason = f"no {_LONG[split]} rows" if not rows else no_group_reason(dataset)
            found += Measured(unknown=unknown(f"{name}_clips {name}_share", reason))
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """The labelled rows of one split."""

    split: Split
    codes: Integers  # (rows,) number of the label
    groups: tuple[str, ...]  # (rows,) empty where there is none
    counts: Integers  # (labels,)


@dataclass(frozen=True, slots=True)
class _Pair:
    """How far the labels of two splits are apart."""

    a: _Part
    b: _Part
    distance: float
    p: float

    @property
    def n(self) -> int:
        return min(len(self.a.codes), len(self.b.codes))


def _drift(dataset: Dataset, parts: Mapping[Split, list[Row]]) -> Measured:
    codes = dict(zip(map(id, dataset.rows), strata(dataset, dataset.rows).tolist(), strict=True))
    size = max(codes.values(), default=-1) + 1
    labelled = [part for split, rows in parts.items() if len((part := _part(split, rows, codes, size)).codes)]
    if len(labelled) < 2:
        return Measured(unknown=unknown(_DRIFT, "fewer than two splits have labels"))
    first, *others = labelled  # training where there is one: the others are judged by what it teaches
    pairs = [
        _Pair(first, other, total_variation(first.counts, other.counts), _chance(first, other)) for other in others
    ]
    worst = min(pairs, key=lambda pair: (pair.p, -pair.distance))
    p = min(1.0, worst.p * len(pairs))  # Bonferroni: the worst of several pairs was picked
    names = f"{_LONG[worst.a.split]} and {_LONG[worst.b.split]}"
    sentence = f"{names}: distance {worst.distance:.3f}, p {p:.3f}"
    facts = (
        measured("dataset.label_split_distance", worst.distance, worst.n, (sentence,)),
        measured("dataset.label_split_p", p, worst.n, (sentence,)),
    )
    return Measured(facts) + _untrained(dataset, parts, codes)


def _part(split: Split, rows: Sequence[Row], codes: Mapping[int, int], size: int) -> _Part:
    known = [row for row in rows if codes[id(row)] >= 0]
    own = np.array([codes[id(row)] for row in known], dtype=np.int64)
    return _Part(split, own, tuple(group_key(row) for row in known), np.bincount(own, minlength=size))


def total_variation(a: Integers, b: Integers) -> float:
    """Return half the sum of the absolute differences of two distributions given as counts; 0 = equal, 1 = disjoint."""
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def _chance(a: _Part, b: _Part) -> float:
    """Return the share of random splits of the same sizes whose labels are at least as far apart (permutation test).

    Single clips are drawn, although speakers may have labels of their own, and a split by speakers is then less even
    than one by clips: the distances drawn are widened by how much groups inside the splits differ among themselves
    (overdispersion; McCullagh and Nelder 1989, section 4.5). Drawing whole groups instead finds nothing where a split
    holds one or two of them.
    """
    pooled = a.counts + b.counts
    drawn = np.random.default_rng(_SEED).multivariate_hypergeometric(pooled, len(a.codes), size=_SHUFFLES)
    shares = [side / side.sum(axis=1, keepdims=True) for side in (drawn, pooled - drawn)]
    distances = np.abs(shares[0] - shares[1]).sum(axis=1) / 2 * math.sqrt(_dispersion(a, b))
    extreme = int((distances >= total_variation(a.counts, b.counts) - 1e-12).sum())
    return (1 + extreme) / (1 + _SHUFFLES)


def _dispersion(*parts: _Part) -> float:
    """Return Pearson's chi-square of the groups of each split against their split, over its degrees of freedom.

    1 (the least returned) = the groups of a split differ in their labels as much as chance alone makes them.
    """
    chi_square, freedom = 0.0, 0
    for part in parts:
        names = sorted(set(part.groups) - {""})
        held = part.counts > 0
        if len(names) < 2 or held.sum() < 2:
            continue
        place = {name: number for number, name in enumerate(names)}
        known = np.array([place.get(name, -1) for name in part.groups])
        table = np.zeros((len(names), len(part.counts)), dtype=np.int64)
        np.add.at(table, (known[known >= 0], part.codes[known >= 0]), 1)
        table = table[:, held]
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        chi_square += float(((table - expected) ** 2 / np.maximum(expected, 1e-12)).sum())
        freedom += (len(names) - 1) * (int(held.sum()) - 1)
    return max(1.0, chi_square / freedom) if freedom else 1.0


def _untrained(dataset: Dataset, parts: Mapping[Split, list[Row]], codes: Mapping[int, int]) -> Measured:
    """Classes that validation or test asks for and training never shows."""
    if dataset.task != "classification":
        return Measured(unknown=(Unknown("dataset.untrained_classes", "the labels are scores, not classes"),))
    trained = {codes[id(row)] for row in parts["train"]}
    rows = [row for split in ("val", "test") for row in parts[split] if codes[id(row)] not in trained | {-1}]
    classes = len({codes[id(row)] for row in rows})
    return Measured(
        (counted("dataset.untrained_classes", rows, len(dataset.rows), lambda row: f"class {row.label}", classes),)
    )
