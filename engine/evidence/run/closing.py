"""Which way each curve goes at its end, with the interval that its own noise leaves; judges nothing.

One line through the second half holds for five evaluations as for five hundred, for a loss that crosses 0 and for a
score in per cent: what a quarter of the run brings is told as a share of all that was gained.
"""

from __future__ import annotations

import math

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import Floats, RunSeries, Series
from .skill import oriented
from .statistics import noise, rounding, smoothed

_FEWEST = 5
_HALF = 4
"""Points at least through which the line goes: with three the noise about it is a guess."""
_BLOCKS = 16
"""Stretches of the second half that stand for it: neighbours of a finely logged curve err together."""
_MOST = 1e3
_Z = 1.6449
"""Normal quantile of 95 %: each end of the interval is passed by one curve in twenty."""


def closing(run: RunSeries) -> Measured:
    """Gain of a quarter of the run by the line through its second half, with its interval, for each curve."""
    measured = Measured()
    for side, series in (("validation", run.validation_loss), ("metric", run.metric), ("train", run.train_course)):
        measured += _side(side, series.finite() if series else None)
    return measured


def _side(side: str, series: Series | None) -> Measured:
    names = tuple(f"run.{side}_closing{end}" for end in ("", "_low", "_high"))
    clear = f"run.{side}_gain_over_noise"
    if series is None or len(series) < _FEWEST:
        return unknown(f"fewer than {_FEWEST} values of the curve were logged", *names, clear)
    values, rounded = _turned(series.thin)
    gained = float(smoothed(values).max() - values[0])
    if gained <= 0:
        return unknown("nothing was gained over the run", *names, clear)
    slope, error = _line(_blocks(values[-max(_HALF, math.ceil(len(values) / 2)) :]))
    shares = [(slope + end * error) * len(values) / 4 / gained for end in (0, -1, 1)]
    text = Evidence(
        f"{series.name}: a quarter of the run brings {shares[0]:.1%} of all that was gained by the line through the "
        f"second half ({shares[1]:.1%} to {shares[2]:.1%})"
    )
    measured = Measured()
    for name, share in zip(names, shares, strict=True):
        measured += known(name, float(np.clip(share, -_MOST, _MOST)), n=len(series), evidence=[text])
    spread = max(noise(values), rounded, 1e-9)
    return measured + known(clear, min(_MOST, gained / spread), n=len(series), evidence=[text])


def _turned(series: Series) -> tuple[Floats, float]:
    """Values turned so that higher is better, by their logarithm where they are above 0, and what rounding did."""
    if series.better == "higher":
        return oriented(series), rounding(series.y)
    if series.y.min() > 0:
        return -np.log(series.y), rounding(series.y) / float(np.median(series.y))
    return -series.y, rounding(series.y)


def _blocks(values: Floats) -> Floats:
    """Medians of stretches, with the number of values each stands for; the values themselves where they are few."""
    if len(values) <= _BLOCKS:
        return np.column_stack([np.arange(len(values), dtype=np.float64), values])
    parts = np.array_split(np.arange(len(values)), _BLOCKS)
    return np.array([[float(part.mean()), float(np.median(values[part]))] for part in parts])


def _line(points: Floats) -> tuple[float, float]:
    """Slope of the straight line through the points `(points, 2)`, and half of its 90 % interval by Student's t."""
    x, y = points[:, 0] - points[:, 0].mean(), points[:, 1] - points[:, 1].mean()
    across = float(x @ x)
    slope = float(x @ y) / across
    free = len(points) - 2
    left = y - slope * x
    return slope, _student(free) * math.sqrt(float(left @ left) / free / across)


def _student(free: int) -> float:
    """95 % quantile of Student's t, by its expansion about the normal one (Abramowitz and Stegun 26.7.5)."""
    z = _Z
    return z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
