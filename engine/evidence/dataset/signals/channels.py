"""Compares the channels of one wave: a dead one, equal ones, opposite ones; picks the loudest for other measures."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from .wave import Samples, Wave

_LOOK_SAMPLES = 1 << 16
"""Channels of longer clips are compared by as many samples spread evenly: what makes them differ lasts."""
_FLOOR = 1e-6
"""-120 dBFS stands for silence."""
NAMES = ("clip.channels", "clip.channel_gap_db", "clip.channel_difference_db", "clip.channel_sum_db")


def loudest(samples: Samples) -> Samples:
    """Return the loudest channel, `(samples,)`: a mono mix would hide channels that cancel each other."""
    return samples[:, loudest_place(samples)]


def loudest_place(samples: Samples) -> int:
    """Return which channel is the loudest."""
    return int(np.argmax(_levels(_look(samples)))) if samples.shape[1] > 1 else 0


def compare_channels(wave: Wave) -> tuple[float, float, float, float]:
    """Return `NAMES` of one wave.

    The number of channels; how far the quietest is below the loudest; how far the difference between the first two is
    below their mean level; how far their sum is. All in dB, positive numbers; NaN for one channel.
    """
    channels = wave.samples.shape[1]
    if channels == 1 or not wave.samples.size:
        return float(channels), float("nan"), float("nan"), float("nan")
    some = _look(wave.samples)
    levels = _levels(some)
    gap = 20 * np.log10(levels.max() / levels.min())
    pair = some[:, :2]
    power = float(np.mean(np.square(_levels(pair))))
    difference = float(np.mean(np.square(pair[:, 0] - pair[:, 1])))
    total = float(np.mean(np.square(pair[:, 0] + pair[:, 1])))
    return float(channels), float(gap), _below(difference, 2 * power), _below(total, 2 * power)


def _look(samples: Samples) -> npt.NDArray[np.float64]:
    step = max(1, len(samples) // _LOOK_SAMPLES)
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    some = samples[::step].astype(np.float64) / scale
    some[~(np.abs(some) < 1e9)] = 0.0
    return cast("npt.NDArray[np.float64]", some - some.mean(axis=0))


def _levels(some: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    levels: npt.NDArray[np.float64] = np.maximum(np.sqrt(np.mean(np.square(some), axis=0)), _FLOOR)
    return levels


def _below(part: float, whole: float) -> float:
    return float(10 * np.log10(whole / max(part, whole * 1e-12)))
