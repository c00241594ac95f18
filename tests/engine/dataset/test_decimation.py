"""Decimation: the spectrum of every n-th sample is that of all samples, for the frequencies that are wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.decimation import decimation
from engine.evidence.dataset.signals.kernel import library

pytestmark = pytest.mark.skipif(library() is None, reason="nothing was compiled")
HIGHEST_HZ = 1900


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000]),
    st.integers(100, 6000),
    st.integers(0, 10**6),
)
def test_the_low_spectrum_is_that_of_all_samples(rate: int, samples: int, seed: int) -> None:
    points = 3 * rate // 2 // 12 * 12
    wave = np.random.default_rng(seed).normal(size=samples).astype(np.float32)
    fewer = decimation(rate, points, HIGHEST_HZ)
    if fewer is None:
        return
    row = np.zeros(points // fewer.step, np.float32)
    low, high = 200 * points // rate, HIGHEST_HZ * points // rate

    fewer.into(wave, row)

    found = np.fft.rfft(row)[low:high] * fewer.gain(np.arange(low, high) * (rate / points), rate)
    whole = np.fft.rfft(wave, points)[low:high]
    # what the filter rings before the first sample is cut off, with the noise that folds
    assert np.linalg.norm(found - whole) < (0.01 + 6 / np.sqrt(samples)) * np.linalg.norm(whole)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([16000, 24000, 44100, 48000]), st.integers(1, 900), st.integers(1, 200))
def test_each_sample_is_the_sum_of_its_neighbours(rate: int, samples: int, made: int) -> None:
    fewer = decimation(rate, 3 * rate // 2 // 12 * 12, HIGHEST_HZ)
    assert fewer is not None
    wave = np.random.default_rng(samples).normal(size=samples).astype(np.float32)
    row = np.zeros(made, np.float32)

    fewer.into(wave, row)

    about = np.concatenate((np.zeros(fewer.before), wave, np.zeros(len(fewer.weights))))
    count = min(made, -(-samples // fewer.step))
    windows = [about[n * fewer.step : n * fewer.step + len(fewer.weights)] for n in range(count)]
    np.testing.assert_allclose(row[:count], np.array(windows) @ fewer.weights, atol=1e-5)
    assert not row[count:].any()


def test_what_folds_into_the_band_is_not_heard() -> None:
    rate, points = 16000, 48000
    fewer = decimation(rate, points, HIGHEST_HZ)
    assert fewer is not None and fewer.step == 3
    time = np.arange(16000) / rate
    row = np.zeros(points // 3, np.float32)

    for hz, heard in ((1000, 1.0), (rate / 3 - 1000, 0.0), (2 * rate / 3 - 500, 0.0)):
        fewer.into(np.sin(2 * np.pi * hz * time).astype(np.float32), row)
        assert np.std(row[200:5000]) * np.sqrt(2) == pytest.approx(heard, abs=2e-3)


def test_low_rates_are_left_as_they_are() -> None:
    assert decimation(8000, 24000, HIGHEST_HZ) is None
    assert decimation(16000, 48001, HIGHEST_HZ) is None
