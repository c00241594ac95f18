"""Near duplicates: altered copies are found, other sounds and steady ones are not."""

from __future__ import annotations

import itertools
import os
import signal as signals
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from engine.evidence.dataset import near_comparison
from engine.evidence.dataset.alignment import Alignment, Sketch, align, sketch_period, sketches
from engine.evidence.dataset.clips import Clip, Scan
from engine.evidence.dataset.near import NearPair, find_near
from engine.evidence.dataset.near_copies import near_groups
from engine.evidence.dataset.neighbours import Integers, Reach, nearest, nearest_pairs
from engine.evidence.dataset.records import Region
from engine.evidence.dataset.scan import scan_clips
from engine.evidence.dataset.signals.kernel import library
from engine.evidence.dataset.sketch_table import _runs

RATE = 8000
Floats = npt.NDArray[np.floating]


def sound(seed: int, seconds: float = 1.0) -> Floats:
    """A sound with a spectrum and a course of its own, like nothing but itself."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=int(seconds * RATE))
    course = np.interp(np.arange(len(noise)), np.linspace(0, len(noise), 12), rng.uniform(0.05, 1.0, 12))
    slope = signal.lfilter([1.0], [1.0, -rng.uniform(0.3, 0.9)], noise)
    return 0.1 * course * slope


def laid(first: tuple[Floats, int], second: tuple[Floats, int]) -> Alignment:
    a, b = sketches([first, second])
    assert a is not None
    assert b is not None
    return align([(a, b)])[0]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 4.0), st.integers(0, 2400))
def test_gain_and_padding_cost_nothing(seed: int, gain: float, pad: int) -> None:
    clip = sound(seed)
    found = laid((clip, RATE), (np.concatenate((np.zeros(pad), clip * gain)), RATE))
    assert found.similarity > 0.97
    assert found.lag_seconds == pytest.approx(pad / RATE, abs=0.0005)
    assert found.gain_db == pytest.approx(20 * np.log10(gain), abs=0.5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 1600), st.integers(0, 1600))
def test_a_part_is_found_in_the_whole(seed: int, front: int, back: int) -> None:
    clip = sound(seed)
    found = laid((clip, RATE), (clip[front : len(clip) - back], RATE))
    assert found.similarity > 0.95
    assert found.lag_seconds == pytest.approx(-front / RATE, abs=0.0005)


@pytest.mark.parametrize("rate", [16000, 44100, 11025])
def test_another_rate_costs_nothing(rate: int) -> None:
    clip = sound(3)
    other = signal.resample(clip, round(len(clip) * rate / RATE))
    assert laid((clip, RATE), (other, rate)).similarity > 0.97


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_different_sounds_are_not_alike(seed: int) -> None:
    assert laid((sound(seed), RATE), (sound(seed + 1), RATE)).similarity < 0.5


def test_a_tone_is_seen_to_be_steady() -> None:
    time = np.arange(RATE) / RATE
    tone = laid((np.sin(2 * np.pi * 440 * time), RATE), (np.sin(2 * np.pi * 440 * time + 1.0), RATE))
    assert tone.neighbour > 0.9
    assert laid((sound(1), RATE), (sound(1), RATE)).neighbour < 0.7


def test_silence_and_constants_have_no_sketch() -> None:
    silent, constant, broken = sketches(
        [(np.zeros(4000), RATE), (np.full(4000, 0.1), RATE), (np.full(4000, np.nan), RATE)]
    )
    assert silent is None
    assert broken is None
    assert constant is None or constant.level_db < -90


def test_a_batch_gives_what_each_pair_gives_alone() -> None:
    made = [each for each in sketches([(sound(seed, 0.3 + 0.2 * seed), RATE) for seed in range(6)]) if each]
    pairs = [(a, b) for a in made for b in made]
    for pair, together in zip(pairs, align(pairs), strict=True):
        alone = align([pair])[0]
        assert together.similarity == pytest.approx(alone.similarity, abs=1e-4)


def near_by(profiles: npt.NDArray[np.float32], reach: Reach) -> Integers:
    return nearest_pairs(nearest(profiles, max(2, reach.count)), reach)


def test_neighbours_are_those_of_a_full_comparison() -> None:
    rng = np.random.default_rng(1)
    profiles = rng.normal(size=(300, 8)).astype(np.float32)
    distance = np.linalg.norm(profiles[:, None] - profiles[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    rank = distance.argsort(axis=1).argsort(axis=1)
    mutual = (rank < 2) & (rank.T < 2)
    near = (distance < 1.0) | ((distance < 2.0) & ((rank == 0) | mutual))
    wanted = {(min(a, b), max(a, b)) for a, b in zip(*near.nonzero(), strict=True)}
    found = {tuple(pair) for pair in near_by(profiles, Reach(299, 1.0, 2.0)).tolist()}
    assert found == wanted
    assert len(found) > 50


@pytest.mark.parametrize("kernel", ["1", "0"])
def test_the_nearest_come_first(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    monkeypatch.setenv("TONMEISTER_KERNEL", kernel)
    library.cache_clear()
    profiles = np.random.default_rng(2).normal(size=(211, 8)).astype(np.float32)
    distance = np.linalg.norm(profiles[:, None] - profiles[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    try:
        found = nearest(profiles, 7)
    finally:
        library.cache_clear()

    assert np.array_equal(found.places, distance.argsort(axis=1)[:, :7])
    assert np.allclose(np.sqrt(found.squared), np.sort(distance, axis=1)[:, :7], atol=1e-3)


def test_a_crowd_has_few_neighbours_each() -> None:
    assert len(near_by(np.zeros((500, 4), np.float32), Reach(4, 1.0, 1.0))) <= 5 * 500


def test_cells_lose_few_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.evidence.dataset.neighbours._ALL_WITH_ALL", 100)
    rng = np.random.default_rng(1)
    originals = rng.normal(size=(3000, 16)).astype(np.float32)
    copies = originals[:500] + rng.normal(scale=0.1, size=(500, 16)).astype(np.float32)
    found = {tuple(pair) for pair in near_by(np.concatenate((originals, copies)), Reach(4, 3.0, 3.0)).tolist()}
    assert sum((number, 3000 + number) in found for number in range(500)) >= 490


def test_too_few_clips_have_no_neighbours() -> None:
    assert len(near_by(np.zeros((1, 4), np.float32), Reach(4, 1.0, 1.0))) == 0
    assert len(near_by(np.zeros((2, 4), np.float32), Reach(4, 1.0, 1.0))) == 1


def written(folder: Path, sounds: dict[str, tuple[Floats, int]]) -> Scan:
    """Write sounds, and return a scan of them in which all profiles are alike."""
    clips = {}
    for name, (samples, rate) in sounds.items():
        soundfile.write(folder / name, samples, rate, subtype="PCM_16")
        region = Region(folder / name)
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        clips[region] = Clip(region, name, name, "", "", rate, channels, len(samples), subtype="PCM_16")
    return Scan(clips, {}, np.zeros((len(clips), 48), np.float32))


def test_altered_copies_are_found_and_named(tmp_path: Path) -> None:
    clip, padded = sound(1), np.concatenate((np.zeros(1200), sound(1)))
    scan = written(tmp_path, {"a.wav": (clip, RATE), "b.wav": (0.5 * padded, RATE), "c.wav": (sound(2), RATE)})
    (pair,) = find_near(scan)
    assert (pair.first.file.name, pair.second.file.name) == ("a.wav", "b.wav")
    assert pair.similarity > 0.95
    assert pair.transform == "begins 0.15 s later, is 0.15 s longer, is 6.0 dB softer"


@pytest.mark.parametrize("side", [0, 1])
def test_a_copy_of_one_channel_is_found(tmp_path: Path, side: int) -> None:
    """Half of the mix is the other channel, which the copy does not have."""
    both = np.stack((sound(1), sound(2)), axis=1)
    scan = written(tmp_path, {"a.wav": (both, RATE), "b.wav": (0.5 * both[:, side], RATE)})
    (pair,) = find_near(scan)
    assert pair.similarity > 0.99
    assert pair.transform.startswith("is one channel of it")


@pytest.mark.parametrize("side", [0, 1])
def test_a_copy_of_the_softer_channel_is_found_among_many(tmp_path: Path, side: int) -> None:
    """The profile of a clip is that of its louder channel, to which others are nearer than the copy of the softer."""
    strength = np.array([1.0, 1.0])
    strength[side] = 0.5
    regions = []
    for number in range(8):
        both = np.stack((sound(2 * number), sound(2 * number + 1)), axis=1) * strength
        soundfile.write(tmp_path / f"{number}.wav", both, RATE)
        regions.append(Region(tmp_path / f"{number}.wav"))
    soundfile.write(tmp_path / "copy.wav", 0.5 * both[:, side], RATE)
    pairs = find_near(scan_clips([*regions, Region(tmp_path / "copy.wav")]))
    assert [{pair.first.file.stem, pair.second.file.stem} for pair in pairs if pair.similarity > 0.9] == [{"7", "copy"}]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(0.02, 0.6))
def test_how_long_it_sounds_is_the_length_of_the_part_that_is_loud(seed: int, seconds: float) -> None:
    noise = np.random.default_rng(seed).normal(size=RATE) * 0.1
    noise[int(seconds * RATE) :] *= 0.001
    sounding = laid((noise, RATE), (noise, RATE)).sounding_seconds
    assert 0.3 * seconds < sounding < 1.1 * seconds


def many(folder: Path) -> Scan:
    """Copies of words and of longer sounds, mono and of two channels, cut into more pieces of work than one."""
    sounds: dict[str, tuple[Floats, int]] = {}
    for seed in range(16):
        seconds = 0.4 if seed % 3 else 8.0
        own = sound(seed, seconds)
        sounds |= {f"{seed}a.wav": (own, RATE), f"{seed}b.wav": (0.5 * own[int(0.1 * len(own)) :], RATE)}
        if not seed % 4:
            sounds[f"{seed}c.wav"] = np.stack((own, sound(100 + seed, seconds)), axis=1), RATE
    written(folder, sounds)
    return scan_clips([Region(folder / name) for name in sounds])


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children compare however little there is."""
    monkeypatch.setattr("engine.evidence.dataset.near._WORTH_SHARING_SECONDS", 0)


