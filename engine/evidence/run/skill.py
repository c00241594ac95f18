"""What the task metric says: how far above a guess, how constant, and whether the loss picks the same checkpoint."""

from __future__ import annotations

import math
import re

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, point, unknown
from .series import Floats, RunSeries, Series, is_share
from .statistics import detrended, deviation, running_median, smoothed, tail
from .words import words

_CORRELATIONS = ("ccc", "pearson", "spearman", "kappa", "mcc", "r2")
_OVERLAPS = {"jaccard", "jacard", "iou", "miou", "dice", "map", "map50", "ap", "bleu"}
"""Scores of which a guess has next to nothing."""
_OF_TEXT = ("wer", "cer", "per", "word-error-rate", "character-error-rate", "word_error_rate", "character_error_rate")
_SKILL = ("run.skill", "run.best_skill", "run.metric_error_reduction", "run.score_kept")


_MOST_DECIBELS = 200.0
"""Beyond this a number is none of a ratio of signals, and its power would be none either."""


def oriented(series: Series) -> Floats:
    """Values `(points,)` turned so that higher is better; percentages become fractions.

    Of decibels the error is the amplitude that they stand for, 1 at 0 dB: a score that ends at 1 as the others do.
    """
    if words("decibels") & set(re.split("[_-]", series.metric)):
        return 1 - np.power(10.0, -np.clip(series.y, -_MOST_DECIBELS, _MOST_DECIBELS) / 20)
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
    measured += _kept(start, best, max(0.0, 1 - tail(smoothed(values))), len(metric))
    chance = _chance(run, metric)
    if chance is None:
        return measured + unknown(f"the {metric.metric} of a guess is not known", "run.skill", "run.best_skill")
    ends = {"run.skill": tail(smoothed(values)), "run.best_skill": float(values.max())}
    top = _HALF if words("half-is-the-best") & set(metric.metric.split("_")) else 1.0
    for name, value in ends.items():
        share = min(1.0, max(-1.0, (value - chance) / (top - chance)))
        measured += known(name, share, n=len(metric), evidence=evidence)
    return measured


_HALF = 0.5


def _kept(start: float, best: float, end: float, n: int) -> Measured:
    """Share of what the score gained that it still has at the end."""
    if start <= best:
        return unknown("the score gained nothing", "run.score_kept")
    return known("run.score_kept", max(-1.0, (start - end) / (start - best)), n=n)


def _chance(run: RunSeries, metric: Series) -> float | None:
    """The oriented metric of a guess; a word error rate of 1 is as good as silence."""
    if metric.metric in _CORRELATIONS or metric.metric in _OF_TEXT:
        return 0.0
    if _OVERLAPS & set(metric.metric.split("_")):
        return 0.0
    if words("half-by-a-guess") & set(metric.metric.split("_")):
        return _HALF
    if run.meta.chance is not None and metric.metric == run.meta.selected_by and run.meta.chance < 1:
        return run.meta.chance if metric.better == "higher" else 1 - run.meta.chance
    if run.meta.classes and run.meta.classes > 1:
        return 1 / run.meta.classes
    return None


_CONSTANT = (
    "run.constant_metric_evaluations",
    "run.constant_metric_share",
    "run.constant_metric_value",
    "run.constant_at_end",
)
_DEVIATION_COSTS = 4
"""Evaluations of the same value that one of another value in between takes back: four in five are the same."""
_MOST_VALUES = 3
"""Values, by frequency, whose stretches are looked at."""


def constancy(run: RunSeries) -> Measured:
    """Longest stretch of evaluations in which four in five have the same task metric to four digits."""
    stretches = [(curve, *_stretch(curve)) for curve in scores(run)]
    if not stretches:
        return unknown("no task metric was logged", *_CONSTANT)
    metric, begin, length = max(stretches, key=lambda one: (one[2], one[0].metric == getattr(run.metric, "metric", "")))
    evidence = [point(metric, begin), point(metric, begin + length - 1)]
    frozen = float(np.median(oriented(metric)[begin : begin + length]))
    return (
        known("run.constant_metric_evaluations", length, n=len(metric), evidence=evidence)
        + known("run.constant_metric_share", length / len(metric), n=len(metric), evidence=evidence)
        + known("run.constant_metric_value", frozen, n=len(metric), evidence=evidence)
        + known("run.constant_at_end", begin + length >= 0.9 * len(metric), n=len(metric), evidence=evidence)
    )


