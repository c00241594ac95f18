"""Mean and spread of the mel cepstrum of each clip, for probes of labels; knows no labels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .batch import Batch, Floats

MELS = 24
COEFFICIENTS = 13
"""As many as carry the shape of a voice; the level, which a gain changes, is the first."""
_HIGHEST_HZ = 8000.0
FLOOR = 1e-10


@lru_cache(maxsize=16)
def mel_filters(bins: int, sample_rate_hz: int) -> Floats:
    """Triangles that are equally wide on the mel scale, `(bins, mels)`."""
    high = min(sample_rate_hz / 2, _HIGHEST_HZ)
    mels = np.linspace(0, 2595 * np.log10(1 + high / 700), MELS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hz = np.linspace(0, sample_rate_hz / 2, bins)[:, None]
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    triangles: Floats = np.maximum(np.minimum(rising, falling), 0).astype(np.float32)
    return triangles


@lru_cache(maxsize=1)
def cosines() -> Floats:
    """Return the table that makes a cepstrum of the logarithms of mels, `(MELS, COEFFICIENTS)`."""
    places = np.pi * (np.arange(MELS) + 0.5)[:, None] * np.arange(COEFFICIENTS) / MELS
    cosines: Floats = (np.cos(places) * np.sqrt(2 / MELS)).astype(np.float32)
    return cosines


def measure_cepstra(batch: Batch, mels: Floats) -> Floats:
    """Return `(clips, 2 x coefficients)`: means, then standard deviations, over the frames of a clip.

    `mels` are the sums of the power of each frame under `mel_filters`, `(frames, MELS)`.
    """
    cepstra = (np.log(np.maximum(mels, FLOOR)) @ cosines()).astype(np.float64)  # a spread is a difference of squares
    whole = batch.whole_frames
    cepstra[~whole] = 0
    counts = np.maximum(np.add.reduceat(whole.astype(np.float32), batch.first), 1)[:, None]
    mean = np.add.reduceat(cepstra, batch.first, axis=0) / counts
    square = np.add.reduceat(np.square(cepstra), batch.first, axis=0) / counts
    found: Floats = np.hstack([mean, np.sqrt(np.maximum(square - np.square(mean), 0))]).astype(np.float32)
    return found
