"""Scores answers of which any number may be true: numpy only, and it reads and writes no file.

Labels are `(clips, tags)` of zeros and ones, answers `(clips, tags)` shares between 0 and 1. Higher is better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SAID_FROM = 0.5
"""A tag is said from this share on: it is then more likely true than not, which is what its loss was asked for."""


def average_precision(labels: ArrayLike, shares: ArrayLike) -> float:
    """Return the mean precision at each clip that has the tag, from the highest share down; NaN where none has it.

    Clips of one share count at the place of the last of them, so that an order among equals gains nothing.

    Args:
        labels: (clips,) zeros and ones.
        shares: (clips,).
    """
    truth, given = np.asarray(labels, dtype=bool), np.asarray(shares, dtype=np.float64)
    if not truth.any():
        return float("nan")
    order = np.argsort(-given, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.append(np.flatnonzero(np.diff(given[order])), len(given) - 1)  # last clip of each share
    gained = np.diff(hits[ends], prepend=0)
    return float((gained * hits[ends] / (ends + 1)).sum() / hits[-1])


def each_average_precision(labels: ArrayLike, shares: ArrayLike) -> NDArray[np.float64]:
    """Return (tags,): the average precision of each; NaN for a tag that no clip has."""
    truth, given = _columns(labels, shares)
    return np.array([average_precision(truth[:, tag], given[:, tag]) for tag in range(truth.shape[1])])


def mean_average_precision(labels: ArrayLike, shares: ArrayLike) -> float:
    """Return the mean over the tags that some clip has; the share of their clips is what chance reaches."""
    return _mean(each_average_precision(labels, shares))


def each_f1(labels: ArrayLike, shares: ArrayLike) -> NDArray[np.float64]:
    """Return (tags,): the F1 of each, said from a half on; NaN for a tag that no clip has and none was given."""
    truth, given = _columns(labels, shares)
    said = given >= SAID_FROM
    found = truth.sum(0) + said.sum(0)
    each: NDArray[np.float64] = np.full(len(found), np.nan)
    np.divide(2 * (truth & said).sum(0), found, out=each, where=found > 0)
    return each


def macro_f1(labels: ArrayLike, shares: ArrayLike) -> float:
    """Return the mean of them."""
    return _mean(each_f1(labels, shares))


def _mean(each: NDArray[np.float64]) -> float:
    known = each[~np.isnan(each)]
    return float(known.mean()) if len(known) else float("nan")


def _columns(labels: ArrayLike, shares: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, given = np.asarray(labels, dtype=bool), np.asarray(shares, dtype=np.float64)
    if truth.shape != given.shape or truth.ndim != 2 or not len(truth):
        raise ValueError(f"expected two arrays (clips, tags) with clips > 0, got {truth.shape} and {given.shape}")
    return truth, given
