"""Signal measures of decoded clips, a batch at a time: `measure_waves(waves)`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .wave import Wave, WaveMeasures

__all__ = ["Wave", "WaveMeasures", "measure_waves"]


def measure_waves(waves: Sequence[Wave]) -> WaveMeasures:
    """Measure a batch of waves of any rate, length and number of channels; the order is kept."""
    peaks = np.array([_peak(wave) for wave in waves])
    empty = np.empty((len(waves), 0), np.float32)
    return WaveMeasures({"clip.peak": peaks}, empty, empty)


def _peak(wave: Wave) -> float:
    """Return the largest finite magnitude, 1.0 at full scale; NaN without finite samples."""
    scale = 32768.0 if wave.samples.dtype == np.int16 else 1.0
    finite = wave.samples[np.isfinite(wave.samples)]
    return float(np.abs(finite.astype(np.float32)).max()) / scale if finite.size else float("nan")
