"""Scores predictions against labels, with bootstrap intervals; numpy only, and it reads and writes no file.

Every metric is called as `metric(labels, predictions)`. Scores (accuracy, F1, correlations) are better when higher,
errors (`rmse`, `mae`) when lower; `std_ratio`, `slope` and `bias` are best at 1, 1 and 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Statistic = Callable[..., float]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class BinError:
    """The errors of one bin of labels."""

    low: float
    high: float
    """The bin holds labels from `low` up to `high`, which belongs to it in the last bin only."""
    n: int
    mae: float
    """NaN in an empty bin."""
    bias: float
    """Mean of prediction minus label; positive = predicted too high. NaN in an empty bin."""


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of clips whose class is predicted. 0 to 1, higher is better."""
    truth, predicted = _classes(labels, predictions)
    return float(np.mean(truth == predicted))


def balanced_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean over the labelled classes of the share that is predicted. 0 to 1, higher is better, chance is 1/classes."""
    _, matrix = confusion(labels, predictions)
    support = matrix.sum(axis=1)
    seen = support > 0
    return float(np.mean(np.diag(matrix)[seen] / support[seen]))


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean F1 over the classes that are labelled or predicted. 0 to 1, higher is better."""
    _, matrix = confusion(labels, predictions)
    return float(np.mean(2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1))))