def test_little_sound_is_compared_by_this_process_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = many(tmp_path)
    started: list[object] = []
    monkeypatch.setattr("engine.evidence.dataset.side_by_side.SideBySide._start", started.append)
    assert find_near(scan, workers=3)
    assert not started


@pytest.mark.usefixtures("shared")
def test_any_number_of_processes_finds_the_same(tmp_path: Path) -> None:
    """To the last bit: transforms of several rows round otherwise than those of one."""
    scan = many(tmp_path)
    one, two, three = (find_near(scan, workers=workers) for workers in (1, 2, 3))
    assert one == two == three
    assert len([pair for pair in one if pair.similarity > 0.95]) >= 16
    assert any(pair.channel is not None for pair in one)
    assert any(pair.waveforms is not None for pair in one)


@given(st.lists(st.tuples(st.sampled_from([8000, 16000, 44100]), st.floats(0.02, 300)), max_size=60))
def test_clips_are_sketched_beside_others_of_their_length(lengths: list[tuple[int, float]]) -> None:
    clips = [
        Clip(Region(f"{place}.wav"), sample_rate_hz=rate, frames=max(1, round(rate * seconds)))
        for place, (rate, seconds) in enumerate(lengths)
    ]
    runs = list(_runs(range(len(clips)), clips))
    assert sorted(place for run in runs for place in run) == list(range(len(clips)))
    for run in runs:
        assert len({(clips[place].sample_rate_hz, sketch_period(clips[place].duration_seconds)) for place in run}) == 1
        assert len(run) == 1 or sum(clips[place].duration_seconds for place in run) <= 100  # of memory


