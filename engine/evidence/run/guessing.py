"""Whether loss and accuracy together are those of a guess; needs no number of classes, and judges nothing."""

from __future__ import annotations

import math

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import Floats, RunSeries, Series
from .skill import oriented
from .statistics import smoothed, tail

_NAMES = ("run.best_guess_classes", "run.end_guess_classes")
_LOSS_NEAR = (0.95, 1.15)
"""Loss over ln K within which it is that of a guess. A constant output is a little worse than the even one where the
classes are not even, and a little better where it follows their shares."""
_AGREEMENT = (0.6, 1.5)
"""Accuracy times e^loss: 1 for an even guess among any number of classes. A model that has learned something and is not
overconfident lies well above, because the mean of the log falls behind the log of the mean."""
_MOST_SKILL = 0.15
"""Share of the way from 1/K to 1 that a guess may lie above 1/K; the limit of failure.metric-stays-at-chance."""
_MOST_CLASSES = 1000


def guessing(run: RunSeries) -> Measured:
    """Number of classes among which the best and the last evaluation guess; unknown where they do not guess.

    A guess among K classes has the loss ln K and the accuracy 1/K. That both name the same K is no accident: K is free,
    but one number has to explain two.
    """
    loss, accuracy = _aligned(run)
    if loss is None or accuracy is None:
        return unknown("validation loss and accuracy were not logged together", *_NAMES)
    smooth, shares = smoothed(loss.y), smoothed(oriented(accuracy))
    lowest = int(np.argmin(smooth))
    best = (float(smooth[lowest]), _about(shares, lowest), float(shares.max()))
    places = (best, (tail(smooth), tail(shares), tail(shares)))
    measured = Measured()
    for name, (level, share, highest) in zip(_NAMES, places, strict=True):
        classes = guess_among(level, share, highest)
        text = Evidence(f"validation loss {level:.4g}, accuracy {share:.4g}")
        measured += (
            known(name, classes, n=len(loss), evidence=[text])
            if classes
            else unknown("loss and accuracy are not those of a guess", name)
        )
    return measured


def guess_among(loss: float, accuracy: float, highest: float) -> int:
    """Return the number of classes among which a guess has this loss and this accuracy; 0 when none.

    `highest` is the accuracy that may not lie far above a guess either: a model that gets there later does not guess.
    """
    if not 0 < loss < math.log(_MOST_CLASSES) + 1:
        return 0
    classes = max(2, round(math.exp(loss)))
    near = [k for k in (classes - 1, classes, classes + 1) if k >= 2]
    fitting = [k for k in near if _LOSS_NEAR[0] <= loss / math.log(k) <= _LOSS_NEAR[1]]
    if not fitting or not _AGREEMENT[0] <= accuracy * math.exp(loss) <= _AGREEMENT[1]:
        return 0
    best = min(fitting, key=lambda k: abs(accuracy * k - 1))
    return best if (highest - 1 / best) / (1 - 1 / best) <= _MOST_SKILL else 0


def _about(shares: Floats, place: int) -> float:
    return float(np.median(shares[max(0, place - 1) : place + 2]))


def _aligned(run: RunSeries) -> tuple[Series | None, Series | None]:
    """Validation loss and accuracy at the evaluations that have both."""
    loss = run.validation_loss
    accuracy = next((one for one in run.series if one.split == "val" and is_accuracy(one.metric)), None)
    if loss is None or accuracy is None or len(loss) != len(accuracy):
        return None, None
    both = np.flatnonzero(np.isfinite(loss.y) & np.isfinite(accuracy.y))
    return (loss.take(both), accuracy.take(both)) if len(both) else (None, None)


def is_accuracy(metric: str) -> bool:
    """Whether a metric counts the right answers, or the wrong ones."""
    words = set(metric.split("_"))
    return metric in ("error_rate", "top1", "acc1") or bool(
        {"acc", "accuracy", "prec"} & words and not {"5", "top5"} & words
    )
