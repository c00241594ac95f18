"""Facts about exact copies: how many, whether their labels agree, and rows that name one file twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from knowledge.records import Fact, Measured

from .clips import Scan
from .coded import Integers, different
from .components import members
from .counting import counted, unknown
from .labels import isolated_scores
from .leaks import splits_of
from .records import Dataset, Row


def measure_copies(dataset: Dataset, scan: Scan, copies: Integers, alike: Integers | None = None) -> Measured:
    """Return the duplicate facts.

    Args:
        dataset: whose rows they are about.
        scan: what was decoded.
        copies: numbers the rows so that exact copies share a number (`copy_components`).
        alike: the same with near duplicates; what splits and labels are compared by.
    """
    together = members(copies)
    names = dataset.region_codes
    several = [places for places in together if len(different(names[places])) > 1]
    again = sum(len(different(names[places])) - 1 for places in several)
    decoded = sum(not clip.unreadable for clip in scan.clips.values())
    first = {int(place): int(places[0]) for places in together for place in places}

    def say(row: Row) -> str:
        other = dataset.row(first[row.place])
        return f"same sound as {other.path}" + (f" (line {other.line})" if other.line else "")

    same_file = np.sort(np.concatenate([_repeated(names, places) for places in together] or [np.zeros(0, np.int64)]))
    n = len(dataset)
    found = Measured((counted(dataset, "dataset.duplicate_rows", same_file, n, "the file has a row before"),))
    if scan.clips:
        rows, told = _flat(several), _flat(several, 1)
        found += Measured((counted(dataset, "dataset.exact_duplicate_clips", rows, decoded, say, again, told),))
    else:
        found += Measured(unknown=unknown("dataset.exact_duplicate_clips", "no audio was read"))
    if alike is not None and not np.array_equal(alike, copies):
        together = members(alike)
        first.update({int(place): int(places[0]) for places in together for place in places})
    return found + _across(dataset, together, say) + _conflicts(dataset, together)


def _flat(groups: Sequence[Integers], start: int = 0) -> list[int]:
    """All rows of all groups, each from its row number `start` on."""
    return [int(place) for places in groups for place in places[start:]]


def _repeated(names: Integers, places: Integers) -> Integers:
    """The rows whose file an earlier row names; rows without a file that write the same path are such as well."""
    _, firsts = np.unique(names[places], return_index=True)
    return np.delete(places, firsts)


def _across(dataset: Dataset, together: Sequence[Integers], say: Callable[[Row], str]) -> Measured:
    name = "dataset.duplicates_across_splits"
    if dataset.columns.split is None:
        return Measured(unknown=unknown(name, "no split column"))
    crossing = [places for places in together if len(splits_of(dataset.splits[places])) > 1]
    rows, told = _flat(crossing), _flat(crossing, 1)
    return Measured((counted(dataset, name, rows, len(dataset), say, len(crossing), told),))


def _conflicts(dataset: Dataset, together: Sequence[Integers]) -> Measured:
    names = "dataset.conflicting_duplicates dataset.conflicting_score_gap"
    if dataset.task is None:
        return Measured(unknown=unknown(names, "no labels"))
    different = [places for places in together if len(_labels(dataset, places)) > 1]
    group_of = {int(place): places for places in different for place in places}

    def say(row: Row) -> str:
        texts = {dataset.row(int(place)).label for place in group_of[row.place]}
        return f"labels of its copies: {' and '.join(sorted(texts))}"

    rows = _flat(different)
    count = counted(dataset, "dataset.conflicting_duplicates", rows, len(dataset), say, len(different))
    if dataset.task != "regression":
        return Measured((count,), unknown("dataset.conflicting_score_gap", "the labels are no scores"))
    scores = dataset.scores[np.isfinite(dataset.scores)]
    bulk = scores[~isolated_scores(scores)]
    span = float(bulk.max() - bulk.min())
    gaps = [float(np.ptp(_labels(dataset, places))) for places in different]
    gap = min(1.0, max(gaps, default=0.0) / span) if span else 0.0
    return Measured((count, Fact("dataset.conflicting_score_gap", gap, "audit", n=len(different))))


def _labels(dataset: Dataset, places: Integers) -> np.ndarray:
    """The different labels of some rows: numbers of classes, or scores."""
    if dataset.task == "regression":
        scores = dataset.scores[places]
        return different(scores[np.isfinite(scores)])
    codes = dataset.labels.codes[places]
    return different(codes[codes >= 0])
