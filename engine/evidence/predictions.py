"""Measures prediction files: correlation against compression, extremes, groups, collapse, external data.

Reads `path,group,label,prediction[,p_CLASS...]` as the trainer writes it. The test split is left closed on purpose:
whoever reads it while a model is still being improved has no test split any more.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError
from knowledge.records import Evidence, Fact, Measured, Unknown, Value

from .. import metrics
from .class_shares import NAMES as SHARES
from .class_shares import Shares, measure_shares, shares_of
from .tag_predictions import NAMES as TAGS
from .tag_predictions import measure_tags

_SAMPLES = 1000
"""Bootstrap resamples (Efron & Tibshirani 1993 use 1000 for intervals)."""
_BINS = 5
_SMALLEST_GROUP = 20
"""Clips below which a group's score says little (diagnosis after Sagawa 2020)."""
_VALIDATION = ("val", "out-of-fold")
_OWN = (*_VALIDATION, "held-out", "train", "test")
"""Names that are splits of the data set that the model was trained on; every other file is external."""


@dataclass(frozen=True)
class Predictions:
    """The rows of one prediction file."""

    path: Path
    groups: NDArray[Any]
    """`(clips,)` text, empty where unknown."""
    labels: NDArray[Any]
    """`(clips,)`: numbers for regression, text for classification."""
    predictions: NDArray[Any]
    """`(clips,)`, as the labels."""
    shares: Shares | None = None
    """What was given to each class; None for regression and where the file does not say."""

    def __len__(self) -> int:
        return len(self.labels)


