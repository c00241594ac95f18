"""Compares events in time, stretch by stretch; numpy only, and it reads and writes no file.

Source: Mesaros, Heittola and Virtanen 2016, Metrics for polyphonic sound event detection, segment-based. A class is
active in a stretch as soon as an event of it touches the stretch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDING = 1e-6
"""Stretches: an event that ends on a border, but for rounding, does not reach into what follows."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One event of a clip."""

    onset_seconds: float
    offset_seconds: float
    number: int
    """Of its class."""


def activity(events: Sequence[Event], stretches: int, stretch_seconds: float, classes: int) -> NDArray[np.bool_]:
    """Return (stretches, classes): where each class is active."""
    active = np.zeros((stretches, classes), dtype=bool)
    for event in events:
        first = math.floor(event.onset_seconds / stretch_seconds + _ROUNDING)
        last = math.ceil(event.offset_seconds / stretch_seconds - _ROUNDING)
        active[max(first, 0) : max(last, first + 1), event.number] = True
    return active


def segment_counts(
    said: Sequence[Event], heard: Sequence[Event], clip_seconds: float, segment_seconds: float, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the metrics below are computed from, for one clip.

    Args:
        said: the events that are there.
        heard: those that were found.
        clip_seconds: length of the clip.
        segment_seconds: length of a stretch; the last one may be shorter.
        classes: how many there are.

    Returns:
        (classes,) active stretches, and (2 * classes + 1,): of each class those found, of each class those found where
        nothing is, and the errors, in which a class taken for another one counts once.
    """
    stretches = max(math.ceil(clip_seconds / segment_seconds - _ROUNDING), 1)
    true, found = (activity(events, stretches, segment_seconds, classes) for events in (said, heard))
    missed, false = (true & ~found).sum(1), (found & ~true).sum(1)
    errors = np.maximum(missed, false).sum()  # replaced + left out + put in, of each stretch
    return true.sum(0), np.concatenate([(true & found).sum(0), (found & ~true).sum(0), [errors]])


def segment_f1(active: ArrayLike, found: ArrayLike) -> float:
    """Return the F1 over all classes together, of counts (clips, ...) as `segment_counts` gives them."""
    true, hits, false, _ = _sums(active, found)
    whole = true.sum() + hits.sum() + false.sum()
    return float(2 * hits.sum() / whole) if whole else float("nan")


def segment_error_rate(active: ArrayLike, found: ArrayLike) -> float:
    """Return errors for each active class and stretch. 0 is best, 1 is what an empty answer gets, more is possible."""
    true, _, _, errors = _sums(active, found)
    return float(errors / true.sum()) if true.sum() else float("nan")


def each_segment_f1(active: ArrayLike, found: ArrayLike) -> NDArray[np.float64]:
    """Return (classes,): the F1 of each; NaN for one that is never there and never found."""
    true, hits, false, _ = _sums(active, found)
    whole = true + hits + false
    each: NDArray[np.float64] = np.full(len(whole), np.nan)
    np.divide(2 * hits, whole, out=each, where=whole > 0)
    return each


Counts = NDArray[np.float64]


def _sums(active: ArrayLike, found: ArrayLike) -> tuple[Counts, Counts, Counts, float]:
    true, answers = np.asarray(active, dtype=np.float64).sum(0), np.asarray(found, dtype=np.float64).sum(0)
    classes = len(true)
    return true, answers[:classes], answers[classes : 2 * classes], float(answers[-1])
