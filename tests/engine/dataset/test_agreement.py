"""Waveforms of copies agree in all bands; those of two takes of one thing do not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset import find_near, scan_clips
from engine.evidence.dataset.agreement import Agreement, waveform_agreement
from engine.evidence.dataset.records import Region

RATE = 16000


def note(partial_phases: int, seconds: float = 1.0, hertz: float = 220.0, noise: float = 0.01) -> np.ndarray:
    """A decaying string of twenty partials; another number is another stroke: other phases, strengths and noise."""
    generator = np.random.default_rng(partial_phases)
    time = np.arange(int(seconds * RATE)) / RATE
    number = np.arange(1, 21)[:, None]
    phases, strengths = generator.normal(0, 0.4, (20, 1)), generator.uniform(0.5, 1, (20, 1)) / number
    hertz_of = number * (1 + 6e-4 * number**2) * hertz  # a string is stiff
    partials = (strengths * np.exp(-time * (1 + 0.5 * number)) * np.sin(2 * np.pi * hertz_of * time + phases)).sum(
        axis=0
    )
    return (partials + noise * generator.standard_normal(len(time)) * np.exp(-5 * time)).astype(np.float32)


def agreed(first: np.ndarray, second: np.ndarray, lag_seconds: float = 0.0, rate: int = RATE) -> Agreement:
    found = waveform_agreement((first, RATE), (second, rate), lag_seconds)
    assert found is not None
    return found


@settings(max_examples=15, deadline=None)
@given(gain=st.floats(-2, 2).filter(lambda gain: abs(gain) > 0.01), cut=st.floats(0, 0.3), take=st.integers(0, 9))
def test_gain_sign_and_a_cut_change_nothing(gain: float, cut: float, take: int) -> None:
    wave = note(take)
    later = round(cut * RATE)

    found = agreed(wave, np.float32(gain) * wave[later:], -later / RATE + 2e-4)

    assert found.misfit < 0.01
    assert found.clearest_db > 40


@settings(max_examples=15, deadline=None)
@given(take=st.integers(0, 9), seed=st.integers(0, 99))
def test_noise_is_no_misfit(take: int, seed: int) -> None:
    wave = note(take)
    noise = np.random.default_rng(seed).standard_normal(len(wave)) * np.std(wave) * 10 ** (-25 / 20)

    for found in (agreed(wave, wave + noise), agreed(wave + noise, wave)):
        assert found.misfit < 0.03
        assert found.clearest_db > 24


@pytest.mark.parametrize(("first", "second"), [(0, 51), (1, 52), (2, 53), (3, 54), (4, 55), (5, 56)])
def test_two_strokes_of_one_note_are_told_apart(first: int, second: int) -> None:
    assert agreed(note(first), note(second)).misfit > 0.06


def test_another_rate_changes_nothing() -> None:
    wave = note(1, hertz=150)
    spectrum = np.fft.rfft(wave)
    half = np.fft.irfft(spectrum[: len(wave) // 4 + 1], len(wave) // 2).astype(np.float32) / 2

    found = agreed(wave, half, rate=RATE // 2)

    assert found.misfit < 0.01
    assert found.clearest_db > 30


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_what_is_too_short_is_not_compared(seconds: float) -> None:
    wave = note(1)[: int(seconds * RATE)]
    assert waveform_agreement((wave, RATE), (note(1), RATE), 0.0) is None


def test_silence_is_not_compared() -> None:
    assert waveform_agreement((np.zeros(RATE, np.float32), RATE), (note(1), RATE), 0.0) is None


def test_samples_that_are_not_finite_do_not_spread() -> None:
    wave = note(1)
    broken = wave.copy()
    broken[8000] = np.nan
    assert agreed(wave, broken).misfit < 0.05


def test_a_note_is_known_again_and_another_stroke_is_not(tmp_path: Path) -> None:
    import soundfile

    wave = note(1, 2.0) / 4
    for name, samples in {"a": wave, "copy": wave[800:] / 2, "again": note(2, 2.0) / 4}.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)

    pairs = find_near(scan_clips([Region(tmp_path / f"{name}.wav") for name in ("a", "copy", "again")]))
    found = {frozenset((pair.first.file.stem, pair.second.file.stem)): pair.waveforms for pair in pairs}

    copy = found[frozenset(("a", "copy"))]
    assert copy is not None
    assert copy.misfit < 0.02
    assert all(each is None or each.misfit > 0.055 for names, each in found.items() if "again" in names)
