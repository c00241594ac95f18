"""Facts about the splits: sizes, groups and copies on both sides, labels that are distributed otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.records import Evidence, Fact, Measured

from .clips import Scan
from .coded import Integers, different
from .columns import listed
from .counting import EXAMPLES, counted, measured, unknown, where
from .groups import no_group_reason
from .label_contrast import contrast_p, evenness_p
from .labels import cramers_v, strata
from .records import SPLITS, Dataset, Row, Split

_SHUFFLES = 1000
"""Random splits drawn for the p-value; the smallest p is then 0.001 before the correction for several pairs."""
_SEED = 20260301
_SIZES = "dataset.train_clips dataset.validation_clips dataset.test_clips dataset.rows_without_split"
_LEAKS = (
    "dataset.leaked_test_clips dataset.leaked_test_share "
    "dataset.leaked_validation_clips dataset.leaked_validation_share"
)
_DRIFT = (
    "dataset.label_split_distance dataset.label_split_p dataset.label_split_association dataset.untrained_classes "
    "dataset.untested_classes"
)
_CONTRAST = (
    "dataset.label_contrast_far dataset.label_contrast_near dataset.label_contrast_p dataset.label_contrast_even_p"
)
_TEXTS = "dataset.shared_text_clips dataset.shared_text_share"
_LONG = {"train": "training", "val": "validation", "test": "test"}


def measure_splits(dataset: Dataset, scan: Scan, copies: Integers) -> Measured:
    """Return the split facts; all unknown without a split column. `copies` numbers the rows by their sound."""
    if dataset.columns.split is None:
        names = f"{_SIZES} dataset.overlapping_groups {_LEAKS} {_DRIFT} {_CONTRAST} {_TEXTS}"
        return Measured(unknown=unknown(names, f"no split column among {listed(dataset.header)}"))
    return (
        Measured((*_sizes(dataset), *_scoped(dataset, scan)))
        + _overlap(dataset)
        + _leaks(dataset, copies)
        + _drift(dataset)
        + _texts(dataset)
    )


def _in_split(dataset: Dataset, split: Split) -> Integers:
    return where(dataset.splits == SPLITS.index(split))


def _sizes(dataset: Dataset) -> tuple[Fact, ...]:
    n = len(dataset)
    without = where(dataset.splits < 0)
    sizes = (
        Fact(f"dataset.{_LONG[split]}_clips", len(_in_split(dataset, split)), "audit", n=n) for split in ("val", "test")
    )  # fmt: skip
    return (
        Fact("dataset.train_clips", len(_in_split(dataset, "train")), "audit", n=n),
        *sizes,
        counted(
            dataset, "dataset.rows_without_split", without, n, lambda row: f"split {dataset.written(row, 'split')!r}"
        ),
    )


def _scoped(dataset: Dataset, scan: Scan) -> list[Fact]:
    """The size of each split, for reports."""
    clips = [scan.clips.get(region) for region in dataset.regions] if scan.clips else []
    seconds = np.array([0.0 if clip is None else clip.duration_seconds for clip in clips])
    facts = []
    for split in SPLITS:
        rows = _in_split(dataset, split)
        n, subject = len(rows), f"split:{split}"
        heard, groups = (different(codes[rows]) for codes in (dataset.region_codes, dataset.groups.codes))
        heard = heard[heard >= 0]
        facts.append(Fact("dataset.rows", n, "audit", subject, n=n))
        if scan.clips:
            facts.append(Fact("dataset.hours", float(seconds[heard].sum()) / 3600, "audit", subject, n=len(heard)))
        facts.append(Fact("dataset.groups", int((groups >= 0).sum()), "audit", subject, n=n))
    return facts


def _overlap(dataset: Dataset) -> Measured:
    """Groups in several splits; the rows named are those outside the first of them, training before the others."""
    if dataset.columns.group is None:
        return Measured(unknown=unknown("dataset.overlapping_groups", no_group_reason(dataset)))
    groups, known = dataset.groups, (dataset.groups.codes >= 0) & (dataset.splits >= 0)
    table = np.zeros((len(groups), len(SPLITS)), dtype=np.int64)
    np.add.at(table, (groups.codes[known], dataset.splits[known]), 1)
    crossing = (table > 0).sum(axis=1) > 1
    evidence = []
    for number in sorted(np.flatnonzero(crossing).tolist(), key=lambda number: -table[number].sum())[:EXAMPLES]:
        there = [f"{count} {_LONG[split]}" for count, split in zip(table[number], SPLITS, strict=True) if count]
        evidence.append(Evidence(f"{groups.names[number]}: {', '.join(there)}", n=int(table[number].sum())))
    first = np.append((table > 0).argmax(axis=1), -1)
    outside = where(known & np.append(crossing, False)[groups.codes] & (dataset.splits != first[groups.codes]))
    fact = Fact(
        "dataset.overlapping_groups",
        int(crossing.sum()),
        "audit",
        n=int((table.sum(axis=1) > 0).sum()),
        evidence=tuple(evidence),
        paths=tuple(dict.fromkeys(dataset.names[place] for place in outside)),
    )
    return Measured((fact,))


def _leaks(dataset: Dataset, copies: Integers) -> Measured:
    """Rows outside training whose group, session or copy is in training.

    Without a group column only copies can be counted: some is a leak, none proves nothing.
    """
    trained = _in_split(dataset, "train")
    ways = (("groups", dataset.groups.codes), ("sessions", dataset.sessions.codes), ("copies", copies))
    shared = {name: _shared(codes, trained) for name, codes in ways}

    def say(row: Row) -> str:
        if shared["groups"][row.place]:
            return f"{row.group} is in training"
        return "its session is in training" if shared["sessions"][row.place] else "a copy is in training"

    found = Measured()
    for split in ("val", "test"):
        rows, name = _in_split(dataset, split), f"dataset.leaked_{_LONG[split]}"
        leaked = rows[shared["groups"][rows] | shared["sessions"][rows] | shared["copies"][rows]]
        if len(rows) and (len(leaked) or dataset.columns.group is not None):
            share = measured(f"{name}_share", len(leaked) / len(rows), len(rows))
            found += Measured((counted(dataset, f"{name}_clips", leaked, len(rows), say), share))
        else:
            reason = f"no {_LONG[split]} rows" if not len(rows) else no_group_reason(dataset)
            found += Measured(unknown=unknown(f"{name}_clips {name}_share", reason))
    return found


def _shared(codes: Integers, trained: Integers) -> npt.NDArray[np.bool_]:
    """Return `(rows,)`: whether a training row has the same code."""
    there = np.zeros(int(codes.max(initial=-1)) + 2, dtype=bool)
    there[codes[trained]] = True
    there[-1] = False  # rows without a code share nothing
    shared: npt.NDArray[np.bool_] = there[codes]
    return shared


def _texts(dataset: Dataset) -> Measured:
    """Validation and test rows that say what a training row says."""
    if dataset.columns.text is None:
        return Measured(unknown=unknown(_TEXTS, "no column holds what is said; name it with --text"))
    shared = _shared(dataset.texts.codes, _in_split(dataset, "train"))
    others = where((dataset.splits > 0) & (dataset.texts.codes >= 0))
    rows = others[shared[others]]
    if not len(others):
        return Measured(unknown=unknown(_TEXTS, "no validation or test row has a text"))

    def say(row: Row) -> str:
        return f"{dataset.texts.names[dataset.texts.codes[row.place]]!r} is said in training too"

    share = measured("dataset.shared_text_share", len(rows) / len(others), len(others))
    return Measured((counted(dataset, "dataset.shared_text_clips", rows, len(others), say), share))


@dataclass(frozen=True, slots=True)
class _Part:
    """The labelled rows of one split."""

    split: Split
    codes: Integers  # (rows,) number of the label
    groups: Integers  # (rows,) -1 where there is none
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


def _drift(dataset: Dataset) -> Measured:
    codes = strata(dataset)
    size = int(codes.max(initial=-1)) + 1
    parts = [_part(dataset, split, codes, size) for split in SPLITS]
    labelled = [part for part in parts if len(part.codes)]
    if len(labelled) < 2:
        return Measured(unknown=unknown(f"{_DRIFT} {_CONTRAST}", "fewer than two splits have labels"))
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
    return Measured((*facts, *_contrast(pairs))) + _association(parts) + _absent(dataset, codes)


def _contrast(pairs: Sequence[_Pair]) -> tuple[Fact, ...]:
    """How much farther from training one of validation and test lies than the other; a lone one as far as itself."""
    near, far = min(pairs, key=lambda pair: pair.distance), max(pairs, key=lambda pair: pair.distance)
    counts = (near.a.counts, near.b.counts, far.b.counts)
    p, even_p = (1.0, 1.0) if near is far else (contrast_p(*counts), evenness_p(*counts))
    sentence = (
        f"{_LONG[far.b.split]} lies {far.distance:.3f} from {_LONG[far.a.split]}, "
        f"{_LONG[near.b.split]} {near.distance:.3f}; p {p:.4f}, evenness p {even_p:.4f}"
    )
    values = zip(_CONTRAST.split(), (far.distance, near.distance, p, even_p), strict=True)
    return tuple(measured(name, value, min(near.n, far.n), (sentence,)) for name, value in values)


def _part(dataset: Dataset, split: Split, codes: Integers, size: int) -> _Part:
    rows = where((dataset.splits == SPLITS.index(split)) & (codes >= 0))
    return _Part(split, codes[rows], dataset.groups.codes[rows], np.bincount(codes[rows], minlength=size))


def _association(parts: Sequence[_Part]) -> Measured:
    value = cramers_v(np.stack([part.counts for part in parts]))
    n = sum(len(part.codes) for part in parts)
    if value is None:
        return Measured(unknown=unknown("dataset.label_split_association", "fewer than two labels"))
    return Measured((measured("dataset.label_split_association", value, n),))


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
    """Return by how much groups widen the spread of the labels of a split, at least 1 (the design effect; Kish 1965).

    Pearson's chi-square of the groups of each split against their split, over its degrees of freedom, tells how much
    alike the clips of one group are; a few large groups among many small ones weigh more than their mean size says.
    """
    chi_square, freedom = 0.0, 0
    sizes: list[Integers] = []
    for part in parts:
        held = part.counts > 0
        names, known = np.unique(part.groups, return_inverse=True)
        known = known - (names[:1] < 0).sum()  # -1 stands for no group
        size = int(known.max(initial=-1)) + 1
        if size < 2 or held.sum() < 2:
            continue
        table = np.zeros((size, len(part.counts)), dtype=np.int64)
        np.add.at(table, (known[known >= 0], part.codes[known >= 0]), 1)
        table = table[:, held]
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        chi_square += float(((table - expected) ** 2 / np.maximum(expected, 1e-12)).sum())
        freedom += (size - 1) * (int(held.sum()) - 1)
        sizes.append(table.sum(axis=1))
    return _design_effect(chi_square / freedom, np.concatenate(sizes)) if freedom else 1.0


def _design_effect(dispersion: float, sizes: Integers) -> float:
    """Turn what groups of the mean size would do into what groups of these sizes do."""
    mean, weighted = float(sizes.mean()), float((sizes.astype(float) ** 2).sum() / sizes.sum())
    if mean <= 1 or dispersion <= 1:
        return max(1.0, dispersion)
    alike = min(1.0, (dispersion - 1) / (mean - 1))
    return max(dispersion, 1 + (weighted - 1) * alike)


def _absent(dataset: Dataset, codes: Integers) -> Measured:
    """Classes that validation or test asks for and training never shows, and classes that a split lacks."""
    names = "dataset.untrained_classes dataset.untested_classes"
    if dataset.task != "classification":
        return Measured(unknown=unknown(names, "the labels are scores, not classes"))
    shared = _shared(codes, _in_split(dataset, "train"))
    rows = where((dataset.splits > 0) & (codes >= 0) & ~shared)
    classes = len(different(codes[rows]))
    untrained = counted(
        dataset, "dataset.untrained_classes", rows, len(dataset), lambda row: f"class {row.label}", classes
    )
    tested = set(codes[_in_split(dataset, "test")].tolist())
    if not tested:
        return Measured((untrained,), unknown("dataset.untested_classes", "no test rows"))
    lacking = [name for number, name in enumerate(dataset.labels.names) if number not in tested]
    sentences = [f"no test clip of class {name}" for name in lacking]
    return Measured((untrained, measured("dataset.untested_classes", len(lacking), len(dataset.labels), sentences)))