def read_predictions(path: Path, task: str) -> Predictions:
    """Read one prediction file.

    Raises:
        InputError: it cannot be read, lacks a column, or holds something that is no number in a regression.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    missing = {"label", "prediction"} - set(rows[0] if rows else ())
    if rows and missing:
        raise InputError(f"{path}:1: expected the columns label and prediction, {', '.join(sorted(missing))} missing")
    columns = [[row[name] or "" for row in rows] for name in ("label", "prediction")]
    groups = np.array([row.get("group") or "" for row in rows], dtype=str)
    if task == "regression":
        labels, predictions = (_numbers(column, path) for column in columns)
        return Predictions(path, groups, labels, predictions)
    labels, predictions = (np.array(column, dtype=str) for column in columns)
    return Predictions(path, groups, labels, predictions, shares_of(rows))


def _numbers(column: list[str], path: Path) -> NDArray[np.float64]:
    values = np.empty(len(column))
    for index, text in enumerate(column):
        try:
            values[index] = float(text)
        except ValueError:
            raise InputError(f"{path}:{index + 2}: expected a number in a regression, got {text!r}") from None
    return values


def measure_predictions(files: Iterable[tuple[str, Path]], task: str) -> Measured:
    """Return every fact `predictions.*` of a run from its prediction files.

    Args:
        files: prediction files by name, as `engine.evidence.run.series.RunSeries.predictions` lists them.
        task: `classification`, `regression`, `tags` or `detection`; anything else leaves the predictions unread.

    Raises:
        InputError: a file cannot be read.
    """
    by_name = dict(files)
    name = next((name for name in _VALIDATION if name in by_name), None)
    if name is None:
        return _unknown("the run holds no predictions of its validation clips", *_ALL, *TAGS)
    if task in ("tags", "detection"):
        return measure_tags(by_name[name], events=task == "detection") + _unknown(f"the task is {task}", *_ALL[1:])
    return _of_one_answer(by_name, name, task) + _unknown(f"the task is {task or 'not known'}", *TAGS)


def _of_one_answer(by_name: dict[str, Path], name: str, task: str) -> Measured:
    """Facts of predictions of one class or one score a clip."""
    if task not in ("classification", "regression"):
        return _unknown("the task of the run is not known", *_ALL)
    validation = read_predictions(by_name[name], task)
    if not len(validation):
        return _unknown(f"{by_name[name]} holds no predictions", *_ALL)
    broken = task == "regression" and not np.all(np.isfinite(validation.predictions))
    if broken:
        return _unknown("some predictions are not finite", *_ALL)
    external = {key: path for key, path in by_name.items() if key not in _OWN}
    clips = Evidence(f"{len(validation)} validation clips", path=str(validation.path), n=len(validation))
    measured = _known("predictions.count", len(validation), len(validation), clips)
    measured += _regression(validation) if task == "regression" else _classification(validation)
    return measured + _worst_group(validation, task) + _external(validation, external, task)


_REGRESSION = (
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


def _regression(rows: Predictions) -> Measured:
    n = len(rows)
    spread = float(rows.labels.std())
    if metrics.is_constant(rows.labels):
        return _unknown("all labels are equal", *_REGRESSION, *_CLASSIFICATION)
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
        low, high = metrics.bootstrap_interval(statistic, rows.labels, rows.predictions, samples=_SAMPLES, groups=drawn)
        numbers |= {name: statistic(rows.labels, rows.predictions), f"{name}_low": low, f"{name}_high": high}
    shown = [
        f"{_WORDS[name]} {numbers[name]:.3f} [{numbers[f'{name}_low']:.3f}, {numbers[f'{name}_high']:.3f}]"
        for name in _WORDS
    ]
    together = Evidence(f"{', '.join(shown)} of the labels' standard deviation, n {n}", path=str(rows.path), n=n)
    measured = (
        _known("predictions.groups", people, n) if people > 1 else _unknown("no groups are named", "predictions.groups")
    )
    for name, value in numbers.items():
        measured += _known(f"predictions.{name}", value, n, together)
    return measured + _extremes(rows, spread) + _unknown("the task is a regression", *_CLASSIFICATION)


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
        measured += _known(f"predictions.{name}_bin_bias_share", part.bias / spread, part.n, *table)
    return measured


_CLASSIFICATION = (
    *SHARES,
    "predictions.accuracy",
    "predictions.accuracy_low",
    "predictions.accuracy_high",
    "predictions.macro_f1",
    "predictions.balanced_accuracy_high_over_chance",
    "predictions.majority_prediction_share",
    "predictions.majority_prediction_excess",
    "predictions.prediction_entropy_share",
)


def _classification(rows: Predictions) -> Measured:
    n = len(rows)
    classes = np.unique(rows.labels)
    low, high = metrics.bootstrap_interval(metrics.accuracy, rows.labels, rows.predictions, samples=_SAMPLES)
    balanced = metrics.bootstrap_interval(metrics.balanced_accuracy, rows.labels, rows.predictions, samples=_SAMPLES)
    named, counts = np.unique(rows.predictions, return_counts=True)
    shares = counts / n
    entropy = float(-np.sum(shares * np.log(shares)))
    numbers = {
        "accuracy": metrics.accuracy(rows.labels, rows.predictions),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": metrics.macro_f1(rows.labels, rows.predictions),
        "balanced_accuracy_high_over_chance": balanced[1] - 1 / len(classes),
        "majority_prediction_share": float(shares.max()),
        "majority_prediction_excess": float(shares.max() - np.mean(rows.labels == named[int(np.argmax(counts))])),
    }
    text = (
        f"{str(named[int(np.argmax(counts))])!r} is predicted for {counts.max()} of {n} clips; "
        f"{len(named)} of {len(classes)} classes are predicted at all"
    )
    evidence = Evidence(text, path=str(rows.path), n=n)
    measured = Measured()
    for name, value in numbers.items():
        measured += _known(f"predictions.{name}", value, n, evidence)
    measured += measure_shares(rows.shares, str(rows.path))
    share = "predictions.prediction_entropy_share"
    if len(classes) < 2:
        measured += _unknown("the labels name one class only", share)
    else:
        measured += _known(share, entropy / math.log(len(classes)), n, evidence)
    return measured + _unknown("the task is a classification", *_REGRESSION)


_GROUPS = ("predictions.worst_group_gap", "predictions.worst_group_apart")


def _worst_group(rows: Predictions, task: str) -> Measured:
    """Compare the worst group with all others: accuracy, or the mean absolute error in label deviations.

    The interval of the difference is widened for the number of groups that were compared (Bonferroni).
    """
    names, counts = np.unique(rows.groups[rows.groups != ""], return_counts=True)
    names = names[counts >= _SMALLEST_GROUP]
    if len(names) < 2:
        return _unknown(f"fewer than 2 groups have {_SMALLEST_GROUP} clips", *_GROUPS)
    loss = _losses(rows, task)
    gaps = {str(name): float(loss[rows.groups == name].mean() - loss[rows.groups != name].mean()) for name in names}
    worst = max(gaps, key=gaps.__getitem__)
    inside = rows.groups == worst
    level = 1 - 0.05 / len(names)
    low, _ = metrics.bootstrap_interval(_difference, loss, inside, samples=_SAMPLES, level=level)
    unit = "wrong" if task == "classification" else "mean absolute error over the labels' standard deviation"
    text = f"group {worst}: {loss[inside].mean():.3f} {unit}, all others {loss[~inside].mean():.3f}"
    evidence = Evidence(text, path=str(rows.path), n=int(inside.sum()))
    return _known(_GROUPS[0], gaps[worst], len(names), evidence) + _known(_GROUPS[1], low > 0, len(names), evidence)


def _difference(losses: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    if inside.all() or not inside.any():
        return math.nan
    return float(losses[inside].mean() - losses[~inside].mean())


def _losses(rows: Predictions, task: str) -> NDArray[np.float64]:
    if task == "classification":
        return np.asarray(rows.labels != rows.predictions, dtype=np.float64)
    scale = 1.0 if metrics.is_constant(rows.labels) else float(rows.labels.std())
    return np.asarray(np.abs(rows.predictions - rows.labels) / scale, dtype=np.float64)


_EXTERNAL = ("predictions.external_gap",)


def _external(validation: Predictions, files: dict[str, Path], task: str) -> Measured:
    """Upper end of the interval on external data minus the lower end on validation; below 0 they do not overlap."""
    if not files:
        return _unknown("no external data set was evaluated (`tonmeister evaluate`)", *_EXTERNAL)
    metric, label = (metrics.accuracy, "accuracy") if task == "classification" else (metrics.ccc, "CCC")
    low, high = metrics.bootstrap_interval(metric, validation.labels, validation.predictions, samples=_SAMPLES)
    here = metric(validation.labels, validation.predictions)
    measured, gaps = Measured(), []
    for name, path in files.items():
        rows = read_predictions(path, task)
        if not len(rows):
            continue
        bottom, top = metrics.bootstrap_interval(metric, rows.labels, rows.predictions, samples=_SAMPLES)
        value = metric(rows.labels, rows.predictions)
        text = (
            f"{label} {here:.3f} [{low:.3f}, {high:.3f}] on {len(validation)} validation clips, "
            f"{value:.3f} [{bottom:.3f}, {top:.3f}] on {len(rows)} clips of {name}"
        )
        evidence = Evidence(text, path=str(path), n=len(rows))
        fact = Fact(_EXTERNAL[0], top - low, "predictions", f"split:{name}", len(rows), (evidence,))
        gaps.append(fact)
        measured += Measured((fact,))
    if not gaps:
        return _unknown("the external prediction files are empty", *_EXTERNAL)
    worst = min(gaps, key=lambda fact: float(fact.value))
    return measured + Measured((Fact(worst.name, worst.value, "predictions", "", worst.n, worst.evidence),))


_ALL = ("predictions.count", *_REGRESSION, *_CLASSIFICATION, *_GROUPS, *_EXTERNAL)


def _known(name: str, value: Value, n: int, *evidence: Evidence) -> Measured:
    if isinstance(value, float) and not math.isfinite(value):
        return _unknown("too few clips", name)
    return Measured((Fact(name, value, "predictions", n=n, evidence=evidence),))


def _unknown(reason: str, *names: str) -> Measured:
    return Measured(unknown=tuple(Unknown(name, reason) for name in names))