def scores(run: RunSeries) -> list[Series]:
    """Every validation score that ends at 1, and the metric that speaks for the run."""
    found = [series.finite() for series in run.series if series.split == "val" and is_share(series.metric)]
    chosen = run.metric.finite() if run.metric else None
    every = found if chosen is None or chosen.metric in {one.metric for one in found} else [*found, chosen]
    most = max(map(len, every), default=0)
    return [one for one in every if len(one) and 2 * len(one) >= most]


def _stretch(series: Series) -> tuple[int, int]:
    """Where the longest stretch begins, and how many evaluations it has."""
    digits = np.round(series.y, 4) if is_share(series.metric) else np.array([float(f"{v:.3e}") for v in series.y])
    values, counts = np.unique(digits, return_counts=True)
    best = (0, 1)
    for value in values[np.argsort(-counts)[:_MOST_VALUES]]:
        same = digits == value
        level = np.concatenate([[0], np.cumsum(np.where(same, 1, -_DEVIATION_COSTS))])
        for begin in np.flatnonzero(same)[:_MOST_STARTS]:
            ends = np.flatnonzero((level[begin + 1 :] >= level[begin]) & same[begin:])
            best = max(best, (int(begin), int(ends[-1]) + 1), key=lambda one: one[1])
            if best[1] >= len(digits) - begin:
                break
    return best


_MOST_STARTS = 200
"""Places at which a stretch may begin that are looked at; a frozen metric freezes once."""


def regret(run: RunSeries) -> Measured:
    """Share of the metric's range that is lost by keeping the checkpoint of the lowest loss."""
    loss, metric = run.validation_loss, run.metric
    if loss is None or metric is None or not loss.beside(metric):
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


_NOISE = (
    "run.validation_noise",
    "run.validation_noise_share",
    "run.validation_noise_over_sampling",
    "run.last_below_end_over_noise",
    "run.last_shortfall",
    "run.validation_noise_late_share",
)
_FIRST_SHARE = 0.1
"""Share of the run at its start that is left out: there the course itself is too steep to jump about it."""
_AROUND = 5
"""Evaluations in the running median that stands for the course; a single jump does not move it."""
_OFTEN = 0.9
"""One evaluation in ten lies further from the course than the noise that is told."""
_TWICE = 2
"""Evaluations at least of which that is told: one jump is no noise."""


def wobble(run: RunSeries) -> Measured:
    """How far evaluations jump about their course: alone, against what was gained, against the size of the set.

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
    away = np.abs(values - running_median(values, _AROUND))[math.ceil(_FIRST_SHARE * len(values)) :]
    jumps = float(np.quantile(away, min(_OFTEN, 1 - _TWICE / len(away))))
    span = float(values.max() - values[0]) or float(np.ptp(values))
    spread = deviation(detrended(values[len(values) // 2 :]))
    short = max(0.0, tail(smoothed(values)) - float(values[-1]))
    evidence = [point(series, int(np.argmax(values))), point(series, len(series) - 1)]
    late = float(np.quantile(away[-max(4, len(values) // 3) :], _OFTEN))
    numbers = (jumps, _ratio(jumps, span), _ratio(short, spread), short, _ratio(late, jumps))
    measured = Measured()
    for name, value in zip((*_NOISE[:2], *_NOISE[3:]), numbers, strict=True):
        measured += known(name, value, n=len(series), evidence=evidence)
    return measured + _over_sampling(series, values, jumps)


def _over_sampling(series: Series, values: Floats, jumps: float) -> Measured:
    """Noise over the standard error that so few validation clips have anyway; their number is read off the steps."""
    clips = clips_behind(series) if is_share(series.metric) else 0
    level = float(np.median(values))
    if not clips or not 0 < level < 1:
        return unknown("the number of validation clips cannot be read off the score", _NOISE[2])
    error = math.sqrt(level * (1 - level) / clips)
    text = f"every score is a multiple of 1/{clips}: {clips} clips, which give a standard error of {error:.3f}"
    return known(_NOISE[2], jumps / error, n=len(series), evidence=[Evidence(text)])


_MOST_CLIPS = 200
_FEWEST_SCORES = 4


def clips_behind(series: Series) -> int:
    """Smallest number of clips of which every score is a share; 0 where that cannot be told.

    Scores are printed to four digits and more, so that up to 200 clips a chance hit of several scores is rare.
    """
    shares = np.unique(series.y)
    if len(shares) < _FEWEST_SCORES:
        return 0
    for clips in range(2, _MOST_CLIPS + 1):
        if np.all(np.abs(shares * clips - np.round(shares * clips)) < 1e-4 * clips):
            return clips
    return 0


def _ratio(part: float, whole: float) -> float:
    """Their ratio, at most 100, where the whole may be 0."""
    return 0.0 if part == 0 else min(100.0, part / whole) if whole > 0 else 100.0
