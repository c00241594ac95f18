"""Facts about exact copies: how many, whether their labels agree, and rows that name one file twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from knowledge.records import Fact, Measured

from .clips import Scan
from .counting import counted, unknown
from .labels import isolated_scores
from .leaks import members, splits_of
from .records import Dataset, Row, folded


def measure_copies(dataset: Dataset, scan: Scan, copies: Sequence[int], alike: Sequence[int] | None = None) -> Measured:
    """Return the duplicate facts.

    Args:
        dataset: whose rows they are about.
        scan: what was decoded.
        copies: numbers the rows so that exact copies share a number (`copy_components`).
        alike: the same with near duplicates; what splits and labels are compared by.
    """
    together = [rows for rows in members(copies, dataset.rows).values() if len(rows) > 1]
    several_files = [rows for rows in together if len(_files(rows)) > 1]
    again = sum(len(_files(rows)) - 1 for rows in several_files)
    decoded = sum(not clip.unreadable for clip in scan.clips.values())
    first = {id(row): rows[0] for rows in together for row in rows}

    def say(row: Row) -> str:
        other = first[id(row)]
        return f"same sound as {other.path}" + (f" (line {other.line})" if other.line else "")

    same_file = [row for rows in together for row in _repeated(rows)]
    facts = (
        counted("dataset.exact_duplicate_clips", _flat(several_files), decoded, say, again, _flat(several_files, 1)),
        counted("dataset.duplicate_rows", same_file, len(dataset.rows), "the file has a row before"),
    )
    if alike is not None and list(alike) != list(copies):
        together = [rows for rows in members(alike, dataset.rows).values() if len(rows) > 1]
        first.update({id(row): rows[0] for rows in together for row in rows})
    return Measured(facts) + _across(dataset, together, say) + _conflicts(dataset, together)


def _files(rows: Sequence[Row]) -> set[str]:
    return {str(row.file or row.path) for row in rows}


def _flat(groups: Sequence[Sequence[Row]], start: int = 0) -> list[Row]:
    """All rows of all groups, each from its row number `start` on."""
    return [row for rows in groups for row in rows[start:]]


def _repeated(rows: Sequence[Row]) -> list[Row]:
    """The rows whose file an earlier row names."""
    seen: set[str] = set()
    found = []
    for row in rows:
        name = str(row.file or row.path)
        if name in seen:
            found.append(row)
        seen.add(name)
    return found


def _across(dataset: Dataset, together: Sequence[list[Row]], say: Callable[[Row], str]) -> Measured:
    name = "dataset.duplicates_across_splits"
    if dataset.columns.split is None:
        return Measured(unknown=unknown(name, "no split column"))
    crossing = [rows for rows in together if len(splits_of(rows)) > 1]
    return Measured((counted(name, _flat(crossing), len(dataset.rows), say, len(crossing), _flat(crossing, 1)),))


def _conflicts(dataset: Dataset, together: Sequence[list[Row]]) -> Measured:
    names = "dataset.conflicting_duplicates dataset.conflicting_score_gap"
    if dataset.task is None:
        return Measured(unknown=unknown(names, "no labels"))
    different = [rows for rows in together if len(_labels(dataset, rows)) > 1]
    labels_of = {row.path: " and ".join(sorted({other.label for other in rows})) for rows in different for row in rows}
    count = counted(
        "dataset.conflicting_duplicates",
        _flat(different),
        len(dataset.rows),
        lambda row: f"labels of its copies: {labels_of[row.path]}",
        len(different),
    )
    if dataset.task == "classification":
        return Measured((count,), unknown("dataset.conflicting_score_gap", "the labels are classes, not scores"))
    scores = np.array([row.score for row in dataset.rows if row.score is not None], dtype=float)
    bulk = scores[~isolated_scores(scores)]
    span = float(bulk.max() - bulk.min())
    gaps = [max(values) - min(values) for rows in different if (values := sorted(_scores(rows)))]
    gap = min(1.0, max(gaps, default=0.0) / span) if span else 0.0
    return Measured((count, Fact("dataset.conflicting_score_gap", gap, "audit", n=len(different))))


def _labels(dataset: Dataset, rows: Sequence[Row]) -> set[str] | set[float]:
    if dataset.task == "regression":
        return set(_scores(rows))
    return {folded(row.label) for row in rows if row.label}


def _scores(rows: Sequence[Row]) -> list[float]:
    return [row.score for row in rows if row.score is not None]
