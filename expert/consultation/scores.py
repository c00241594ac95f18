"""Scores of a run from its prediction files, and the paired comparison of two runs; reads files, trains nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import InputError

from .rounds import Score

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Predictions:
    """The rows of one `predictions/SPLIT.csv`, in file order."""

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    predictions: tuple[str, ...]


def read_predictions(path: Path) -> Predictions:
    """Read one prediction file.

    Raises:
        InputError: it cannot be read, or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    wanted = {"path", "label", "prediction"}
    if not rows or not wanted <= rows[0].keys():
        raise InputError(f"{path}: expected rows with the columns {', '.join(sorted(wanted))}")
    return Predictions(*(tuple(row[name] for row in rows) for name in ("path", "label", "prediction")))


def validation_file(run: Path) -> Path | None:
    """Return the file with the predictions that a run is judged by, or None when it has none."""
    files = (run / "predictions" / name for name in ("val.csv", "out-of-fold.csv"))
    return next((file for file in files if file.is_file()), None)


def score(predictions: Predictions, metric: str, samples: int) -> Score:
    """Return the metric with its bootstrap interval over clips."""
    from engine import metrics

    labels, predicted = _arrays(predictions, metric)
    function = _function(metric)
    low, high = metrics.bootstrap_interval(function, labels, predicted, samples=samples, seed=0)
    return Score(metric, function(labels, predicted), low, high, len(labels))


def gain(new: Predictions, old: Predictions, metric: str, samples: int) -> Score | None:
    """Return the metric of `new` minus that of `old` on the clips that both scored, or None when they share none."""
    from engine import metrics

    index = {path: position for position, path in enumerate(old.paths)}
    pairs = [(here, index[path]) for here, path in enumerate(new.paths) if path in index]
    if not pairs:
        return None
    mine, theirs = ([row[side] for row in pairs] for side in (0, 1))
    labels, predicted = _arrays(new, metric)
    _, reference = _arrays(old, metric)
    function = _function(metric)
    arrays = labels[mine], predicted[mine], reference[theirs]
    low, high = metrics.paired_difference_interval(function, *arrays, samples=samples, seed=0)
    return Score(metric, function(arrays[0], arrays[1]) - function(arrays[0], arrays[2]), low, high, len(pairs))


def _arrays(predictions: Predictions, metric: str) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    kind = str if metric in ("accuracy", "macro-f1") else float
    return np.asarray(predictions.labels, dtype=kind), np.asarray(predictions.predictions, dtype=kind)


def _function(metric: str):  # type: ignore[no-untyped-def]
    from engine import metrics

    return {
        "accuracy": metrics.accuracy,
        "macro-f1": metrics.macro_f1,
        "ccc": metrics.ccc,
        "pearson": metrics.pearson,
    }[metric]
