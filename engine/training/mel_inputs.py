"""Spectrograms as AST, Whisper and W2V-BERT were pretrained on them, from padded waveforms; nothing here learns.

Each equals what the preprocessor of transformers gives for the clip alone, so that neither a neighbour in the batch nor
padding changes a clip's frames.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from .padding import frame_mask

WINDOW, HOP = 400, 160
"""Samples of a frame, and between two frames: 25 and 10 ms at 16 kHz."""
RATE_HZ = 16000
_FFT = 512
"""The window filled up to a power of two, as Kaldi does."""
_PREEMPHASIS = 0.97
_FLOOR = 1.192092955078125e-07
"""Smallest power before the logarithm: the precision of float32 (Kaldi)."""
_VARIANCE_FLOOR = 1e-7
"""Added to the variance of a band; the value of transformers' SeamlessM4TFeatureExtractor."""
_FULL_SCALE = 32768.0
_WHISPER_RANGE = 8.0
"""Powers of ten below the loudest that Whisper keeps."""


def kaldi_frames(samples: Tensor) -> Tensor:
    """Return (batch,) whole frames of clips of that many samples."""
    return torch.div(samples - WINDOW, HOP, rounding_mode="floor") + 1


def fbank(waveforms: Tensor, window: Literal["hann", "povey"], bands: int) -> Tensor:
    """Return (batch, frames, bands) log-mel energies by Kaldi's definition; each frame sees its own samples only."""
    frames = waveforms.unfold(1, WINDOW, HOP)
    frames = frames - frames.mean(2, keepdim=True)
    previous = torch.cat([frames[..., :1], frames[..., :-1]], 2)
    shaped = (frames - _PREEMPHASIS * previous) * _window(window).to(waveforms)
    power = torch.fft.rfft(shaped, _FFT).abs().square()
    energies: Tensor = power @ _kaldi_bands(bands).to(waveforms)
    return energies.clamp(min=_FLOOR).log()


def stacked_fbank(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Return (batch, frames / 2, 160): 80 bands, each normalised over the clip, two frames side by side (W2V-BERT)."""
    bands = fbank(waveforms * _FULL_SCALE, "povey", 80)
    counts = kaldi_frames(lengths)
    valid = frame_mask(counts, bands.shape[1])[..., None]
    number = counts[:, None, None].to(bands)
    centred = (bands - bands.masked_fill(~valid, 0).sum(1, keepdim=True) / number).masked_fill(~valid, 0)
    variance = centred.square().sum(1, keepdim=True) / (number - 1)
    normal = centred / (variance + _VARIANCE_FLOOR).sqrt()
    return normal[:, : normal.shape[1] // 2 * 2].reshape(len(normal), -1, 2 * normal.shape[2])


def whisper_log_mel(waveforms: Tensor, bands: int) -> Tensor:
    """Return (batch, samples / 160, bands) as Whisper hears them: a range of 80 dB below the clip's loudest, scaled."""
    # Zeros keep the reflection at the end off the clip; the reflection at the start is Whisper's own.
    padded = torch.nn.functional.pad(waveforms, (0, WINDOW))
    spectrum = torch.stft(padded, WINDOW, HOP, window=_window("periodic").to(waveforms), return_complex=True)
    frames = -(-waveforms.shape[1] // HOP)
    power = spectrum[..., :frames].abs().square().transpose(1, 2)
    logs = (power @ _slaney_bands(bands).to(waveforms)).clamp(min=1e-10).log10()
    loudest = logs.amax((1, 2), keepdim=True)
    return (torch.maximum(logs, loudest - _WHISPER_RANGE) + 4) / 4


@cache
def _window(name: Literal["hann", "povey", "periodic"]) -> Tensor:
    hann = torch.hann_window(WINDOW, periodic=name == "periodic", dtype=torch.float64)
    return hann**0.85 if name == "povey" else hann


@cache
def _kaldi_bands(bands: int) -> Tensor:
    from transformers.audio_utils import mel_filter_bank

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AST's lowest bands hold no frequency, and it was pretrained so
        filters = mel_filter_bank(
            _FFT // 2 + 1, bands, 20, RATE_HZ / 2, RATE_HZ, mel_scale="kaldi", triangularize_in_mel_space=True
        )
    return torch.from_numpy(filters)


@cache
def _slaney_bands(bands: int) -> Tensor:
    from transformers.audio_utils import mel_filter_bank

    filters = mel_filter_bank(WINDOW // 2 + 1, bands, 0.0, RATE_HZ / 2, RATE_HZ, norm="slaney", mel_scale="slaney")
    return torch.from_numpy(filters)
