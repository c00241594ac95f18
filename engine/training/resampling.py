"""Brings decoded sound to another sample rate; reads no file and knows no plan."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

WIDEST_KERNEL = 2000
"""Reduced rate up to which torchaudio resamples: its kernel has the product of both reduced rates, 16 GB from 44101 to
44100 Hz. All usual rates lie below (11025 to 16000 Hz is 441 to 640)."""


def resampled(mono: NDArray[np.float32], rate_hz: int, wanted_hz: int) -> NDArray[np.float32]:
    """Return (samples,) at `wanted_hz`: ceil(samples * wanted_hz / rate_hz) of them."""
    common = math.gcd(rate_hz, wanted_hz)
    if max(rate_hz, wanted_hz) // common > WIDEST_KERNEL:
        from scipy.signal import resample_poly

        made: NDArray[np.float32] = resample_poly(mono, wanted_hz // common, rate_hz // common).astype(np.float32)
        return made
    from torchaudio.functional import resample

    tensor: torch.Tensor = resample(torch.from_numpy(np.ascontiguousarray(mono)), rate_hz, wanted_hz)
    return tensor.numpy()
