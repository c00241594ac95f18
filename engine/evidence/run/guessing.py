"""Whether loss and accuracy together are those of a guess; needs no number of classes, and judges nothing."""

from __future__ import annotations

import math

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import Floats, RunSeries, Series
from .skill import oriented
from .statistics import smoothed, tail

_PLACES = ("best", "end")
_FACTS = ("guess_classes", "loss_over_guess", "accuracy_over_guess", "skill_over_guess")
_MOST_CLASSES = 1000


def guessing(run: RunSeries) -> Measured:
    """How near loss and accuracy are to those of a guess, at the best and the last evaluation.

    A guess among K classes has the loss ln K and the accuracy 1/K. That both name the same K is no accident: K is free,
    but one number has to explain two.
    """
    names = [f"run.{place}_{fact}" for place in _PLACES for fact in _FACTS]
    loss, accuracy = _aligned(run)
    if loss is None or accuracy is None:
        return unknown("validation loss and accuracy were not logged together", *names)
    smooth, shares = smoothed(loss.y), smoothed(oriented(accuracy))
    lowest = int(np.argmin(smooth))
    best = (float(smooth[lowest]), _about(shares, lowest), float(shares.max()))
    measured = Measured()
    for place, (level, share, highest) in zip(_PLACES, (best, (tail(smooth), tail(shares), tail(shares))), strict=True):
        found = against_guess(level, share, highest)
        text = Evidence(f"validation loss {level:.4g}, accuracy {share:.4g}")
        for fact, value in zip(_FACTS, found or (), strict=bool(found)):
            measured += known(f"run.{place}_{fact}", value, n=len(loss), evidence=[text])
        if not found:
            reason = f"a loss of {level:.4g} is that of no guess among 2 to {_MOST_CLASSES} classes"
            measured += unknown(reason, *(f"run.{place}_{fact}" for fact in _FACTS))
    return measured


def against_guess(loss: float, accuracy: float, highest: float) -> tuple[int, float, float, float] | None:
    """Return the number of classes whose guess comes nearest to both, and how far each is from it; None without one.

    Loss over ln K; accuracy times e^loss, which is 1 for an even guess among any number of classes; the share of the
    way from 1/K to 1 that `highest` lies above a guess: a model that gets far above it later does not guess.
    """
    if not 0 < loss < math.log(_MOST_CLASSES) + 1 or not accuracy > 0:
        return None
    nearest = max(2, round(math.exp(loss)))
    near = [k for k in (nearest - 1, nearest, nearest + 1) if k >= 2]
    classes = min(near, key=lambda k: abs(math.log(loss / math.log(k))) + abs(math.log(accuracy * k)))
    chance = 1 / classes
    return classes, loss / math.log(classes), accuracy * math.exp(loss), (highest - chance) / (1 - chance)


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
