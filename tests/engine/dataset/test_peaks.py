"""Peaks of correlations: compiled code says what numpy says."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.alignment import Alignment, Sketch, align
from engine.evidence.dataset.signals.kernel import library


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    library.cache_clear()


def band(seed: int, samples: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spectrum = np.fft.fft(rng.normal(size=samples) + 1j * rng.normal(size=samples))
    hz = np.fft.fftfreq(samples, 1 / 2000) % 2000
    return np.fft.ifft(spectrum * ((hz > 200) & (hz < 1900))).astype(np.complex64)


def sketch(signal: np.ndarray, level: float = -20.0) -> Sketch:
    return Sketch((signal / np.linalg.norm(signal)).astype(np.complex64), level)


def both(monkeypatch: pytest.MonkeyPatch, pairs: list[tuple[Sketch, Sketch]]) -> list[list[Alignment]]:
    found = []
    for kernel in ("1", "0"):
        monkeypatch.setenv("TONMEISTER_KERNEL", kernel)
        library.cache_clear()
        found.append(align(pairs))
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 900), st.integers(1, 900), st.integers(0, 300))
def test_compiled_code_says_what_numpy_says(seed: int, long: int, other: int, cut: int) -> None:
    whole = band(seed, 1200)
    pairs = [
        (sketch(whole[cut : cut + long]), sketch(whole[:other], -30.0)),
        (sketch(whole[:other]), sketch(band(seed + 1, 1200)[:long])),
        (sketch(np.exp(1j * np.arange(long))), sketch(np.exp(1j * np.arange(other)))),
    ]
    with pytest.MonkeyPatch.context() as patch:
        compiled, plain = both(patch, pairs)

    for left, right in zip(compiled[:2], plain[:2], strict=True):
        assert left.similarity == pytest.approx(right.similarity, abs=1e-3)
        if right.similarity > 0.5 and min(long, other) > 50:
            assert left.lag_seconds == pytest.approx(right.lag_seconds, abs=1e-5)
            assert left.gain_db == pytest.approx(right.gain_db, abs=0.01)
            assert left.neighbour == pytest.approx(right.neighbour, abs=1e-3)
            assert left.sounding_seconds == pytest.approx(right.sounding_seconds, rel=1e-2)
    assert compiled[2].similarity == pytest.approx(plain[2].similarity, abs=2e-3)


def test_a_tone_is_steady_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    tone = sketch(np.exp(0.9j * np.arange(1500)))

    for found in both(monkeypatch, [(tone, tone)]):
        assert found[0].neighbour > 0.9
        assert found[0].similarity > 0.99
