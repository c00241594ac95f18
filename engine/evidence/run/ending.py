"""What curves tell of an end that no line records: a schedule in mid-course, an epoch begun and not evaluated."""

from __future__ import annotations

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import Floats, RunSeries, Series

_NAMES = ("run.schedule_left", "run.begun_after_last_evaluation", "run.stopped_by_patience")
_STRAIGHT = 0.999
"""Squared correlation above which a falling rate is a straight line; a cosine over its whole course has 0.95."""
_FEWEST = 10
_PATIENCES = (5, 10, 15, 20, 25, 30, 50, 100)
"""Numbers of evaluations without progress after which trainers are usually told to stop."""


def ending(run: RunSeries) -> Measured:
    """Say how much of a linear schedule was left, and whether more was begun than evaluated."""
    return _schedule_left(run) + _begun(run) + _patience(run)


def _schedule_left(run: RunSeries) -> Measured:
    """Where a straight line through the falling part of the learning rate still has to go before it reaches 0."""
    lines = [(one, line) for one in run.learning_rates if (line := _line(one.finite())) is not None]
    if not lines:
        return unknown("the learning rate does not fall along a straight line", _NAMES[0])
    rate, left = min(lines, key=lambda pair: pair[1])
    text = f"learning rate {rate.finite().y[-1]:.3g} at step {rate.at[-1]}, on a straight line toward 0"
    return known(_NAMES[0], left, n=len(rate), evidence=[Evidence(text, step=int(rate.at[-1]))])


def _line(rate: Series) -> float | None:
    if len(rate) < _FEWEST:
        return None
    x, y = rate.x, rate.y
    peak = int(np.argmax(y))
    x, y = x[peak:], y[peak:]
    if len(y) < _FEWEST or np.ptp(y) <= 0 or np.ptp(x) <= 0 or y[-1] != y.min():
        return None
    correlation = float(np.corrcoef(x, y)[0, 1])
    if correlation > 0 or correlation**2 < _STRAIGHT:
        return None
    return float(y[-1] / y[0])


def _begun(run: RunSeries) -> Measured:
    """Whether the log holds one more start of an epoch than evaluations, as after a run that was cut off."""
    loss = run.validation_loss
    rates = [one for one in run.learning_rates if loss is not None and len(one) == len(loss) + 1]
    if loss is None or not rates or len(loss) < 3:
        return unknown("the learning rate was not logged once an epoch", _NAMES[1])
    begins, ends = rates[0].at, loss.at
    each = bool(np.all(begins[:-1] <= ends) and np.all(begins[1:] >= ends))
    text = Evidence(f"epoch begun at step {begins[-1]}, last evaluation at step {ends[-1]}", step=int(begins[-1]))
    return known(_NAMES[1], each, n=len(loss), evidence=[text])


def _patience(run: RunSeries) -> Measured:
    """Whether a usual patience of evaluations passed between the best of some validation curve and the end."""
    curves = [one.finite() for one in (run.metric, run.validation_loss) if one]
    waits = [len(one) - 1 - _best(one.y, one.better == "lower") for one in curves if len(one) >= _FEWEST]
    if not waits:
        return unknown("fewer than 10 evaluations were logged", _NAMES[2])
    return known(_NAMES[2], bool(set(waits) & set(_PATIENCES)), n=max(map(len, curves)))


def _best(values: Floats, lower: bool) -> int:
    return int(np.argmin(values if lower else -values))
