"""Whether the losses can be believed: training against validation loss in scale, validation loss against chance."""

from __future__ import annotations

import math

import numpy as np

from knowledge.records import Evidence, Measured

from .guessing import is_accuracy
from .measuring import known, point, unknown
from .series import RunSeries, Series
from .skill import oriented
from .statistics import tail

_SCALE = ("run.train_over_validation", "run.train_over_validation_spread", "run.train_over_validation_at_start")


def scale(run: RunSeries) -> Measured:
    """Ratio of training to validation loss at the evaluations: median, spread of its logarithm, and at the start."""
    loss, train = run.validation_loss, run.train_at_evaluations
    if loss is None or train is None:
        return unknown("training and validation loss were not both logged", *_SCALE)
    usable = np.isfinite(loss.y) & np.isfinite(train) & (loss.y > 0) & (train > 0)
    if not usable.any():
        return unknown("training and validation loss are never both above 0", *_SCALE)
    ratios = np.log(train[usable] / loss.y[usable])
    middle, count = float(np.median(ratios)), int(usable.sum())
    pairs = [
        Evidence(
            f"{loss.place(int(i))}: training {train[i]:.4g}, validation {loss.y[i]:.4g}", step=int(loss.at[int(i)])
        )
        for i in np.flatnonzero(usable)[[0, count // 2, -1]]
    ]
    return (
        known("run.train_over_validation", math.exp(middle), n=count, evidence=pairs)
        + known("run.train_over_validation_spread", float(ratios.std()), n=count)
        + known("run.train_over_validation_at_start", math.exp(float(np.median(ratios[:3]))), n=count)
    )


_CHANCE = ("run.validation_loss_spread", "run.validation_loss_from_chance", "run.loss_over_accuracy")


def against_chance(run: RunSeries) -> Measured:
    """Spread of the validation loss, and its distance from the loss of a guess: ln K, or ln 2 for a binary loss."""
    loss = run.validation_loss.finite() if run.validation_loss else None
    if loss is None or len(loss) < 2:
        return unknown("no validation loss was logged", *_CHANCE)
    if run.meta.task == "regression":
        return unknown("the loss of a regression has no value for a guess", *_CHANCE)
    middle = float(np.median(loss.y))
    if middle <= 0:
        return unknown("the validation loss is not above 0", *_CHANCE)
    guesses = {2, run.meta.classes} if run.meta.classes and run.meta.classes > 1 else {2}
    nearest = min(guesses, key=lambda classes: abs(middle - math.log(classes)))
    distance = abs(middle - math.log(nearest)) / math.log(nearest)
    evidence = [point(loss, int(np.argmin(loss.y))), point(loss, int(np.argmax(loss.y)))]
    text = Evidence(f"median validation loss {middle:.4g}; a guess among {nearest} has {math.log(nearest):.4g}")
    spread = float(np.ptp(loss.y)) / middle
    return (
        known("run.validation_loss_spread", spread, n=len(loss), evidence=evidence)
        + known("run.validation_loss_from_chance", distance, n=len(loss), evidence=[text])
        + _over_accuracy(run, loss)
    )


def _over_accuracy(run: RunSeries, loss: Series) -> Measured:
    """Validation loss at the end over −ln of the accuracy, the loss of a model that is as sure as it is right."""
    name = "run.loss_over_accuracy"
    accuracy = next((one.finite() for one in run.series if one.split == "val" and is_accuracy(one.metric)), None)
    share = tail(oriented(accuracy)) if accuracy is not None and len(accuracy) else 0.0
    if accuracy is None or not 0 < share < 1:
        return unknown("no accuracy between 0 and 1 was logged", name)
    text = f"validation loss {tail(loss.y):.4g} at an accuracy of {share:.4g}"
    return known(name, tail(loss.y) / -math.log(share), n=len(loss), evidence=[Evidence(text)])
