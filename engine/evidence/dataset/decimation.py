"""Takes every n-th sample of waves of which only the low frequencies are wanted; in compiled code, or not at all.

The transform of what is left takes an n-th of the time. What folds into the band is 70 dB down; what the filter does to
the band itself is known exactly, and is taken back in its spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .signals.kernel import library

Floats = npt.NDArray[np.float32]

_REJECTION_DB = 70.0
_LANES = 8


@dataclass(frozen=True, eq=False)
class Decimation:
    """How many samples make one, and by which filter."""

    step: int
    weights: Floats
    before: int
    """The first weight is for the sample so many before the one that is made."""

    def into(self, wave: Floats, row: Floats) -> None:
        """Filter a wave, and write every `step`-th sample of it."""
        samples = np.ascontiguousarray(wave, np.float32)
        library().tm_decimated(
            *(samples.ctypes.data, len(samples), self.weights.ctypes.data, len(self.weights), self.before, self.step),
            *(row.ctypes.data, min(len(row), -(-len(samples) // self.step))),
        )

    def gain(self, hz: npt.NDArray[np.floating], rate: int) -> Floats:
        """Return the number to multiply the spectrum at each frequency by, for the filter and the samples left out."""
        return _gain(self.weights.tobytes(), self.before, self.step, hz.tobytes(), rate)


@lru_cache(maxsize=32)
def _gain(weights: bytes, before: int, step: int, hz: bytes, rate: int) -> Floats:
    taps, wanted = np.frombuffer(weights, np.float32), np.frombuffer(hz)
    known = np.linspace(wanted[0], wanted[-1], 513)
    # the filter is symmetric about the sample that is made, so that its response is real
    response = np.cos(2 * np.pi / rate * np.outer(known, np.arange(len(taps)) - before)) @ taps
    return np.asarray(step / np.interp(wanted, known, response), np.float32)


@lru_cache(maxsize=32)
def decimation(rate: int, points: int, highest_hz: float) -> Decimation | None:
    """Return the largest step that divides `points` and leaves frequencies up to `highest_hz`; None without any.

    The transition takes at least as much as the band, so that filters stay short.
    """
    if library() is None:
        return None
    steps = [step for step in range(2, int(rate / (2.75 * highest_hz)) + 1) if not points % step]
    if not steps:
        return None
    step = steps[-1]
    stop = rate / step - highest_hz
    width, middle = 2 * np.pi * (stop - highest_hz) / rate, (stop + highest_hz) / 2
    half = int(np.ceil((_REJECTION_DB - 8) / (2.285 * width) / 2))
    weights = np.kaiser(2 * half + 1, 0.1102 * (_REJECTION_DB - 8.7))
    weights *= np.sinc(2 * middle / rate * np.arange(-half, half + 1))
    padded = np.zeros(-(-len(weights) // _LANES) * _LANES, np.float32)
    padded[: len(weights)] = weights / weights.sum()
    return Decimation(step, padded, half)