def confusion(labels: ArrayLike, predictions: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Count every pair of label and prediction.

    Returns:
        The sorted classes `(classes,)` that are labelled or predicted, and the counts `(classes, classes)` with a row
        for each label and a column for each prediction.
    """
    truth, predicted = _classes(labels, predictions)
    classes, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    pairs = codes[: len(truth)] * len(classes) + codes[len(truth) :]
    return classes, np.bincount(pairs, minlength=len(classes) ** 2).reshape(len(classes), -1)


def pearson(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Pearson's correlation r. -1 to 1, higher is better; 0 where either side is constant, which predicts nothing."""
    truth, predicted = _scores(labels, predictions)
    if is_constant(truth) or is_constant(predicted):
        return 0.0
    return float(np.clip(_covariance(truth, predicted) / (truth.std() * predicted.std()), -1, 1))


def ccc(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Concordance correlation coefficient: agreement in order, spread and level (Lin 1989, with moments over n).

    -1 to 1, higher is better, and never further from 0 than Pearson's r; 0 where both sides are constant.
    """
    truth, predicted = _scores(labels, predictions)
    scale = truth.var() + predicted.var() + (truth.mean() - predicted.mean()) ** 2
    return float(2 * _covariance(truth, predicted) / scale) if scale > 0 else 0.0


def std_ratio(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Standard deviation of the predictions over that of the labels (S000-44). At least 0, best at 1.

    A least-squares predictor has a ratio of r. NaN where the labels are constant.
    """
    truth, predicted = _scores(labels, predictions)
    return float("nan") if is_constant(truth) else float(predicted.std() / truth.std())


def slope(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Slope of the least-squares line of prediction on label, r times `std_ratio`. Best at 1; NaN for equal labels."""
    truth, predicted = _scores(labels, predictions)
    return float("nan") if is_constant(truth) else float(_covariance(truth, predicted) / truth.var())


def bias(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean of prediction minus label, in the unit of the labels. Best at 0; positive = predicted too high."""
    truth, predicted = _scores(labels, predictions)
    return float(np.mean(predicted - truth))


def rmse(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Root of the mean squared error, in the unit of the labels. At least 0, lower is better."""
    truth, predicted = _scores(labels, predictions)
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


def mae(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean absolute error, in the unit of the labels. At least 0, lower is better."""
    truth, predicted = _scores(labels, predictions)
    return float(np.mean(np.abs(predicted - truth)))


def per_bin_errors(labels: ArrayLike, predictions: ArrayLike, bins: int = 5) -> tuple[BinError, ...]:
    """Errors in `bins` equally wide bins of the label range (S000-39); empty bins are kept.

    Raises:
        ValueError: fewer than four bins, in which compression toward the mean cannot be told from noise.
    """
    if bins < 4:
        raise ValueError(f"bins is {bins}, expected at least 4")
    truth, predicted = _scores(labels, predictions)
    edges = np.linspace(truth.min(), truth.max(), bins + 1)
    place = np.clip(np.searchsorted(edges, truth, side="right") - 1, 0, bins - 1)
    return tuple(_bin_error(edges, index, (predicted - truth)[place == index]) for index in range(bins))


def _bin_error(edges: NDArray[np.float64], index: int, errors: NDArray[np.float64]) -> BinError:
    empty = not len(errors)
    return BinError(
        low=float(edges[index]),
        high=float(edges[index + 1]),
        n=len(errors),
        mae=float("nan") if empty else float(np.mean(np.abs(errors))),
        bias=float("nan") if empty else float(np.mean(errors)),
    )


def bootstrap_interval(
    statistic: Statistic,
    *arrays: ArrayLike,
    groups: ArrayLike | None = None,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of `statistic(*arrays)` over clips drawn with replacement (Efron & Tibshirani 1993).

    Text in the arrays reaches the statistic as whole numbers that are equal where the text is equal.

    Args:
        statistic: called with the resampled arrays; resamples on which it is not finite are left out.
        arrays: each `(clips,)`.
        groups: `(clips,)`; whole groups are drawn, for clips of one speaker are not independent.
        samples: number of resamples.
        seed: of the random numbers.
        level: share of the resamples that the interval covers.

    Raises:
        ValueError: the arrays are empty or differ in length.
    """
    columns = _columns(arrays)
    draw = _drawer(len(columns[0]), groups, np.random.default_rng(seed))
    values = np.array([statistic(*(column[rows] for column in columns)) for rows in (draw() for _ in range(samples))])
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference_interval(
    statistic: Statistic,
    labels: ArrayLike,
    new: ArrayLike,
    old: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of `statistic(labels, new) - statistic(labels, old)`; both are scored on the same resampled clips.

    Positive = `new` has the higher value. Arguments, and what is raised, as in `bootstrap_interval`.
    """

    def difference(truth: NDArray[Any], mine: NDArray[Any], theirs: NDArray[Any]) -> float:
        return statistic(truth, mine) - statistic(truth, theirs)

    return bootstrap_interval(difference, labels, new, old, groups=groups, samples=samples, seed=seed, level=level)


def _drawer(clips: int, groups: ArrayLike | None, random: np.random.Generator) -> Callable[[], Indices]:
    if groups is None:
        return lambda: random.integers(0, clips, clips)
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    if len(codes) != clips:
        raise ValueError(f"groups has {len(codes)} values, expected one for each of {clips} clips")
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    return lambda: np.concatenate([members[index] for index in random.integers(0, len(members), len(members))])


def _columns(arrays: tuple[ArrayLike, ...]) -> list[NDArray[Any]]:
    columns = [np.asarray(array) for array in arrays]
    lengths = {len(column) for column in columns}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"expected arrays of one length above 0, got lengths {sorted(lengths)}")
    text = [index for index, column in enumerate(columns) if column.dtype.kind in "USO"]
    if text:
        joined = np.concatenate([columns[index].astype(str) for index in text])
        _, codes = np.unique(joined, return_inverse=True)
        for index, part in zip(text, np.split(codes, len(text)), strict=True):
            columns[index] = part
    return columns


def _classes(labels: ArrayLike, predictions: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    return _same_length(np.asarray(labels), np.asarray(predictions))


def _scores(labels: ArrayLike, predictions: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _same_length(np.asarray(labels, dtype=np.float64), np.asarray(predictions, dtype=np.float64))


def _same_length(truth: NDArray[Any], predicted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    if truth.shape != predicted.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(f"expected two arrays (clips,) with clips > 0, got {truth.shape} and {predicted.shape}")
    return truth, predicted


def _covariance(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    return float(np.mean((truth - truth.mean()) * (predicted - predicted.mean())))


def is_constant(values: NDArray[np.float64]) -> bool:
    """Whether the values differ by no more than rounding."""
    return bool(values.std() <= 8 * np.finfo(np.float64).eps * np.abs(values).max())
