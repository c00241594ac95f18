"""How many bits the samples of a wave really use; says nothing about how many a project needs."""

from __future__ import annotations

import numpy as np

from .wave import Wave

_LOOK_SAMPLES = 1 << 12
"""Looked at, spread evenly: a step size that thousands of samples keep to is that of all."""


_STORED = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}


def stored_bits(wave: Wave) -> float:
    """Return the bits a sample that the file stores; NaN for codecs, whose samples have no fixed size."""
    return float(_STORED.get(wave.subtype, "nan"))


def effective_bits(wave: Wave) -> float:
    """Return 16 less the low bits that are zero in every sample; NaN for floats and for silence.

    A stored offset does not count, so that an unsigned 8-bit file, whose zero is 128, has 8 bits.
    """
    if wave.samples.dtype != np.int16 or not wave.samples.size:
        return float("nan")
    channel = wave.samples[:: max(1, len(wave.samples) // _LOOK_SAMPLES)].ravel().astype(np.int32)
    used = int(np.bitwise_or.reduce(channel - channel[0]))
    return 16.0 - ((used & -used).bit_length() - 1) if used else float("nan")
