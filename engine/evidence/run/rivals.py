"""What the coded defaults of other tools say of the same curves, to stand beside our own rules; used by nothing else.

Each is the rule as its source has it, not a rule of ours with their name on it: the files are named, and where a tool
asks for what no log holds (tensors, gradients of single layers), its rule is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .series import Floats, RunSeries

Rule = Callable[[Floats, Floats], bool]
"""From training and validation loss `(evaluations,)` to whether the tool reports it."""


def umlaut_overfitting(train: Floats, val: Floats) -> bool:
    """One evaluation with the validation loss up and the training loss not up (umlaut/heuristics.py)."""
    return bool(np.any((np.diff(val) > 0) & (np.diff(train) <= 0)))


def sagemaker_overfitting(train: Floats, val: Floats) -> bool:
    """(val - train) / train above 0.1 at one evaluation, from the first on (rule Overfit, ratio_threshold 0.1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return bool(np.any((val - train) / train > 0.1))


def epochix_overfitting(train: Floats, val: Floats) -> bool:
    """Twice in a row validation up and training down; withdrawn at a new lowest (story_engine/warnings.py)."""
    standing, ups, lowest = False, 0, float("inf")
    for position, value in enumerate(val):
        if position:
            worse = value > val[position - 1] and train[position] < train[position - 1]
            ups = ups + 1 if worse else 0
            standing = standing or ups >= 2
        if value < lowest:
            lowest, standing, ups = float(value), False, 0
    return standing


def lightning_overfitting(train: Floats, val: Floats) -> bool:  # noqa: ARG001 - rules share one form
    """Three evaluations in a row without a new lowest validation loss (EarlyStopping, patience 3)."""
    waited, best = 0, np.inf
    for value in val:
        waited, best = (0, value) if value < best else (waited + 1, best)
        if waited >= 3:
            return True
    return False


def epochix_divergence(train: Floats, val: Floats) -> bool:  # noqa: ARG001
    """NaN, ten times the loss before, or ten times the best (story_engine/warnings.py)."""
    if not np.all(np.isfinite(train)):
        return True
    best = np.inf
    for before, now in pairwise(train):
        best = min(best, before)
        if now > 10 * before or now > 10 * best:
            return True
    return False


def epochix_plateau(train: Floats, val: Floats) -> bool:  # noqa: ARG001
    """The last five readings span less than 1 % (story_engine/warnings.py)."""
    last = val[-5:]
    return len(last) == 5 and bool(np.ptp(last) < 0.01 * abs(float(last.mean())))


def sagemaker_not_decreasing(train: Floats, val: Floats) -> bool:  # noqa: ARG001
    """No decrease over ten steps (rule LossNotDecreasing, num_steps 10, any decrease suffices)."""
    return len(train) > 10 and bool(np.any(train[10:] >= train[:-10]))


RIVALS: dict[str, dict[str, Rule]] = {
    "overfitting": {
        "UMLAUT": umlaut_overfitting,
        "SageMaker Debugger": sagemaker_overfitting,
        "Epochix": epochix_overfitting,
        "Lightning, patience 3": lightning_overfitting,
    },
    "divergence": {"Epochix": epochix_divergence},
    "early-plateau": {"Epochix": epochix_plateau},
    "failure-to-learn": {"SageMaker Debugger": sagemaker_not_decreasing},
}
"""By finding and tool; the nearest finding of ours where the names differ."""


def reports(rule: Rule, run: RunSeries) -> bool:
    """Apply a rule to the validation loss and the training loss at the same evaluations."""
    loss, train = run.validation_loss, run.train_at_evaluations
    return loss is not None and train is not None and len(loss) > 1 and rule(train, loss.y)
