"""Spikes of the losses and the size of the gradients."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from knowledge.records import Measured

from .limits import Limits, package_limits
from .measuring import known, point, unknown
from .series import Floats, RunSeries, Series
from .statistics import beside, deviation, head, smoothed, thinned
from .thinning import lengths

Flags = NDArray[np.bool_]

_SPIKES = ("run.spikes", "run.spikes_per_thousand", "run.longest_spike")
_NEIGHBOURS = 15
"""Points before and after that a training loss is compared with."""
_LONG = 20_000
"""Points from which on only candidates are looked at."""
_SAMPLE = 5_000
"""Points that tell the spread of such a log; more of them move it by less than a hundredth."""
_NEARLY = 0.35
"""What is left of a logarithmic height when a point is compared with its whole stretch: a stretch of a thousandth of
the run is nowhere a third away from its own median once the first 2 % are over."""
_NEAR_EVALUATIONS = 3


def spikes(run: RunSeries, limits: Limits | None = None) -> Measured:
    """Count training losses that stand out of their neighbourhood and are some times its level."""
    limits = limits or package_limits()
    train = run.train_loss.finite() if run.train_loss else None
    measured = _spikes(train, limits) if train else unknown("no training loss was logged", *_SPIKES)
    return measured + _evaluation_spikes(run, limits)


def _spikes(train: Series, limits: Limits) -> Measured:
    if len(train) < 3 or train.y.min() <= 0:
        return unknown("the training loss is not always above 0", *_SPIKES)
    outside = _standing_out(np.log(train.y), limits)
    outside[: math.ceil(limits.spike_progress * len(train))] = False
    found = np.flatnonzero(outside)
    outside[found[~_to_be_seen(train, found, limits)]] = False
    found = np.flatnonzero(outside)
    count, n = len(found), len(train)
    evidence = [point(train, int(position)) for position in found]
    return (
        known("run.spikes", count, n=n, evidence=evidence)
        + known("run.spikes_per_thousand", 1000 * count / n, n=n, evidence=evidence)
        + known("run.longest_spike", _longest(outside), n=n, evidence=evidence)
    )


def _to_be_seen(train: Series, found: NDArray[np.intp], limits: Limits) -> Flags:
    """Whether each of these losses takes back some of all that was learned `(found,)`.

    Near 0 a single batch of hard clips doubles the loss of its neighbours, and moves nothing.
    """
    fall = head(train) - float(np.min(smoothed(train.thin.y)))
    before = _beside(train.y, found, -_NEIGHBOURS)
    after = _beside(train.y, found, 1)
    around = np.fmax(before, after)
    flags: Flags = np.isnan(around) | (train.y[found] - around >= limits.spike_of_fall * max(0.0, fall))
    return flags


def _standing_out(values: Floats, limits: Limits) -> Flags:
    """Whether a logarithm stands out of its neighbours `(points,)`.

    In a long log only what lies high above its stretch is compared with its neighbours one by one, and the spread is
    that of every n-th point: both say the same as all of them, in a fraction of the time.
    """
    least = math.log(limits.spike_factor)
    if len(values) <= _LONG:
        excess, score = _excess(values, _NEIGHBOURS)
        return (score >= limits.spike_deviations) & (excess >= least)
    high = np.repeat(thinned(values) + least - _NEARLY, lengths(len(values)))
    every = np.arange(0, len(values), max(1, len(values) // _SAMPLE))
    around = np.fmax(_beside(values, every, -_NEIGHBOURS), _beside(values, every, 1))
    spread = max(deviation(np.where(np.isnan(around), 0.0, values[every] - around)), 1e-9)
    found = np.flatnonzero(values > high)
    for first in (-_NEIGHBOURS, 1):  # what does not stand above its past need not be held against its future
        above = values[found] - _beside(values, found, first)
        found = found[np.isnan(above) | ((above >= least) & (above >= limits.spike_deviations * spread))]
    flags = np.zeros(len(values), dtype=np.bool_)
    flags[found] = True
    return flags


def _beside(values: Floats, places: NDArray[np.intp], first: int) -> Floats:
    """Median of the neighbours of each place from `first` on; NaN where they reach over an end of the log."""
    inside = (places + first >= 0) & (places + first + _NEIGHBOURS <= len(values))
    middles = np.full(len(places), np.nan)
    rows = places[inside, None] + np.arange(first, first + _NEIGHBOURS)
    middles[inside] = np.partition(values[rows], _NEIGHBOURS // 2, axis=1)[:, _NEIGHBOURS // 2]
    return middles


def _evaluation_spikes(run: RunSeries, limits: Limits) -> Measured:
    """Count evaluations that are much worse than the ones before and after."""
    name, chosen = "run.evaluation_spikes", run.metric or run.validation_loss
    series = chosen.finite() if chosen else None
    if series is None or len(series) < 3:
        return unknown("no evaluations were logged", name)
    values = series.y if series.better == "lower" else -series.y
    excess, score = _excess(values, _NEAR_EVALUATIONS)
    outside = (score >= limits.spike_deviations) & (excess >= limits.evaluation_excess * np.abs(values - excess))
    outside[: math.ceil(limits.evaluation_progress * len(series))] = False
    evidence = [point(series, int(position)) for position in np.flatnonzero(outside)]
    return known(name, len(evidence), n=len(series), evidence=evidence)


def _excess(values: Floats, reach: int) -> tuple[Floats, Floats]:
    """How far each point lies above what is before and what is after it, and that as a robust z `(points,)`.

    A fall, a step and the first and last point stand above one side only, and are no spikes.
    """
    before, after = beside(values, reach)
    around = np.fmax(before, after)
    around[[0, -1]] = values[[0, -1]]
    spread = max(deviation(values - around), 1e-9)
    return values - around, (values - around) / spread


def _longest(flags: Flags) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _largest(values: Floats, count: int) -> NDArray[np.intp]:
    """Positions of the largest values, the largest first."""
    found = np.argpartition(values, -min(count, len(values)))[-count:]
    return found[np.argsort(-values[found])]


_GRADIENT = (
    "run.gradient_norm_p50",
    "run.gradient_norm_p90",
    "run.gradient_norm_p99_over_p50",
    "run.clipped_share",
)


_STRETCH = 0.05
"""Share of a run in which norms are compared with each other: they fall as a model fits, and its first steps are large
without any being odd."""
_SHORTEST_STRETCH = 10


def _usual(norm: Floats) -> Floats:
    """Return what a norm is compared with at each step `(steps,)`: the run's median, or its stretch's where that is
    larger in the first half. Norms that grow late are not excused by their like.
    """
    stretches = min(round(1 / _STRETCH), max(len(norm) // _SHORTEST_STRETCH, 1))
    parts, middle = np.array_split(norm, stretches), float(np.median(norm))
    early = (
        max(middle, float(np.median(part))) if 2 * place < stretches else middle for place, part in enumerate(parts)
    )
    return np.repeat(list(early), [len(part) for part in parts])


def gradients(run: RunSeries) -> Measured:
    """Quantiles of the gradient norm before clipping, and how often the plan's limit cut it."""
    norm = run.gradient_norm.finite() if run.gradient_norm else None
    if norm is None or not len(norm):
        return unknown("no gradient norm was logged", *_GRADIENT)
    p50, p90 = (float(value) for value in np.quantile(norm.y, [0.5, 0.9]))
    evidence = [point(norm, int(position)) for position in _largest(norm.y, 3)]
    measured = known("run.gradient_norm_p50", p50, n=len(norm), evidence=evidence)
    measured += known("run.gradient_norm_p90", p90, n=len(norm), evidence=evidence)
    ratio = "run.gradient_norm_p99_over_p50"
    usual = _usual(norm.y)
    if p50 > 0:
        measured += known(ratio, float(np.quantile(norm.y / usual, 0.99)), n=len(norm), evidence=evidence)
    else:
        measured += unknown("it is mostly 0", ratio)
    limit = run.plan.training.clip_norm if run.plan else 0
    if not limit:
        return measured + unknown("the plan clips no gradient, or is not known", "run.clipped_share")
    return measured + known("run.clipped_share", float(np.mean(norm.y > limit)), n=len(norm), evidence=evidence)
