"""What leakage costs in the user's own numbers: a small probe, scored on random folds and on folds of groups."""

from __future__ import annotations

import numpy as np

from knowledge.records import Measured

from ..coded import different
from ..counting import measured, unknown
from ..records import TaskType
from .gather import Floats, Integers, Probed
from .linear import balanced_accuracy, correlation, discriminant, grouped_folds, random_folds, ridge, standardised
from .minimums import Minimums

LEAKAGE = "dataset.random_fold_score dataset.grouped_fold_score dataset.leakage_gain"


def measure_leakage(probed: Probed, task: TaskType | None, least: Minimums) -> Measured:
    """Return the score of the probe both ways: balanced accuracy of classes, correlation of scores."""
    reason = _why_not(probed, least)
    if reason:
        return Measured(unknown=unknown(LEAKAGE, reason))
    features = standardised(probed.cepstra)
    apart = random_folds(np.arange(len(probed)))
    together = grouped_folds(probed.units)
    random, grouped = (_score(probed, task, features, folds) for folds in (apart, together))
    kind = "correlation" if task == "regression" else "balanced accuracy"
    text = f"{kind} of a linear probe on cepstra: {random:.3f} on random folds, {grouped:.3f} on folds of whole groups"
    n = len(probed)
    return Measured(
        (
            measured("dataset.random_fold_score", random, n, (text,)),
            measured("dataset.grouped_fold_score", grouped, n, (text,)),
            measured("dataset.leakage_gain", random - grouped, n, (text,)),
        )
    )


def _why_not(probed: Probed, least: Minimums) -> str:
    if not probed.cepstra.shape[1]:
        return "the scan holds no cepstra"
    if not probed.grouped:
        return "no group column"
    if len(different(probed.units)) < least.class_groups:
        return f"fewer than {least.class_groups} groups that can be parted"
    if len(probed.names) < 2:
        return "all labels are alike"
    if len(probed) < least.class_clips * len(probed.names):
        return f"fewer than {least.class_clips} clips a class on average"
    return ""


def _score(probed: Probed, task: TaskType | None, features: Floats, folds: Integers) -> float:
    if task == "regression":
        return correlation(ridge(features, probed.scores[:, None], folds)[:, 0], probed.scores)
    return balanced_accuracy(probed.codes, discriminant(features, probed.codes, folds).argmax(axis=1))
