"""Measures what the shares that a model gives each class tell: calibration, confusion, and how its errors spread.

Reads the columns `p_CLASS` of a prediction file; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.records import Evidence, Fact, Measured, Unknown

from .. import metrics
from .run.limits import Limits

NAMES = (
    "predictions.calibration_error", "predictions.calibration_error_low", "predictions.calibration_error_high",
    "predictions.confidence_excess", "predictions.error_rank", "predictions.error_rank_low",
    "predictions.most_confused_share",
)  # fmt: skip
_SAMPLES = 400
_BINS = 15
"""Equally filled bins of confidence (Guo et al. 2017 take 15)."""
_LEAST_BIN = 10


@dataclass(frozen=True)
class Shares:
    """What a model says of labelled clips."""

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    """`(clips,)`, numbers of classes."""
    shares: NDArray[np.float64]
    """`(clips, classes)`, adding up to 1."""


def shares_of(rows: list[dict[str, Any]]) -> Shares | None:
    """Return the shares in the rows of a prediction file; None where there are none, or a label is no class of them."""
    classes = tuple(name[2:] for name in (rows[0] if rows else ()) if name and name.startswith("p_"))
    number = {name: place for place, name in enumerate(classes)}
    if len(classes) < 2 or any(row["label"] not in number for row in rows):
        return None
    try:
        values = np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])
    except (TypeError, ValueError):
        return None
    if not np.isfinite(values).all() or (values < 0).any() or (values.sum(1) <= 0).any():
        return None
    labels = np.array([number[row["label"]] for row in rows], dtype=np.int64)
    return Shares(classes, labels, values / values.sum(1, keepdims=True))


def measure_shares(found: Shares | None, path: str, limits: Limits) -> Measured:
    """Return calibration, confusion and the spread of errors."""
    if found is None:
        return _unknown("the predictions hold no share of each class", *NAMES)
    return (
        _calibration(found, path)
        + _errors(found, path, int(limits.ranked_classes))
        + _confusion(found, path, int(limits.class_clips))
    )


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the mean distance of confidence and accuracy over equally filled bins (Naeini et al. 2015)."""
    order = np.argsort(confidence, kind="stable")
    bins = np.array_split(order, max(min(_BINS, len(order) // _LEAST_BIN), 1))
    gaps = [abs(float(confidence[part].mean() - right[part].mean())) * len(part) for part in bins if len(part)]
    return sum(gaps) / len(order)


def error_rank(labels: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the label of each wrongly answered clip stands among the classes that were not named `(errors,)`.

    0 is the runner-up, 1 the last; 0.5 on average where the label could be any class, as one that is wrong is.
    """
    place = (-shares).argsort(1, kind="stable").argsort(1, kind="stable")[np.arange(len(labels)), labels]
    wrong = place > 0
    ranks: NDArray[np.float64] = (place[wrong] - 1) / max(shares.shape[1] - 2, 1)
    return ranks


def _calibration(found: Shares, path: str) -> Measured:
    confidence = found.shares.max(1)
    right = (found.shares.argmax(1) == found.labels).astype(np.float64)
    value, n = calibration_error(confidence, right), len(right)
    low, high = metrics.bootstrap_interval(calibration_error, confidence, right, samples=_SAMPLES)
    text = (
        f"mean confidence {confidence.mean():.3f}, accuracy {right.mean():.3f}; expected calibration error {value:.3f}"
    )
    evidence = Evidence(f"{text} [{low:.3f}, {high:.3f}]", path=path, n=n)
    numbers = (value, low, high, float(confidence.mean() - right.mean()))
    return Measured(
        tuple(
            Fact(name, number, "predictions", n=n, evidence=(evidence,))
            for name, number in zip(NAMES[:4], numbers, strict=True)
        )
    )


def _errors(found: Shares, path: str, fewest: int) -> Measured:
    if len(found.classes) < fewest:
        return _unknown(f"there are fewer than {fewest} classes", *NAMES[4:6])
    ranks = error_rank(found.labels, found.shares)
    if len(ranks) < 2:
        return _unknown("hardly any clip is answered wrong", *NAMES[4:6])
    low, high = metrics.bootstrap_interval(lambda values: float(np.mean(values)), ranks, samples=_SAMPLES)
    text = (
        f"over {len(ranks)} wrong answers the label stands at {ranks.mean():.2f} [{low:.2f}, {high:.2f}] of the other"
    )
    evidence = Evidence(f"{text} classes; 0 is the runner-up, 0.5 is anywhere", path=path, n=len(ranks))
    return Measured(
        tuple(
            Fact(name, value, "predictions", n=len(ranks), evidence=(evidence,))
            for name, value in zip(NAMES[4:6], (float(ranks.mean()), low), strict=True)
        )
    )


def _confusion(found: Shares, path: str, fewest: int) -> Measured:
    size = len(found.classes)
    table = np.zeros((size, size))
    np.add.at(table, (found.labels, found.shares.argmax(1)), 1)
    counts = table.sum(1)
    usual = np.flatnonzero(counts >= fewest)
    if not len(usual):
        return _unknown(f"no class has {fewest} clips", NAMES[6])
    shares = table[usual] / counts[usual, None]
    shares[np.arange(len(usual)), usual] = 0.0
    worst = np.argsort(-shares, axis=None)[:3]
    named = [(usual[place // size], place % size, shares.flat[place]) for place in worst if shares.flat[place] > 0]
    evidence = tuple(
        Evidence(
            f"{share:.0%} of {found.classes[own]} are answered {found.classes[other]}", path=path, n=int(counts[own])
        )
        for own, other, share in named
    )
    value = float(shares.max())
    return Measured((Fact(NAMES[6], value, "predictions", n=int(counts[usual].min()), evidence=evidence),))


def _unknown(reason: str, *names: str) -> Measured:
    return Measured(unknown=tuple(Unknown(name, reason) for name in names))
