"""Spectral front ends: log-mel and MFCC frames of a waveform, with no weights to learn. They never read files.

A frame covers `window` samples and starts every `hop` samples; a partial window at the end is not used, so that no
frame depends on what follows the clip. A clip shorter than one window is filled with zeros to one window.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from engine.plan_sections import Backbone
from knowledge.errors import PlanError

from .padding import frame_mask

_LOWEST_HZ = 20.0
"""Below hearing: rumble and offset only."""
_RANGE = 1e-8
"""Powers more than 80 dB below the loudest of the clip count as that: what lies below is the recorder, and digital
silence would otherwise give the largest numbers of all (torchaudio's AmplitudeToDB with top_db=80)."""
_LOG_FLOOR = 1e-6
"""Added to the power before the logarithm, as torchaudio's MFCC(log_mels=True): just above 16-bit rounding noise."""
_DELTA_FRAMES = 5
"""Frames of the regression that gives a delta: two on each side (HTK's and torchaudio's default)."""
_LEAST_DEVIATION = 1e-3
"""A feature that varies less than this is constant; it is centred and not blown up."""
_LONGEST_FFT = 8
"""Largest FFT, in windows: beyond this, zero padding for narrow mel bands costs more than it gives."""


class SpectralFrontEnd(nn.Module):
    """Log-mel or MFCC frames with their deltas, normalised per clip or by the training corpus."""

    layers = 1
    mean: Tensor
    deviation: Tensor
    fitted: Tensor
    transform: Tensor

    def __init__(self, backbone: Backbone, sample_rate_hz: int) -> None:
        super().__init__()
        import torchaudio

        self.normalise = backbone.normalise
        self.window = round(backbone.window_seconds * sample_rate_hz)
        self.hop = round(backbone.hop_seconds * sample_rate_hz)
        self.deltas = backbone.deltas and backbone.name == "mfcc"
        _check(backbone, self.window, self.hop)
        size = _fft_size(backbone.mels, self.window, sample_rate_hz)
        # Without `center`: reflected edges would take in the padding of a shorter clip.
        self.spectrum = torchaudio.transforms.MelSpectrogram(
            sample_rate_hz, size, self.window, self.hop, f_min=_LOWEST_HZ, n_mels=backbone.mels, center=False
        )
        self._edges = ((size - self.window) // 2, size - self.window - (size - self.window) // 2)
        transform = torch.empty(0)
        if backbone.name == "mfcc":
            transform = torchaudio.functional.create_dct(backbone.coefficients, backbone.mels, norm="ortho")
        self.register_buffer("transform", transform, persistent=False)
        self.features = (transform.shape[1] if len(transform) else backbone.mels) * (3 if self.deltas else 1)
        self.frame_seconds = self.hop / sample_rate_hz
        if self.normalise == "corpus":
            self.register_buffer("mean", torch.zeros(self.features))
            self.register_buffer("deviation", torch.ones(self.features))
            self.register_buffer("fitted", torch.tensor(False))

    @property
    def needs_fit(self) -> bool:
        """True until corpus statistics are known."""
        return self.normalise == "corpus" and not bool(self.fitted)

    @property
    def prefix_features(self) -> int:
        """Features of what is computed alike in every epoch: all of it."""
        return self.features

    def prefix_size(self, samples: int) -> int:
        """Return the most frames that a clip of that many samples gives."""
        return samples // self.hop + 1

    def frame_counts(self, samples: Tensor) -> Tensor:
        """Return (clips,): the frames of clips of these samples."""
        return torch.div(samples.clamp(min=self.window) - self.window, self.hop, rounding_mode="floor") + 1

    def prefix_state(self) -> dict[str, Tensor]:
        """Return everything that the frames depend on, by name."""
        return self.state_dict()

    def prefix_settings(self) -> dict[str, object]:
        """Return what else they depend on: nothing that the plan does not say."""
        return {}

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features), zero where padded, and their mask (batch, frames).

        Args:
            waveforms: (batch, samples).
            lengths: (batch,) samples of each clip.
        """
        frames, mask = self._frames(waveforms, lengths)
        if self.normalise == "corpus":
            if self.needs_fit:
                raise RuntimeError("corpus normalisation was not fitted: call fit_normalisation first")
            frames = (frames - self.mean) / self.deviation
        elif self.normalise == "clip":
            frames = _normalised_per_clip(frames, mask)
        return frames.masked_fill(~mask[..., None], 0), mask

    @torch.no_grad()
    def fit(self, clips: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set mean and deviation of each feature over all frames of the given (waveforms, lengths)."""
        count, total, squares = 0, torch.zeros(self.features, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        for waveforms, lengths in clips:
            frames, mask = self._frames(waveforms, lengths)
            valid = frames[mask].double().cpu()
            count, total, squares = count + len(valid), total + valid.sum(0), squares + valid.square().sum(0)
        if not count:
            raise ValueError("no clip to fit the normalisation to")
        mean = total / count
        self.mean.copy_(mean)
        self.deviation.copy_((squares / count - mean.square()).clamp(min=0).sqrt().clamp(min=_LEAST_DEVIATION))
        self.fitted.fill_(True)

    def _frames(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames before normalisation; what stands in padded frames has no meaning."""
        waveforms = waveforms.to(self.spectrum.spectrogram.window.dtype)
        waveforms = waveforms.masked_fill(~frame_mask(lengths, waveforms.shape[1]), 0)
        left, right = self._edges
        missing = max(self.window - waveforms.shape[1], 0)
        # Mixed precision stays out: bfloat16 keeps 3 digits, and a power spectrum spans 8.
        with torch.autocast(waveforms.device.type, enabled=False):
            power = self.spectrum(nn.functional.pad(waveforms, (left, right + missing)))  # (batch, mels, frames)
            counts = self.frame_counts(lengths)
            valid = frame_mask(counts, power.shape[2])[:, None]
            peak = power.masked_fill(~valid, 0).amax((1, 2), keepdim=True)
            frames = torch.log(power.maximum(_RANGE * peak) + _LOG_FLOOR).transpose(1, 2)
            if len(self.transform):
                frames = frames @ self.transform
            if self.deltas:
                first = _delta(frames, counts)
                frames = torch.cat([frames, first, _delta(first, counts)], dim=-1)
        return frames, frame_mask(counts, frames.shape[1])


def _delta(frames: Tensor, counts: Tensor) -> Tensor:
    """Return the slope of each feature (batch, frames, features); beyond a clip's end its last frame stands."""
    from torchaudio.functional import compute_deltas

    steps = torch.arange(frames.shape[1], device=frames.device)[None, :].minimum(counts[:, None] - 1)
    held = frames.gather(1, steps[..., None].expand_as(frames))
    slopes: Tensor = compute_deltas(held.transpose(1, 2), win_length=_DELTA_FRAMES).transpose(1, 2)
    return slopes


def _normalised_per_clip(frames: Tensor, mask: Tensor) -> Tensor:
    weight = mask[..., None].to(frames.dtype)
    count = weight.sum(1, keepdim=True)
    centred = frames - (frames * weight).sum(1, keepdim=True) / count
    variance = (centred.square() * weight).sum(1, keepdim=True) / count
    return centred / variance.sqrt().clamp(min=_LEAST_DEVIATION)


def _check(backbone: Backbone, window: int, hop: int) -> None:
    if window < 2 or hop < 1:
        raise PlanError(
            f"backbone.window_seconds {backbone.window_seconds} and hop_seconds {backbone.hop_seconds} are "
            f"{window} and {hop} samples; expected at least 2 and 1"
        )
    if backbone.name == "mfcc" and backbone.coefficients > backbone.mels:
        raise PlanError(
            f"backbone.coefficients is {backbone.coefficients}, expected at most backbone.mels, {backbone.mels}"
        )


def _fft_size(mels: int, window: int, sample_rate_hz: int) -> int:
    """Return the smallest power of two that holds the window and leaves no mel band without a frequency bin."""
    import torchaudio

    size = 1 << (window - 1).bit_length()
    while size <= _LONGEST_FFT * window:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torchaudio warns of the empty bands that are looked for here
            bands = torchaudio.functional.melscale_fbanks(
                size // 2 + 1, _LOWEST_HZ, sample_rate_hz / 2, mels, sample_rate_hz
            )
        if bool((bands.amax(0) > 0).all()):
            return size
        size *= 2
    raise PlanError(
        f"backbone.mels is {mels}: too many bands for windows of {window} samples at {sample_rate_hz} Hz",
        hint="Lower backbone.mels or raise backbone.window_seconds.",
    )
