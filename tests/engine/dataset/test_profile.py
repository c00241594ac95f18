"""The profile that near duplicates are searched by: what must not change it, and what must."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.signals.profile import PROFILE_SIZE, band_weights, profiles

RATE = 8000
WINDOW, HOP = 256, 128
Floats = npt.NDArray[np.float64]


def _clip(seed: int, seconds: float = 0.6) -> Floats:
    """A short sound with a spectrum and bursts of its own."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros_like(time)
    for _ in range(6):
        burst = np.exp(-(((time - rng.uniform(0.1, seconds - 0.1)) / 0.05) ** 2))
        sound += rng.uniform(0.2, 1.0) * burst * np.sin(2 * np.pi * rng.uniform(250, 1800) * time)
    return sound


def _profiles(*clips: Floats) -> npt.NDArray[np.floating]:
    frames = [np.lib.stride_tricks.sliding_window_view(clip, WINDOW)[::HOP] for clip in clips]
    starts = np.cumsum([0, *(len(each) for each in frames[:-1])])
    power = np.abs(np.fft.rfft(np.vstack(frames) * np.hanning(WINDOW), axis=1)) ** 2
    return profiles(power.astype(np.float32) @ band_weights(power.shape[1], RATE), starts, HOP / RATE)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 30.0))
def test_the_level_does_not_count(seed: int, gain: float) -> None:
    clip = _clip(seed)
    alone, louder = _profiles(clip, clip * gain)
    np.testing.assert_allclose(alone, louder, atol=1e-2)


def test_the_padded_copy_is_nearest() -> None:
    clips = [_clip(seed) for seed in range(60)]
    noise = np.random.default_rng(0).normal(0, 1e-4, 1200)
    found = _profiles(*clips, *(np.concatenate((noise, clip)) for clip in clips))
    distance = np.linalg.norm(found[:60, None] - found[None, 60:], axis=2)
    assert (distance.argmin(axis=1) == np.arange(60)).mean() > 0.95


def test_a_batch_gives_what_each_clip_gives_alone() -> None:
    clips = [_clip(seed, 0.3 + 0.1 * seed) for seed in range(5)]
    together = _profiles(*clips)
    assert together.shape == (5, PROFILE_SIZE)
    np.testing.assert_allclose(together, np.vstack([_profiles(clip) for clip in clips]), atol=1e-3)


def test_silence_has_no_profile_and_spoils_no_other() -> None:
    silent, sounding = _profiles(np.zeros(2000), _clip(1))
    assert np.isnan(silent).any()
    assert np.isfinite(sounding).all()
