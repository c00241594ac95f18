"""Augmentation without state: what a clip goes through follows from (seed, epoch, clip) alone.

Neither the order of the clips, nor the number of workers, nor a stop and resume changes it. Labels are never changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine.plan_sections import Augmentation

from .effects import band_limited, clipped, reverberated, tilted, with_gap

Level = Literal["none", "light", "strong"]
Permission = Literal["use", "mild", "avoid", "new-class"]
Key = tuple[int, int, int]
"""(seed, epoch, number of the clip)."""


@dataclass(frozen=True)
class Strength:
    """How far each operation goes. Every number is a constant of the method, chosen with the sources beside it."""

    gain_db: float
    """Level changes by up to this much, both ways."""
    noise_share: float
    """Share of the clips that get noise."""
    snr_db: tuple[float, float]
    """Range of the signal-to-noise ratio of those."""
    shift_seconds: float
    """The clip moves by up to this much, both ways; at most `_SHIFT_SHARE` of it."""
    speeds: tuple[tuple[int, int], ...]
    """Speeds to draw from, each (samples in, samples out): (11, 10) is 10 % faster."""
    frames_masked: float
    """Share of a clip's frames that SpecAugment may silence."""
    features_masked: float
    """Share of the features that SpecAugment may silence in every frame."""
    effect_share: float
    """Share of the clips that each of the effects below is done to."""
    room_seconds: tuple[float, float]
    """Range of reverberation times."""
    tilt_db: float
    """Deep and high frequencies change by up to this much, one up and one down; where no band is cut."""
    band_share: tuple[float, float] | None
    """Range of the edge of a narrower band, as a share of the highest frequency; None cuts nothing."""
    clip_share: tuple[float, float]
    """Range of where samples are cut off, as a share of the peak."""
    gap_share: float
    """Largest share of a clip that goes silent."""
    mix_alpha: float
    """Both parameters of the beta distribution that the shares of two mixed clips are drawn from."""


STRENGTHS: dict[str, Strength] = {
    "light": Strength(
        gain_db=3.0,  # half of what separates two microphone distances
        noise_share=0.5,
        snr_db=(20.0, 40.0),  # audible, never disturbing
        shift_seconds=0.02,  # two frames of a spectral front end
        speeds=((19, 20), (1, 1), (21, 20)),  # half of Ko et al. 2015
        frames_masked=0.05,  # a third of what `MASKED_AT_MOST` allows
        features_masked=0.0,
        effect_share=0.3,
        room_seconds=(0.1, 0.3),  # furnished rooms
        tilt_db=3.0,  # another microphone
        band_share=None,  # some sounds live in the highest band alone
        clip_share=(0.6, 0.9),  # now and then a peak
        gap_share=0.02,  # one lost packet of 20 ms in a second
        mix_alpha=0.1,  # Zhang et al. 2018 use 0.1 to 0.4
    ),
    "strong": Strength(
        gain_db=6.0,  # doubling the distance to the microphone
        noise_share=0.8,
        snr_db=(10.0, 30.0),  # Snyder et al. 2018 (x-vectors) go down to 0, where words begin to be lost
        shift_seconds=0.05,  # five frames
        speeds=((9, 10), (19, 20), (1, 1), (21, 20), (11, 10)),  # Ko et al. 2015: 0.9, 1.0, 1.1, and between
        frames_masked=0.10,  # with the features below `MASKED_AT_MOST`; Park et al. 2019 mask more, of longer clips
        features_masked=0.05,
        effect_share=0.5,
        room_seconds=(0.1, 0.8),  # up to lecture halls; Ko et al. 2017 draw small and medium rooms
        tilt_db=0.0,
        band_share=(0.42, 0.95),  # down to the 3.4 kHz of a telephone at 16 kHz
        clip_share=(0.25, 0.9),
        gap_share=0.05,
        mix_alpha=0.4,
    ),
}
"""By the plan's `augmentation.strength`; `none` has no entry."""

OTHER_VOICES = ((1, 1), (9, 10), (11, 10))
"""Speeds at which a voice becomes another one, after its own (Yamamoto et al. 2019: 0.9 and 1.1)."""
MASKED_AT_MOST = 0.15
"""Largest masked share of a clip, frames and features together. The stock network masks 0.46 at 0.75 s and 0.83 at
0.25 s, and fails below ten frames (training.md 2.3)."""
_SHIFT_SHARE = 0.05
"""Largest shift as a share of the clip: a short word keeps its ends."""
_NOISE_COLOUR = 2.0
"""Noise has a power of 1 / f^a with a between 0 (white) and this (brown)."""
_MASKS = 2
"""Masks of frames a clip, and of features (Park et al. 2019, policies LD and SM)."""


