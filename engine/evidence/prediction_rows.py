"""Reads prediction files of one answer a clip: labels beside what a model said of them. Measures nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError

from .class_shares import Shares, shares_of


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
