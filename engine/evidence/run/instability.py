"""Whether a run was thrown back and recovered, and whether a loss moves against its own error; judges nothing."""

from __future__ import annotations

import math

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, point, unknown
from .series import Floats, RunSeries, Series
from .statistics import kendall, running_median, tail, thinned

_EXCURSIONS = ("run.early_excursion", "run.late_excursion", "run.train_end_over_highest")
_HELD = 3
"""Records in a row that a rise has to last; a single one is a spike."""
_HALF = 0.5


def excursions(run: RunSeries) -> Measured:
    """Highest rise of the training loss above what it had come down to, as a factor, in each half of the run."""
    train = run.train_loss.finite() if run.train_loss else None
    if train is None or len(train) < 2:
        return unknown("no training loss was logged", *_EXCURSIONS)
    if train.y.min() <= 0:
        return unknown("the training loss is not always above 0", *_EXCURSIONS)
    level = running_median(np.log(train.thin.y), _HELD)
    above = level - np.minimum.accumulate(level)
    half = math.ceil(_HALF * len(above))
    measured = Measured()
    halves = ((_EXCURSIONS[0], 0, above[:half]), (_EXCURSIONS[1], half, above[half:]))
    for name, begin, part in halves:
        at = begin + int(np.argmax(part)) if len(part) else 0
        text = f"training loss about {math.exp(level[at]):.4g} after {math.exp(level[: at + 1].min()):.4g}"
        value = math.exp(min(20.0, float(part.max()))) if len(part) else 1.0
        measured += known(name, value, n=len(train), evidence=[Evidence(text)])
    return measured + _recovered(level, train)


def _recovered(level: Floats, train: Series) -> Measured:
    """End of the training loss over its highest point; far below 1 when the run came back."""
    return known(_EXCURSIONS[2], math.exp(tail(level) - float(level.max())), n=len(train))


def mislabelled(run: RunSeries) -> Measured:
    """Kendall's tau between the training loss and a training error that it has to move with.

    At -1 the column that is headed `loss` rises as the error falls: rows were written under the header of another run.
    """
    name, loss = "run.loss_against_error", run.get("train/loss")
    errors = [one for one in run.series if one.split == "train" and one.metric != "loss" and _is_error(one)]
    alike = [one for one in errors if loss is not None and one.beside(loss)]
    if loss is None or not alike:
        return unknown("no training error was logged beside the training loss", name)
    both = np.isfinite(loss.y) & np.isfinite(alike[0].y)
    left, right = thinned(loss.y[both], 200), thinned(alike[0].y[both], 200)
    evidence = [point(loss, 0), point(loss, -1), point(alike[0], 0), point(alike[0], -1)]
    return known(name, kendall(left, right), n=int(both.sum()), evidence=evidence)


def _is_error(series: Series) -> bool:
    return series.better == "lower" and "loss" not in series.metric
