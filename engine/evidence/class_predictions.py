"""Measures predicted classes: how many are right, which are predicted at all, and their shares. Decides nothing."""

from __future__ import annotations

import math

import numpy as np

from knowledge.records import Evidence, Measured

from .. import metrics
from .class_shares import NAMES as SHARES
from .class_shares import measure_shares
from .prediction_facts import SAMPLES, known, unknown
from .prediction_rows import Predictions
from .run.limits import Limits

NAMES = (
    *SHARES,
    "predictions.accuracy",
    "predictions.accuracy_low",
    "predictions.accuracy_high",
    "predictions.macro_f1",
    "predictions.balanced_accuracy_high_over_chance",
    "predictions.majority_prediction_share",
    "predictions.majority_prediction_excess",
    "predictions.prediction_entropy_share",
)


def measure_classes(rows: Predictions, limits: Limits) -> Measured:
    """Return the facts of predicted classes."""
    n = len(rows)
    classes = np.unique(rows.labels)
    low, high = metrics.bootstrap_interval(metrics.accuracy, rows.labels, rows.predictions, samples=SAMPLES)
    balanced = metrics.bootstrap_interval(metrics.balanced_accuracy, rows.labels, rows.predictions, samples=SAMPLES)
    named, counts = np.unique(rows.predictions, return_counts=True)
    shares = counts / n
    entropy = float(-np.sum(shares * np.log(shares)))
    numbers = {
        "accuracy": metrics.accuracy(rows.labels, rows.predictions),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": metrics.macro_f1(rows.labels, rows.predictions),
        "balanced_accuracy_high_over_chance": balanced[1] - 1 / len(classes),
        "majority_prediction_share": float(shares.max()),
        "majority_prediction_excess": float(shares.max() - np.mean(rows.labels == named[int(np.argmax(counts))])),
    }
    text = (
        f"{str(named[int(np.argmax(counts))])!r} is predicted for {counts.max()} of {n} clips; "
        f"{len(named)} of {len(classes)} classes are predicted at all"
    )
    evidence = Evidence(text, path=str(rows.path), n=n)
    measured = Measured()
    for name, value in numbers.items():
        measured += known(f"predictions.{name}", value, n, evidence)
    measured += measure_shares(rows.shares, str(rows.path), limits)
    share = "predictions.prediction_entropy_share"
    if len(classes) < 2:
        measured += unknown("the labels name one class only", share)
    else:
        measured += known(share, entropy / math.log(len(classes)), n, evidence)
    return measured