def limits_of(strength: Level, operation: Permission) -> Strength | None:
    """Return how far one operation goes; None where it is left out."""
    if strength == "none" or operation in ("avoid", "new-class"):
        return None
    return STRENGTHS["light" if operation == "mild" else strength]


def augment(waveform: Tensor, sample_rate_hz: int, plan: Augmentation, key: Key) -> Tensor:
    """Return another take of a clip; the input is left as it is.

    In the order of nature: how it is spoken, the room, the level, what else sounds there, and what the recorder and the
    line do to it.

    Args:
        waveform: (samples,) float.
        sample_rate_hz: of the clip.
        plan: how far each operation goes; a strength of none returns the clip itself.
        key: what all random numbers follow from.

    Returns:
        (other samples,): speed changes the length.
    """
    if plan.strength == "none" or not len(waveform):
        return waveform
    waveform = _at_speed(waveform, _speed(plan, key))
    waveform = _shifted(waveform, _shift(len(waveform), sample_rate_hz, plan, key))
    if (limits := limits_of(plan.strength, plan.reverberation)) and (random := _drawn(key, "room", limits)):
        waveform = reverberated(waveform, sample_rate_hz, random.uniform(*limits.room_seconds), random)
    if limits := limits_of(plan.strength, plan.gain):
        waveform = waveform * 10 ** (_random(key, "gain").uniform(-limits.gain_db, limits.gain_db) / 20)
    if limits := limits_of(plan.strength, plan.added_noise):
        random = _random(key, "noise")
        waveform = _with_noise(waveform, limits.snr_db, random) if random.random() < limits.noise_share else waveform
    if (limits := limits_of(plan.strength, plan.clipping)) and (random := _drawn(key, "clip", limits)):
        waveform = clipped(waveform, random.uniform(*limits.clip_share))
    if (limits := limits_of(plan.strength, plan.filtering)) and (random := _drawn(key, "band", limits)):
        if limits.band_share is None:
            waveform = tilted(waveform, random.uniform(-limits.tilt_db, limits.tilt_db))
        else:
            waveform = band_limited(waveform, random.uniform(*limits.band_share))
    if (limits := limits_of(plan.strength, plan.gaps)) and (random := _drawn(key, "gap", limits)):
        waveform = with_gap(waveform, limits.gap_share, random)
    return waveform


def moved(samples: int, sample_rate_hz: int, plan: Augmentation, key: Key) -> tuple[float, float]:
    """Return where a moment of a clip of `samples` goes in `augment`: times a factor, and then later by seconds."""
    if plan.strength == "none" or not samples:
        return 1.0, 0.0
    before, after = _speed(plan, key)
    later = _shift(samples_at_speed(samples, plan, key), sample_rate_hz, plan, key)
    return after / before, later / sample_rate_hz


