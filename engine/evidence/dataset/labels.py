"""Facts about the labels: classes and their sizes, or the range of scores and its sparse ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.records import Evidence, Fact, Measured

from .counting import counted, measured, unknown, usual_spellings
from .integrity import has_label
from .records import Dataset, Row, folded

FIFTHS = 5
"""Scores are counted in fifths: of their range for sparse extremes (S000-12), of their number for the splits."""
_CLASS_NAMES = "dataset.classes dataset.smallest_class_clips dataset.imbalance_ratio"
_SCORE_NAMES = "dataset.label_min dataset.label_max dataset.sparse_extreme_clips dataset.sparse_extreme_share"
_ALL_NAMES = f"task.type dataset.empty_labels dataset.respelled_labels {_CLASS_NAMES} {_SCORE_NAMES}"
Integers = npt.NDArray[np.int64]


def measure_labels(dataset: Dataset, scale: tuple[float, float] | None = None) -> Measured:
    """Return the label facts; `scale` is the lowest and highest value that a score can take, where that is known."""
    beyond = "dataset.labels_out_of_range dataset.isolated_labels"
    if dataset.columns.label is None:
        columns = ", ".join(dataset.header)
        reason = f"no column was recognised as the label; the columns are {columns}"
        return Measured(unknown=unknown(f"{_ALL_NAMES} {beyond}", reason))
    rows = [row for row in dataset.rows if has_label(dataset, row)]
    empty = [row for row in dataset.rows if not has_label(dataset, row)]
    facts = (counted("dataset.empty_labels", empty, len(dataset.rows), _what_is_wrong),)
    if dataset.task is None:
        return Measured(
            facts, unknown(f"{_ALL_NAMES} {beyond}".replace("dataset.empty_labels ", ""), "no row has a label")
        )
    task = Fact("task.type", dataset.task, "audit", n=len(rows), evidence=(Evidence(_why_task(dataset, rows)),))
    if dataset.task == "regression":
        none = unknown(f"{_CLASS_NAMES} dataset.respelled_labels", "the labels are scores, not classes")
        return Measured((*facts, task), none) + _scores(rows, scale)
    none = unknown(f"{_SCORE_NAMES} {beyond}", "the labels are classes, not scores")
    return Measured((*facts, task), none) + _classes(dataset, rows)


def _what_is_wrong(row: Row) -> str:
    return f"{row.label!r} is not a number" if row.label else "no label"


def _why_task(dataset: Dataset, rows: Sequence[Row]) -> str:
    values = len({row.label for row in rows})
    kind = "numbers" if all(row.score is not None for row in rows) else "texts"
    return f"column {dataset.columns.label}: {len(rows)} labels, {values} different, {kind}"


def class_names(rows: Sequence[Row]) -> dict[str, str]:
    """Return the most common spelling of each class, by its folded form, in the order of the rows."""
    return usual_spellings((folded(row.label), row.label) for row in rows)


def class_counts(rows: Sequence[Row]) -> dict[str, int]:
    """Return the number of rows of each class, largest first, under its most common spelling."""
    names = class_names(rows)
    return dict(Counter(names[folded(row.label)] for row in rows).most_common())


def _classes(dataset: Dataset, rows: Sequence[Row]) -> Measured:
    counts = class_counts(rows)
    smallest = min(counts, key=lambda name: (counts[name], name))
    largest = max(counts.values())
    usual = usual_spellings((folded(row.label), dataset.written(row, "label")) for row in rows)
    respelled = [row for row in rows if dataset.written(row, "label") != usual[folded(row.label)]]
    sizes = [f"{name}: {count} rows" for name, count in reversed(counts.items())]
    n = len(rows)
    each = tuple(Fact("dataset.rows", count, "audit", f"class:{name}", n=n) for name, count in counts.items())
    return Measured(
        (
            measured("dataset.classes", len(counts), n),
            measured("dataset.smallest_class_clips", counts[smallest], n, sizes[:5]),
            measured("dataset.imbalance_ratio", largest / counts[smallest], n, (sizes[0], sizes[-1])),
            counted("dataset.respelled_labels", respelled, n, lambda row: _spelling(dataset, row, usual)),
            *each,
        )
    )


def _spelling(dataset: Dataset, row: Row, usual: dict[str, str]) -> str:
    return f"{dataset.written(row, 'label')!r} elsewhere {usual[folded(row.label)]!r}"


def _scores(rows: Sequence[Row], scale: tuple[float, float] | None) -> Measured:
    scores = np.array([row.score for row in rows], dtype=float)
    n = len(rows)
    order = [rows[int(place)] for place in scores.argsort(kind="stable")]
    isolated = isolated_scores(scores)
    counts, edges = np.histogram(scores[~isolated], bins=FIFTHS)
    sparse = min(int(counts[0]), int(counts[-1]))
    span = [f"{counts[k]} scores from {edges[k]:g} to {edges[k + 1]:g}" for k in range(FIFTHS)]
    outliers = [row for row, apart in zip(rows, isolated, strict=True) if apart]
    bins = tuple(
        Fact("dataset.rows", int(counts[k]), "audit", f"scores:{edges[k]:g}..{edges[k + 1]:g}", n=n)
        for k in range(FIFTHS)
    )
    facts = (
        _extreme("dataset.label_min", order[0], n),
        _extreme("dataset.label_max", order[-1], n),
        measured("dataset.sparse_extreme_clips", sparse, n, span),
        measured("dataset.sparse_extreme_share", sparse / n, n, (span[0], span[-1])),
        counted("dataset.isolated_labels", outliers, n, lambda row: f"score {row.score:g}"),
        *bins,
    )
    return Measured(facts) + _out_of_range(rows, scale)


def _extreme(name: str, row: Row, n: int) -> Fact:
    assert row.score is not None
    evidence = Evidence(f"score {row.score:g}", path=row.path, line=row.line or None, value=row.score)
    return Fact(name, row.score, "audit", n=n, evidence=(evidence,))


def _out_of_range(rows: Sequence[Row], scale: tuple[float, float] | None) -> Measured:
    if scale is None:
        return Measured(unknown=unknown("dataset.labels_out_of_range", "the ends of the label scale were not given"))
    low, high = scale
    outside = [row for row in rows if row.score is not None and not low <= row.score <= high]
    say = f"the scale is {low:g} to {high:g}"
    return Measured(
        (counted("dataset.labels_out_of_range", outside, len(rows), lambda row: f"score {row.score:g}; {say}"),)
    )


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


def strata(dataset: Dataset, rows: Sequence[Row]) -> Integers:
    """Return a number for the label of each row: of its class, or of its fifth when scores are sorted; -1 without one.

    Fifths of the number of clips, not of the range: their counts are even, so their differences are not noise.
    """
    known = [row for row in rows if has_label(dataset, row)] if dataset.columns.label is not None else []
    codes = np.full(len(rows), -1, dtype=np.int64)
    if not known:
        return codes
    places = [place for place, row in enumerate(rows) if has_label(dataset, row)]
    if dataset.task == "regression":
        scores = np.array([row.score for row in known], dtype=float)
        inner = np.unique(np.quantile(scores, np.linspace(0, 1, FIFTHS + 1)[1:-1]))
        codes[places] = np.searchsorted(inner, scores, side="right")
    else:
        numbers = {key: number for number, key in enumerate(class_names(known))}
        codes[places] = [numbers[folded(row.label)] for row in known]
    return codes