@pytest.mark.usefixtures("shared")
def test_a_small_table_of_sketches_changes_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = many(tmp_path)
    found = find_near(scan)
    monkeypatch.setattr("engine.evidence.dataset.sketch_table.KEPT_SAMPLES", 90_000)
    monkeypatch.setattr("engine.evidence.dataset.near_comparison._BLOCK_SAMPLES", 40_000)
    few = find_near(scan, workers=2)
    assert find_near(scan) == few
    assert {(pair.first, pair.second) for pair in few} == {(pair.first, pair.second) for pair in found}
    similarity = {(pair.first, pair.second): pair.similarity for pair in found}
    assert all(pair.similarity == pytest.approx(similarity[pair.first, pair.second], abs=1e-4) for pair in few)


@pytest.mark.usefixtures("shared")
def test_processes_that_die_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second child is killed in the middle of its work, as by the kernel where memory runs out."""
    scan = many(tmp_path)
    monkeypatch.setattr(near_comparison, "_BLOCK_PAIRS", 8)
    found = find_near(scan)
    here, compared = os.getpid(), near_comparison.align
    number = itertools.count()

    def killed(pairs: list[tuple[Sketch, Sketch]]) -> list[Alignment]:
        if os.getpid() != here and next(number) % 2:
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signals.SIGKILL)
        return compared(pairs)

    monkeypatch.setattr(near_comparison, "align", killed)
    assert find_near(scan, workers=3) == found
    assert (tmp_path / "killed").exists()


def test_a_file_that_is_gone_is_left_out(tmp_path: Path) -> None:
    scan = written(tmp_path, {"a.wav": (sound(1), RATE), "b.wav": (sound(1), RATE)})
    (tmp_path / "b.wav").unlink()
    assert find_near(scan) == ()


def test_groups_follow_chains() -> None:
    region = [Region(Path(name)) for name in "abcde"]
    pairs = [NearPair(region[a], region[b], 1.0, "") for a, b in ((0, 1), (2, 1), (3, 4))]
    groups = near_groups(pairs)
    assert groups[region[0]] == groups[region[1]] == groups[region[2]] != groups[region[3]] == groups[region[4]]


def test_a_vowel_of_two_formants_is_found_where_it_was_cut() -> None:
    """Cut half a sample of the sketch beside its grid, such a sound is more like itself a beat further on."""
    rng = np.random.default_rng(3)
    spectrum = np.zeros(1601, complex)
    for low, high in ((120, 150), (660, 690)):  # 300 and 1650 Hz of 8000 Hz
        spectrum[low:high] = rng.standard_normal(high - low) + 1j * rng.standard_normal(high - low)
    sound = np.fft.irfft(spectrum).astype(np.float32)
    first, second = sketches([(sound, 8000), (sound[386:-250], 8000)])
    assert first is not None and second is not None
    (alignment,) = align([(first, second)])
    assert alignment.lag_seconds == pytest.approx(-386 / 8000, abs=1e-4)
    assert alignment.similarity > 0.95