def samples_at_speed(samples: int, plan: Augmentation, key: Key) -> int:
    """Return the samples that `augment` gives for a clip of `samples`."""
    before, after = (1, 1) if plan.strength == "none" else _speed(plan, key)
    return -(-samples * after // before)  # as the resampler rounds


def speed_number(plan: Augmentation, key: Key) -> int:
    """Return which of `OTHER_VOICES` a clip is played at where another speed is another class; 0 is its own."""
    if plan.strength == "none" or plan.speed != "new-class":
        return 0
    return int(_random(key, "speed").integers(len(OTHER_VOICES)))


def copies_of_classes(plan: Augmentation) -> int:
    """Return how often each class stands in the answers of training: once for each speed that makes another of it."""
    return len(OTHER_VOICES) if plan.strength != "none" and plan.speed == "new-class" else 1


def _speed(plan: Augmentation, key: Key) -> tuple[int, int]:
    if plan.speed == "new-class":
        return OTHER_VOICES[speed_number(plan, key)]
    limits = limits_of(plan.strength, plan.speed)
    return (1, 1) if limits is None else limits.speeds[int(_random(key, "speed").integers(len(limits.speeds)))]


def _shift(samples: int, sample_rate_hz: int, plan: Augmentation, key: Key) -> int:
    """Return by how many samples the clip moves later."""
    limits = limits_of(plan.strength, plan.shift)
    if limits is None:
        return 0
    largest = min(limits.shift_seconds * sample_rate_hz, _SHIFT_SHARE * samples)
    return round(_random(key, "shift").uniform(-largest, largest))


def mixed(frames: Tensor, mask: Tensor, plan: Augmentation, key: Key) -> tuple[Tensor, Tensor, float]:
    """Mix each clip with another one of the pass (mixup, Zhang et al. 2018).

    Args:
        frames: (batch, frames, features); padding of the other clip counts as silence.
        mask: (batch, frames): True where the frame belongs to the clip.
        plan: whether, and how much.
        key: seed, epoch and the first clip of the pass.

    Returns:
        The frames, each clip's partner (batch,), and the share of the clip itself, at least a half; 1 where nothing was
        mixed. The loss is that share of the one for the clip's label, and the rest of the one for its partner's.
    """
    itself, limits = torch.arange(len(frames), device=frames.device), limits_of(plan.strength, plan.mixing)
    if limits is None or len(frames) < 2:
        return frames, itself, 1.0
    random = _random(key, "mix")
    share = float(random.beta(limits.mix_alpha, limits.mix_alpha))
    share = max(share, 1 - share)
    partner = itself.roll(int(random.integers(1, len(frames))))
    heard = frames.masked_fill(~mask[..., None], 0)[partner]
    return share * frames + (1 - share) * heard, partner, share


def spec_augment(
    frames: Tensor,
    mask: Tensor,
    plan: Augmentation,
    key: tuple[int, int, int | Sequence[int] | Tensor],
) -> Tensor:
    """Silence some frames and, when strong, some features of each clip (SpecAugment, Park et al. 2019).

    At most `MASKED_AT_MOST` of a clip is silenced; a clip too short for that many frames keeps them all. Silence is
    zero, which is the mean of normalised features. The input is left as it is.

    Args:
        frames: (batch, frames, features), or (frames, features) of one clip.
        mask: (batch, frames), or (frames,): True where the frame belongs to the clip.
        plan: whether, and how much; a strength of none returns the frames themselves.
        key: seed, epoch and the clips' numbers: (batch,), or one number for one clip.
    """
    limits, width = limits_of(plan.strength, plan.masking), frames.shape[-1]
    if limits is None:
        return frames
    seed, epoch, clips = key
    silent = torch.zeros((mask.numel() // mask.shape[-1], *frames.shape[-2:]), dtype=torch.bool)
    numbers, lengths = torch.as_tensor(clips).reshape(-1).tolist(), mask.sum(-1).reshape(-1).tolist()
    for row, (clip, length) in enumerate(zip(numbers, lengths, strict=True)):
        random = _random((seed, epoch, clip), "mask")
        for start, stop in _spans(length, limits.frames_masked, random):
            silent[row, start:stop] = True
        for start, stop in _spans(width, limits.features_masked, random):
            silent[row, :length, start:stop] = True
    return frames.masked_fill(silent.view_as(frames).to(frames.device), 0)


def _random(key: Key, operation: str) -> np.random.Generator:
    """Return random numbers of this clip, epoch and operation: one operation more does not change the others."""
    return np.random.default_rng([*key, zlib.crc32(operation.encode())])


def _drawn(key: Key, operation: str, limits: Strength) -> np.random.Generator | None:
    """Return the random numbers of an effect, or None where this clip is spared it."""
    random = _random(key, operation)
    return random if random.random() < limits.effect_share else None


def _spans(length: int, share: float, random: np.random.Generator) -> list[tuple[int, int]]:
    """Return up to `_MASKS` spans that cover at most `share` of `length`."""
    widest = int(share * length) // _MASKS
    widths = [int(random.integers(widest + 1)) for _ in range(_MASKS)]
    starts = [int(random.integers(length - width + 1)) for width in widths]
    return [(start, start + width) for start, width in zip(starts, widths, strict=True)]


def _at_speed(waveform: Tensor, speed: tuple[int, int]) -> Tensor:
    """Play faster or slower by resampling, so that pitch and formants move along."""
    if speed[0] == speed[1]:
        return waveform
    from torchaudio.functional import resample

    # Small whole numbers keep the resampling filter short, whatever the sample rate.
    faster: Tensor = resample(waveform, *speed)
    return faster


def _shifted(waveform: Tensor, samples: int) -> Tensor:
    """Move later (positive) or earlier, with silence where nothing is left; the length stays."""
    if not samples:
        return waveform
    shifted = torch.zeros_like(waveform)
    if samples >= 0:
        shifted[samples:] = waveform[: len(waveform) - samples]
    else:
        shifted[:samples] = waveform[-samples:]
    return shifted


def _with_noise(waveform: Tensor, snr_db: tuple[float, float], random: np.random.Generator) -> Tensor:
    """Add stationary noise of a random colour; a silent clip stays silent."""
    spectrum = torch.fft.rfft(torch.from_numpy(random.standard_normal(len(waveform), dtype=np.float32)))
    bins = torch.arange(len(spectrum)).clamp(min=1)
    noise = torch.fft.irfft(spectrum * bins ** (-random.uniform(0, _NOISE_COLOUR) / 2), n=len(waveform))
    ratio = float(10 ** (-random.uniform(*snr_db) / 20))
    scale = ratio * waveform.square().mean().sqrt() / noise.square().mean().sqrt().clamp(min=1e-12)
    noisy: Tensor = waveform + scale * noise.to(waveform)
    return noisy
