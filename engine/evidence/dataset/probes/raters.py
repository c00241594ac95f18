"""How far raters agree, and the ceiling which that sets for any model; judges neither."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from knowledge.records import Measured

from ..counting import counted, measured, unknown, where
from ..records import Dataset, numbers_of
from .linear import correlation

Floats = npt.NDArray[np.floating]

_NAMES = (
    "dataset.raters dataset.rows_lacking_raters dataset.rater_spread dataset.rater_reliability dataset.score_ceiling"
)
_MOST_HALVES = 126
"""All ways to part up to nine raters."""


def measure_raters(dataset: Dataset) -> Measured:
    """Return how many raters there are, their spread, the reliability of their mean, and the ceiling."""
    columns = dataset.columns.raters
    if len(columns) < 2:
        return Measured(unknown=unknown(_NAMES, "no columns of single raters, such as rater_1 and rater_2"))
    ratings = np.stack([numbers_of(dataset.cells[dataset.header.index(column)]) for column in columns], axis=1)
    given = np.isfinite(ratings).sum(axis=1)
    if not given.any() or given.max() < 2:
        return Measured(unknown=unknown(_NAMES, f"{', '.join(columns)} hold no two numbers in any row"))
    usual = int(np.bincount(given).argmax())
    several = ratings[given >= 2]
    spread = float(np.sqrt(np.nanvar(several, axis=1, ddof=1).mean()))
    facts = (
        measured("dataset.raters", len(columns), len(ratings), (", ".join(columns),)),
        counted(
            dataset,
            "dataset.rows_lacking_raters",
            where(given < usual),
            len(ratings),
            lambda row: f"{given[row.place]} of {usual} raters",
        ),
        measured("dataset.rater_spread", spread, len(several)),
    )
    return Measured(facts) + _reliability(several)


def _reliability(ratings: Floats) -> Measured:
    """Split-half reliability of the mean rating, stepped up by Spearman and Brown, over all ways to part the raters."""
    raters = ratings.shape[1]
    found = []
    for half in itertools.islice(itertools.combinations(range(raters), raters // 2), _MOST_HALVES):
        rest = [rater for rater in range(raters) if rater not in half]
        both = np.isfinite(ratings[:, half]).any(axis=1) & np.isfinite(ratings[:, rest]).any(axis=1)
        if both.sum() >= 3:
            r = correlation(np.nanmean(ratings[both][:, half], axis=1), np.nanmean(ratings[both][:, rest], axis=1))
            found.append(_stepped_up(r, len(half), len(rest)))
    if not found:
        names = "dataset.rater_reliability dataset.score_ceiling"
        return Measured(unknown=unknown(names, "fewer than three rows have two raters"))
    reliability = min(1.0, max(0.0, float(np.mean(found))))
    text = f"{len(found)} ways to part {raters} raters"
    return Measured(
        (
            measured("dataset.rater_reliability", reliability, len(ratings), (text,)),
            measured("dataset.score_ceiling", math.sqrt(reliability), len(ratings), (text,)),
        )
    )


def _stepped_up(r: float, one: int, other: int) -> float:
    """Return the reliability of all raters from the correlation of two halves, which may differ in size by one.

    With single-rater reliability q, r = sqrt(R(one) R(other)) where R(k) = kq / (1 + (k - 1) q); q is found by halving.
    """
    if r <= 0:
        return 0.0

    def of(k: int, q: float) -> float:
        return k * q / (1 + (k - 1) * q)

    low, high = 0.0, 1.0
    for _ in range(40):
        q = (low + high) / 2
        low, high = (q, high) if math.sqrt(of(one, q) * of(other, q)) < r else (low, q)
    return of(one + other, (low + high) / 2)
