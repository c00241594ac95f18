"""What the task metric says: how far above a guess, how constant, and whether the loss picks the same checkpoint."""

from __future__ import annotations

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, point, unknown
from .series import Floats, RunSeries, Series
from .statistics import detrended, deviation, smoothed, tail

_CORRELATIONS = ("ccc", "pearson", "spearman", "kappa", "mcc", "r2")
_SKILL = ("run.skill", "run.best_skill", "run.metric_error_reduction")


def oriented(series: Series) -> Floats:
    """Values `(points,)` turned so that higher is better; percentages become fractions."""
    values = series.y / 100 if np.nanmax(np.abs(series.y)) > 2 else series.y
    return values if series.better == "higher" else 1 - values


def skill(run: RunSeries) -> Measured:
    """Share of the way from a guess to a perfect score, at the end and at its best."""
    metric = run.metric.finite() if run.metric else None
    if metric is None or not len(metric):
        return unknown("no task metric was logged", *_SKILL)
    if metric.metric in ("mae", "mse", "rmse", "perplexity"):
        return unknown(f"{metric.metric} has no fixed scale", *_SKILL)
    values = oriented(metric)
    start, best = max(0.0, 1 - float(values[0])), max(0.0, 1 - float(values.max()))
    evidence = [point(metric, 0), point(metric, int(np.argmax(values))), point(metric, len(metric) - 1)]
    measured = (
        known("run.metric_error_reduction", (start - best) / start, n=len(metric), evidence=evidence)
        if start > 0
        else unknown("the first score is perfect", "run.metric_error_reduction")
    )
    chance = _chance(run, metric)
    if chance is None:
        return measured + unknown(f"the {metric.metric} of a guess is not known", "run.skill", "run.best_skill")
    ends = {"run.skill": tail(smoothed(values)), "run.best_skill": float(values.max())}
    for name, value in ends.items():
        share = max(-1.0, (value - chance) / (1 - chance))
        measured += known(name, share, n=len(metric), evidence=evidence)
    return measured


def _chance(run: RunSeries, metric: Series) -> float | None:
    """The oriented metric of a guess; a word error rate of 1 is as good as silence."""
    if metric.metric in _CORRELATIONS or metric.metric in ("wer", "cer", "per"):
        return 0.0
    if run.meta.chance is not None and metric.metric == run.meta.selected_by and run.meta.chance < 1:
        return run.meta.chance if metric.better == "higher" else 1 - run.meta.chance
    if run.meta.classes and run.meta.classes > 1:
        return 1 / run.meta.classes
    return None


_CONSTANT = ("run.constant_metric_evaluations", "run.constant_metric_share")


def constancy(run: RunSeries) -> Measured:
    """Longest stretch of evaluations in which the metric keeps the same four digits."""
    metric = run.metric.finite() if run.metric else None
    if metric is None or not len(metric):
        return unknown("no task metric was logged", *_CONSTANT)
    shown = [f"{value:.3e}" for value in metric.values]
    best_start, best_length, start = 0, 1, 0
    for position in range(1, len(shown) + 1):
        if position == len(shown) or shown[position] != shown[start]:
            if position - start > best_length:
                best_start, best_length = start, position - start
            start = position
    evidence = [point(metric, best_start), point(metric, best_start + best_length - 1)]
    return known("run.constant_metric_evaluations", best_length, n=len(metric), evidence=evidence) + known(
        "run.constant_metric_share", best_length / len(metric), n=len(metric), evidence=evidence
    )


def regret(run: RunSeries) -> Measured:
    """Share of the metric's range that is lost by keeping the checkpoint of the lowest loss."""
    loss, metric = run.validation_loss, run.metric
    if loss is None or metric is None or loss.steps != metric.steps:
        return unknown("validation loss and task metric were not logged together", "run.loss_pick_regret")
    usable = np.isfinite(loss.y) & np.isfinite(metric.y)
    if not usable.any():
        return unknown("validation loss and task metric are never both numbers", "run.loss_pick_regret")
    kept = metric.take(np.flatnonzero(usable))
    values, pick = oriented(kept), int(np.argmin(loss.y[usable]))
    span = float(np.ptp(values))
    best = int(np.argmax(values))
    evidence = [point(kept, pick), point(kept, best), Evidence(f"lowest validation loss at {kept.place(pick)}")]
    share = (float(values[best]) - float(values[pick])) / span if span > 0 else 0.0
    return known("run.loss_pick_regret", share, n=len(kept), evidence=evidence)


_NOISE = ("run.validation_noise", "run.validation_noise_share", "run.last_below_end_over_noise")


def wobble(run: RunSeries) -> Measured:
    """How much evaluations jump about their course in the second half; alone, against its range, and the last one.

    Measured on the task metric, or on the validation loss where there is none: in points of a score that ends at 1,
    relative for losses and error rates.
    """
    chosen = run.metric or run.validation_loss
    series = chosen.finite() if chosen else None
    if series is None or len(series) < 4:
        return unknown("fewer than 4 evaluations were logged", *_NOISE)
    if series.better == "lower" and series.y.min() <= 0:
        return unknown(f"{series.metric} reaches 0, so it has no relative noise", *_NOISE)
    values = -np.log(series.y) if series.better == "lower" else oriented(series)
    half = values[len(values) // 2 :]
    spread, span = deviation(detrended(half)), float(np.ptp(smoothed(values)[len(values) // 2 :]))
    short = max(0.0, tail(smoothed(values)) - float(values[-1]))
    evidence = [point(series, int(np.argmax(values))), point(series, len(series) - 1)]
    numbers = spread, _ratio(spread, span), _ratio(short, spread)
    measured = Measured()
    for name, value in zip(_NOISE, numbers, strict=True):
        measured += known(name, value, n=len(series), evidence=evidence)
    return measured


def _ratio(part: float, whole: float) -> float:
    """Their ratio, at most 100, where the whole may be 0."""
    return 0.0 if part == 0 else min(100.0, part / whole) if whole > 0 else 100.0
