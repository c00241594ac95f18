"""Decodes a few clips for pictures: the outline of the waveform and a spectrogram; measures and judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .decode import decode_clip
from .records import Region

COLUMNS = 160
ROWS = 64
_RANGE_DB = 80.0
"""From the loudest point down to black."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """How one clip looks."""

    seconds: float
    sample_rate_hz: int
    low: Floats
    high: Floats
    """`(COLUMNS,)`: lowest and highest sample of each stretch, 1 at full scale."""
    spectrogram: Floats
    """`(ROWS, COLUMNS)`: 0 to 1 over 80 dB, from 0 Hz to half the sample rate."""


def thumbnail(region: Region) -> Thumbnail | None:
    """Return the picture of a clip; None where nothing can be decoded. Of long clips the kept excerpts are drawn."""
    wave = decode_clip(region).wave
    if wave is None or not wave.samples.size:
        return None
    samples = wave.samples.astype(np.float32).mean(axis=1)
    if wave.samples.dtype == np.int16:
        samples /= 32768.0
    samples = np.nan_to_num(samples, posinf=1.0, neginf=-1.0)
    edges = np.linspace(0, len(samples), COLUMNS + 1).astype(int)
    starts = np.minimum(edges[:-1], len(samples) - 1)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    seconds = len(samples) / wave.sample_rate_hz
    return Thumbnail(seconds, wave.sample_rate_hz, low, high, _spectrogram(samples))


def _spectrogram(samples: Floats) -> Floats:
    """One transform a column; the loudest bin of each band is drawn, so that a line of hum is not averaged away."""
    length = 512
    padded = np.pad(samples, (0, max(0, length - len(samples))))
    starts = np.linspace(0, len(padded) - length, COLUMNS).astype(int)
    frames = padded[starts[:, None] + np.arange(length)] * np.hanning(length).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))[:, 1:]
    bands = power.reshape(COLUMNS, ROWS, -1).max(axis=2)
    decibels = 10 * np.log10(np.maximum(bands, 1e-12))
    drawn: Floats = np.clip((decibels - decibels.max() + _RANGE_DB) / _RANGE_DB, 0, 1).T.astype(np.float32)
    return drawn
