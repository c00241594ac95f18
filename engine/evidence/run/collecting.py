"""Gathers logged numbers into curves while a log is read; knows no log format."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .series import Floats, Series


@dataclass
class _Points:
    """Points in the order in which they were logged, 24 bytes each."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    epochs: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def take(self, rows: list[int]) -> _Points:
        """Return the points at the given positions."""
        return _Points(
            array("q", [self.steps[row] for row in rows]),
            array("d", [self.epochs[row] for row in rows]),
            array("d", [self.values[row] for row in rows]),
        )


class Collector:
    """Points by series name, in the order in which they were logged."""

    def __init__(self) -> None:
        self._points: dict[str, _Points] = {}
        self._notes: dict[str, int] = {}

    def add(self, name: str, step: int, epoch: float | None, value: float | None) -> None:
        """Append one point; nothing without a value."""
        if value is not None:
            points = self._points.get(name)
            if points is None:
                points = self._points[name] = _Points()
            points.steps.append(step)
            points.epochs.append(math.nan if epoch is None else epoch)
            points.values.append(value)

    def extend(self, name: str, steps: NDArray[np.int64], epochs: Floats, values: Floats) -> None:
        """Append many points at once; the three arrays have one length."""
        points = self._points.setdefault(name, _Points())
        points.steps.frombytes(steps.tobytes())
        points.epochs.frombytes(epochs.tobytes())
        points.values.frombytes(values.tobytes())

    def rewind(self, step: int) -> None:
        """Forget what was logged after `step`, because the run was resumed from there."""
        for name, points in self._points.items():
            kept = [i for i, at in enumerate(points.steps) if at <= step]
            self._points[name] = points.take(kept)

    def note(self, text: str) -> None:
        """Remember something that was not understood."""
        self._notes[text] = self._notes.get(text, 0) + 1

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note once, with how often it arose."""
        return tuple(f"{text} ({count} times)" if count > 1 else text for text, count in self._notes.items())

    def series(self) -> tuple[Series, ...]:
        """Return the curves of losses and metrics."""
        names = (name for name in self._points if not name.startswith("lr/") and name != "grad_norm")
        return tuple(self._series(name) for name in names)

    def learning_rates(self) -> tuple[Series, ...]:
        """Return one curve for each parameter group."""
        return tuple(self._series(name) for name in self._points if name.startswith("lr/"))

    def gradient(self) -> Series | None:
        """Return the gradient norm, or None when it was not logged."""
        return self._series("grad_norm") if "grad_norm" in self._points and self._points["grad_norm"].values else None

    def _series(self, name: str) -> Series:
        points = self._points[name]
        return Series(name, np.array(points.steps), np.array(points.epochs), np.array(points.values))


def finite(value: Any) -> float | None:
    """Return a logged value as a finite float, else None."""
    result = number(value)
    return result if result is not None and math.isfinite(result) else None


def number(value: Any) -> float | None:
    """Return a logged value as a float, tokens such as "NaN" and "Infinity" included; None when it is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


_LARGEST_COUNT = 1 << 53


def count(value: Any) -> int:
    """Return a step as a whole number; 0 for what no counter can have come to."""
    result = finite(value)
    return int(result) if result is not None and abs(result) < _LARGEST_COUNT else 0
