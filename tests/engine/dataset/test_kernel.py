"""The compiled inner loops give what numpy gives; numpy is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.signals import kernel, levels, spectra

needs_kernel = pytest.mark.skipif(kernel.library() is None, reason="the inner loops were not compiled")


@needs_kernel
@settings(max_examples=60, deadline=None)
@given(size=st.integers(4, 13), rows=st.integers(1, 20), low=st.booleans(), seed=st.integers(0, 99))
def test_spectra_are_those_of_numpy(size: int, rows: int, low: bool, seed: int) -> None:
    length = 2**size
    samples = np.random.default_rng(seed).standard_normal(rows * length).astype(np.float32)
    window = np.hanning(length).astype(np.float32)
    bins = length // 4 if low else length // 2 + 1
    bands = kernel.Bands.of_table(np.random.default_rng(seed).random((length // 2 + 1, 3), np.float32))
    found = kernel.spectra(samples, rows, length, window, bins, bands)
    assert found is not None
    power, sums = spectra.power_by_numpy(samples.reshape(rows, length) * window, bins, bands)
    assert found[0] == pytest.approx(power, rel=1e-4, abs=1e-5 * length)
    assert found[1] == pytest.approx(sums, rel=1e-4, abs=1e-5 * length)


@needs_kernel
def test_a_silent_frame_beside_loud_ones_stays_silent() -> None:
    samples = np.random.default_rng(1).standard_normal((9, 64)).astype(np.float32)
    samples[4] = 0
    found = kernel.spectra(samples.ravel(), 9, 64, np.ones(64, np.float32), 33)
    assert found is not None
    assert not found[0][4].any()
    assert found[0][3].any()


@needs_kernel
@settings(max_examples=40, deadline=None)
@given(blocks=st.integers(1, 30), size=st.sampled_from([8, 64, 128, 256]), seed=st.integers(0, 99))
def test_levels_are_those_of_numpy(blocks: int, size: int, seed: int) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (blocks, size)).astype(np.float32)
    found = kernel.levels(samples)
    assert found is not None
    for ours, theirs in zip(found, levels.levels_by_numpy(samples), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 20), width=st.integers(1, 70), seed=st.integers(0, 99))
def test_medians_are_those_of_the_rest_of_each_row(rows: int, width: int, seed: int) -> None:
    table = np.random.default_rng(seed).integers(-9, 9, (rows, width)).astype(np.float32)
    found = kernel.medians_from(table)
    for place in range(width):
        assert found[:, place] == pytest.approx(np.median(table[:, place:], axis=1))


@settings(max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_chosen_rows_are_summed_run_by_run(counts: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.standard_normal((sum(counts), 33)).astype(np.float32)
    chosen = random.random(len(rows)) < 0.5
    first = np.cumsum(counts, dtype=np.intp) - np.array(counts, np.intp)
    found = kernel.chosen_sums(rows, chosen, first)
    runs = np.split(rows * chosen[:, None], np.cumsum(counts)[:-1])
    assert found == pytest.approx(np.stack([run.sum(axis=0) for run in runs]), abs=1e-5)


def test_16_bit_samples_become_floats() -> None:
    samples = np.array([-32768, -1, 0, 1, 32767], np.int16)
    out = np.empty(5, np.float32)
    kernel.to_floats(samples, out)
    assert out.tolist() == (samples / np.float32(32768)).tolist()


def test_without_the_library_numpy_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "library", lambda: None)
    assert kernel.spectra(np.zeros(64, np.float32), 1, 64, np.ones(64, np.float32), 33) is None
    test_16_bit_samples_become_floats()
    test_chosen_rows_are_summed_run_by_run()
    test_medians_are_those_of_the_rest_of_each_row()


@needs_kernel
@pytest.mark.parametrize("step", [1, 4, 8, 16, 64])
def test_means_are_those_of_numpy(step: int) -> None:
    samples = np.random.default_rng(1).normal(size=(6, 256)).astype(np.float32)
    wanted = samples.reshape(-1, step).mean(axis=1)
    np.testing.assert_allclose(kernel.means(samples, step), wanted, atol=1e-6)
