"""What may be done to one clip's sound: rooms, bands, clipping, gaps. Draws only from the numbers it is given."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

_DECAY = math.log(1000)
"""A room's sound falls by 60 dB, to a thousandth, in its reverberation time (Sabine)."""
_DIRECT_DB = (0.0, 12.0)
"""How much louder than all of the room's sound the direct one is: from a table's width to a hand's."""
_SLOPE_OCTAVES = 0.25
"""Width of the edge of a narrow band: a steeper one rings."""


def reverberated(waveform: Tensor, sample_rate_hz: int, seconds: float, random: np.random.Generator) -> Tensor:
    """Place a clip in a room whose sound dies out in `seconds`; length, level and beginning stay.

    The room is noise under an exponential decay, which is what measured rooms are once the first echoes are over (Ko et
    al. 2017 found drawn rooms as good as measured ones).
    """
    count = max(round(seconds * sample_rate_hz), 2)
    room = random.standard_normal(count, dtype=np.float32) * np.exp(-_DECAY * np.arange(count) / count)
    room[0] = 0.0
    response = torch.from_numpy((room / np.sqrt(np.square(room).sum())).astype(np.float32))
    response *= 10 ** (-random.uniform(*_DIRECT_DB) / 20)
    response[0] = 1.0
    size = 2 ** (len(waveform) + count - 1).bit_length()
    spectrum = torch.fft.rfft(waveform.float(), size) * torch.fft.rfft(response, size)
    heard = torch.fft.irfft(spectrum, size)[: len(waveform)].to(waveform)
    level: Tensor = heard * (waveform.square().mean() / heard.square().mean().clamp(min=1e-20)).sqrt()
    return level


def band_limited(waveform: Tensor, share: float) -> Tensor:
    """Take away what lies above `share` of the highest frequency that the clip can hold."""
    spectrum = torch.fft.rfft(waveform.float())
    frequency = torch.linspace(0, 1, len(spectrum)).clamp(min=1e-6)
    # 1 up to the edge, then a half cosine down to 0 over a quarter octave.
    beyond = (torch.log2(frequency / share) / _SLOPE_OCTAVES).clamp(0, 1)
    narrow: Tensor = torch.fft.irfft(spectrum * (0.5 + 0.5 * torch.cos(math.pi * beyond)), n=len(waveform)).to(waveform)
    return narrow


def tilted(waveform: Tensor, decibels: float) -> Tensor:
    """Raise high frequencies and lower deep ones by up to `decibels`, evenly over the octaves."""
    spectrum = torch.fft.rfft(waveform.float())
    octaves = torch.log2(torch.linspace(0, 1, len(spectrum)).clamp(min=1 / max(len(spectrum) - 1, 1)))
    middle = octaves.min() / 2
    gain = decibels * (octaves - middle) / middle.abs().clamp(min=1e-6)
    level: Tensor = torch.fft.irfft(spectrum * 10 ** (gain / 20), n=len(waveform)).to(waveform)
    return level


def clipped(waveform: Tensor, share: float) -> Tensor:
    """Cut off all that is above `share` of the clip's peak."""
    limit = waveform.abs().max() * share
    return waveform.clamp(-limit, limit)


def with_gap(waveform: Tensor, share: float, random: np.random.Generator) -> Tensor:
    """Silence one stretch of up to `share` of the clip, as lost packets do."""
    length = int(random.uniform(0, share) * len(waveform))
    start = int(random.integers(len(waveform) - length + 1))
    gapped = waveform.clone()
    gapped[start : start + length] = 0
    return gapped
