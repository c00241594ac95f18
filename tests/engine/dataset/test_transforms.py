"""Transforms agree with numpy's, whichever way they were loaded, and load nothing else of scipy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from engine.evidence.dataset import transforms


@pytest.mark.parametrize("compiled", [True, False])
def test_transforms_agree_with_numpy(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    if not compiled:
        monkeypatch.setattr(transforms, "_compiled", transforms._numpy_like)
    rng = np.random.default_rng(1)
    real = rng.standard_normal((3, 96)).astype(np.float32)
    assert transforms.rfft(real).dtype == np.complex64
    np.testing.assert_allclose(transforms.rfft(real), np.fft.rfft(real), atol=1e-4)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("rows", range(1, 10))
def test_any_number_of_rows_is_overwritten_by_its_transforms(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, rows: int
) -> None:
    if not compiled:
        monkeypatch.setattr(transforms, "_compiled", transforms._numpy_like)
    rng = np.random.default_rng(rows)
    given = (rng.standard_normal((rows, 90)) + 1j * rng.standard_normal((rows, 90))).astype(np.complex64)
    for found, wanted in ((transforms.fft, np.fft.fft), (transforms.ifft, np.fft.ifft)):
        held = given.copy()
        assert found(held) is held
        np.testing.assert_allclose(held, wanted(given), atol=1e-4)


@pytest.mark.parametrize(("points", "high"), [(352_800, 15_200), (32_768, 16_384), (32_769, 900), (99_000, 16_500)])
def test_low_bins_are_those_of_the_whole_transform(points: int, high: int) -> None:
    rows = np.random.default_rng(points).standard_normal((2, points)).astype(np.float32)
    low = transforms.low_rfft(rows, 100, high)
    np.testing.assert_allclose(low, np.fft.rfft(rows)[:, 100:high], atol=2e-3)


def test_a_child_loads_no_more_of_scipy_than_it_needs() -> None:
    code = (
        "import sys, numpy as np; from engine.evidence.dataset import transforms as t;"
        "t.rfft(np.ones((2, 8), np.float32)); assert 'scipy.fft' not in sys.modules;"
        "import scipy.fft; assert abs(scipy.fft.rfft(np.ones(8))[0] - 8) < 1e-9"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
