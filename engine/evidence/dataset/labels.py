"""Facts about the labels: classes and their sizes, or the range of scores and its sparse ends."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from knowledge.records import Evidence, Fact, Measured

from .coded import Integers, different, quantiles
from .columns import listed
from .counting import counted, measured, unknown, where
from .records import Dataset, Row

FIFTHS = 5
"""Scores are counted in fifths: of their range for sparse extremes (S000-12), of their number for the splits."""
_CLASS_NAMES = (
    "dataset.classes dataset.smallest_class_clips dataset.imbalance_ratio dataset.class_entropy "
    "dataset.label_group_association"
)
_SCORE_NAMES = (
    "dataset.label_min dataset.label_max dataset.sparse_extreme_clips dataset.sparse_extreme_share "
    "dataset.label_skew dataset.label_values"
)
_ALL_NAMES = f"task.type dataset.respelled_labels {_CLASS_NAMES} {_SCORE_NAMES}"
_BEYOND = "dataset.labels_out_of_range dataset.isolated_labels dataset.negative_code_labels"
_SAID = "the labels are what is said in the clips, not classes or scores"


def measure_labels(dataset: Dataset, scale: tuple[float, float] | None = None) -> Measured:
    """Return the label facts; `scale` is the lowest and highest value that a score can take, where that is known."""
    if dataset.columns.label is None:
        reason = f"no column was recognised as the label; the columns are {listed(dataset.header)}"
        return Measured(unknown=unknown(f"dataset.empty_labels {_ALL_NAMES} {_BEYOND}", reason))
    rows = where(dataset.has_label)
    empty = where(~dataset.has_label)
    facts = (counted(dataset, "dataset.empty_labels", empty, len(dataset), _what_is_wrong),)
    if dataset.task is None:
        return Measured(facts, unknown(f"{_ALL_NAMES} {_BEYOND}", "no row has a label"))
    task = Fact("task.type", dataset.task, "audit", n=len(rows), evidence=(Evidence(_why_task(dataset, rows)),))
    if dataset.task == "ctc":
        others = f"dataset.respelled_labels {_CLASS_NAMES} {_SCORE_NAMES} {_BEYOND}"
        return Measured((*facts, task), unknown(others, _SAID))
    if dataset.task == "regression":
        none = unknown(f"{_CLASS_NAMES} dataset.respelled_labels", "the labels are scores, not classes")
        return Measured((*facts, task), none) + _scores(dataset, rows, scale)
    none = unknown(f"{_SCORE_NAMES} {_BEYOND}", "the labels are classes, not scores")
    return Measured((*facts, task), none) + _classes(dataset) + _association(dataset)


def _what_is_wrong(row: Row) -> str:
    return f"{row.label!r} is not a number" if row.label else "no label"


def _why_task(dataset: Dataset, rows: Integers) -> str:
    kind = "numbers" if np.isfinite(dataset.scores[rows]).all() else "texts"
    values = len(different(dataset.labels.codes[rows]))
    return f"column {dataset.columns.label}: {len(rows)} labels, {values} different, {kind}"


def _classes(dataset: Dataset) -> Measured:
    labels, counts = dataset.labels, dataset.labels.counts
    n = int(counts.sum())
    by_size = sorted(range(len(labels)), key=lambda number: -counts[number])
    smallest = min(range(len(labels)), key=lambda number: (counts[number], labels.names[number]))
    sizes = [f"{labels.names[number]}: {counts[number]} rows" for number in reversed(by_size)]

    def say(row: Row) -> str:
        return f"{dataset.written(row, 'label')!r} elsewhere {labels.names[labels.codes[row.place]]!r}"

    each = tuple(
        Fact("dataset.rows", int(counts[number]), "audit", f"class:{labels.names[number]}", n=n) for number in by_size
    )
    return Measured(
        (
            measured("dataset.classes", len(labels), n),
            measured("dataset.smallest_class_clips", int(counts[smallest]), n, sizes[:5]),
            measured("dataset.imbalance_ratio", float(counts.max() / counts[smallest]), n, (sizes[0], sizes[-1])),
            measured("dataset.class_entropy", _entropy(counts), n),
            counted(dataset, "dataset.respelled_labels", where(labels.respelled & (labels.codes >= 0)), n, say),
            *each,
        )
    )


def _entropy(counts: Integers) -> float:
    """Return the entropy of the classes over that of as many equal ones; 1 = balanced."""
    if len(counts) < 2:
        return 1.0
    shares = counts / counts.sum()
    return min(1.0, float(-(shares * np.log(shares)).sum() / math.log(len(counts))))  # rounding may bring more


def _association(dataset: Dataset) -> Measured:
    """How far the group tells the class, beyond what chance gives."""
    name = "dataset.label_group_association"
    if dataset.columns.group is None:
        return Measured(unknown=unknown(name, "no group column"))
    both = (dataset.labels.codes >= 0) & (dataset.groups.codes >= 0)
    table = np.zeros((len(dataset.labels), len(dataset.groups)), dtype=np.int64)
    np.add.at(table, (dataset.labels.codes[both], dataset.groups.codes[both]), 1)
    value = cramers_v(table)
    if value is None:
        return Measured(unknown=unknown(name, "fewer than two classes or two groups"))
    return Measured((measured(name, value, int(both.sum())),))


def cramers_v(table: Integers) -> float | None:
    """Return Cramer's V of a table of counts, 0 (nothing tells the other) to 1, corrected for chance.

    The expectation under independence is taken off the chi-square (Bergsma, A bias-correction for Cramer's V and
    Tschuprow's T, 2013). None for a table with fewer than two rows or columns that hold anything.
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (rows, columns) = int(table.sum()), table.shape
    if min(rows, columns) < 2 or n < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    rows_corrected = rows - (rows - 1) ** 2 / (n - 1)
    columns_corrected = columns - (columns - 1) ** 2 / (n - 1)
    smaller = min(rows_corrected, columns_corrected) - 1
    return min(1.0, math.sqrt(phi2 / smaller)) if smaller > 0 else None


def _scores(dataset: Dataset, rows: Integers, scale: tuple[float, float] | None) -> Measured:
    scores = dataset.scores[rows]
    n = len(rows)
    order = rows[scores.argsort(kind="stable")]
    isolated = isolated_scores(scores)
    counts, edges = np.histogram(scores[~isolated], bins=FIFTHS)
    sparse = min(int(counts[0]), int(counts[-1]))
    span = [f"{counts[k]} scores from {edges[k]:g} to {edges[k + 1]:g}" for k in range(FIFTHS)]
    bins = tuple(
        Fact("dataset.rows", int(counts[k]), "audit", f"scores:{edges[k]:g}..{edges[k + 1]:g}", n=n)
        for k in range(FIFTHS)
    )
    facts = (
        _extreme("dataset.label_min", dataset.row(int(order[0])), n),
        _extreme("dataset.label_max", dataset.row(int(order[-1])), n),
        measured("dataset.label_skew", _skew(scores[~isolated]), n),
        measured("dataset.label_values", len(different(scores)), n),
        measured("dataset.sparse_extreme_clips", sparse, n, span),
        measured("dataset.sparse_extreme_share", sparse / n, n, (span[0], span[-1])),
        counted(dataset, "dataset.isolated_labels", rows[isolated], n, _said),
        counted(dataset, "dataset.negative_code_labels", rows[_negative_codes(scores)], n, _said),
        *bins,
    )
    return Measured(facts) + _out_of_range(dataset, rows, scale)


def _negative_codes(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Mark the one negative whole number among scores that are all above zero: -1 and its like stand for "missing".

    Several different negative numbers are a scale that goes below zero.
    """
    below = scores < 0
    values = different(scores[below])
    lone = len(values) == 1 and values[0] == np.rint(values[0]) and bool((scores[~below] > 0).all())
    return below if lone else np.zeros(len(scores), dtype=bool)


def _said(row: Row) -> str:
    return f"score {row.score:g}"


def _skew(scores: npt.NDArray[np.float64]) -> float:
    """Return the third standardised moment; negative = a tail of low scores."""
    spread = float(scores.std())
    return float(((scores - scores.mean()) ** 3).mean() / spread**3) if spread else 0.0


def _extreme(name: str, row: Row, n: int) -> Fact:
    assert row.score is not None
    evidence = Evidence(f"score {row.score:g}", path=row.name, line=row.line or None, value=row.score)
    return Fact(name, row.score, "audit", n=n, evidence=(evidence,))


def _out_of_range(dataset: Dataset, rows: Integers, scale: tuple[float, float] | None) -> Measured:
    if scale is None:
        return Measured(unknown=unknown("dataset.labels_out_of_range", "the ends of the label scale were not given"))
    low, high = scale
    scores = dataset.scores[rows]
    outside = rows[(scores < low) | (scores > high)]

    def say(row: Row) -> str:
        return f"score {row.score:g}; the scale is {low:g} to {high:g}"

    return Measured((counted(dataset, "dataset.labels_out_of_range", outside, len(rows), say),))


def isolated_scores(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Mark scores that lie farther from all others than those others spread.

    The widest gap between neighbouring values parts the scores; the smaller side is isolated when the gap is wider
    than the whole range of the larger side. No constant to choose: one score of 58 beside a scale of 0 to 10 is
    marked, the tail of a skewed distribution never is.
    """
    order = np.sort(scores)
    if len(order) < 3:
        return np.zeros(len(scores), dtype=bool)
    gaps = np.diff(order)
    cut = int(gaps.argmax())
    upper_is_smaller = len(order) - cut - 1 <= cut + 1
    bulk = order[: cut + 1] if upper_is_smaller else order[cut + 1 :]
    if len(bulk) * 2 <= len(order) or gaps[cut] <= bulk[-1] - bulk[0] or bulk[-1] == bulk[0]:
        return np.zeros(len(scores), dtype=bool)
    outside: npt.NDArray[np.bool_] = (scores < bulk[0]) | (scores > bulk[-1])
    return outside


def strata(dataset: Dataset) -> Integers:
    """Return a number for the label of each row: of its class, or of its fifth when scores are sorted; else -1.

    Fifths of the number of clips, not of the range: their counts are even, so their differences are not noise.
    """
    if dataset.columns.label is None or dataset.task == "ctc":
        return np.full(len(dataset), -1, dtype=np.int64)
    if dataset.task != "regression":
        return dataset.labels.codes
    codes = np.full(len(dataset), -1, dtype=np.int64)
    scores = dataset.scores[dataset.has_label]
    if len(scores):
        inner = different(quantiles(scores, np.linspace(0, 1, FIFTHS + 1)[1:-1]))
        codes[dataset.has_label] = np.searchsorted(inner, scores, side="right")
    return codes
