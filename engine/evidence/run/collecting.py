"""Gathers logged numbers into curves while a log is read; knows no log format."""

from __future__ import annotations

import math
from typing import Any

from .series import Series


class Collector:
    """Points by series name, in the order in which they were logged."""

    def __init__(self) -> None:
        self._points: dict[str, list[tuple[int, float | None, float]]] = {}
        self._notes: dict[str, int] = {}

    def add(self, name: str, step: int, epoch: float | None, value: float | None) -> None:
        """Append one point; nothing without a value."""
        if value is not None:
            self._points.setdefault(name, []).append((step, epoch, value))

    def rewind(self, step: int) -> None:
        """Forget what was logged after `step`, because the run was resumed from there."""
        for name, points in self._points.items():
            self._points[name] = [point for point in points if point[0] <= step]

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
        return self._series("grad_norm") if self._points.get("grad_norm") else None

    def _series(self, name: str) -> Series:
        steps, epochs, values = zip(*self._points[name], strict=True)
        return Series(name, steps, epochs, values)


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
    except ValueError:
        return None
