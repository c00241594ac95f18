"""Measures predicted scores: correlation against compression, slope, bias, the ends of the scale. Decides nothing."""

from __future__ import annotations

import numpy as np

from knowledge.records import Evidence, Measured

from .. import metrics
from .prediction_facts import SAMPLES, known, unknown
from .prediction_rows import Predictions

_BINS = 5
NAMES = (
    "predictions.groups",
    "predictions.r",
    "predictions.r_low",
    "predictions.r_high",
    "predictions.std_ratio",
    "predictions.std_ratio_low",
    "predictions.std_ratio_high",
    "predictions.std_ratio_minus_r",
    "predictions.std_ratio_minus_r_low",
    "predictions.std_ratio_minus_r_high",
    "predictions.ccc",
    "predictions.ccc_low",
    "predictions.ccc_high",
    "predictions.slope",
    "predictions.slope_low",
    "predictions.slope_high",
    "predictions.bias_share",
    "predictions.bias_share_low",
    "predictions.bias_share_high",
    "predictions.lowest_bin_bias_share",
    "predictions.highest_bin_bias_share",
)


def measure_scores(rows: Predictions) -> Measured:
    """Return the facts of predicted scores."""
    n = len(rows)
    spread = float(rows.labels.std())
    if metrics.is_constant(rows.labels):
        return unknown("all labels are equal", *NAMES)
    numbers: dict[str, float] = {}
    statistics: dict[str, metrics.Statistic] = {
        "std_ratio": metrics.std_ratio,
        "std_ratio_minus_r": lambda labels, predicted: (
            metrics.std_ratio(labels, predicted) - metrics.pearson(labels, predicted)
        ),
        "r": metrics.pearson,
        "slope": metrics.slope,
        "ccc": metrics.ccc,
        "bias_share": lambda labels, predicted: metrics.bias(labels, predicted) / spread,
    }
    people = len(np.unique(rows.groups[rows.groups != ""]))
    for name, statistic in statistics.items():
        # Errors of one speaker lean to one side together; a ratio over few whole groups is all over the place.
        drawn = rows.groups if name == "bias_share" and people > 1 else None
        low, high = metrics.bootstrap_interval(statistic, rows.labels, rows.predictions, samples=SAMPLES, groups=drawn)
        numbers |= {name: statistic(rows.labels, rows.predictions), f"{name}_low": low, f"{name}_high": high}
    shown = [
        f"{_WORDS[name]} {numbers[name]:.3f} [{numbers[f'{name}_low']:.3f}, {numbers[f'{name}_high']:.3f}]"
        for name in _WORDS
    ]
    together = Evidence(f"{', '.join(shown)} of the labels' standard deviation, n {n}", path=str(rows.path), n=n)
    measured = (
        known("predictions.groups", people, n) if people > 1 else unknown("no groups are named", "predictions.groups")
    )
    for name, value in numbers.items():
        measured += known(f"predictions.{name}", value, n, together)
    return measured + _extremes(rows, spread) + unknown("the task is a regression")


_WORDS = {"r": "r", "std_ratio": "std_ratio", "ccc": "CCC", "slope": "slope", "bias_share": "bias"}


def _extremes(rows: Predictions, spread: float) -> Measured:
    bins = metrics.per_bin_errors(rows.labels, rows.predictions, bins=_BINS)
    table = [
        Evidence(f"labels {part.low:.3g} to {part.high:.3g}: bias {part.bias:+.3g}, mae {part.mae:.3g}", n=part.n)
        for part in bins
        if part.n
    ]
    measured = Measured()
    for name, part in (("lowest", bins[0]), ("highest", bins[-1])):
        measured += known(f"predictions.{name}_bin_bias_share", part.bias / spread, part.n, *table)
    return measured
