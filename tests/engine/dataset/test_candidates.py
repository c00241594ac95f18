"""The outline of a clip, how two are laid along one another, and which pairs are chosen by it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.candidates import candidate_pairs, likeness, likeness_by_numpy
from engine.evidence.dataset.signals import kernel
from engine.evidence.dataset.signals.outline import CELL_SECONDS, SIDES, outlines
from engine.evidence.dataset.signals.profile import PROFILE_BANDS

Floats = npt.NDArray[np.floating]


def energy(seed: int, frames: int) -> Floats:
    return np.random.default_rng(seed).gamma(0.5, size=(frames, PROFILE_BANDS)).astype(np.float32)


def drawn(*clips: Floats) -> list[bytes]:
    """Outlines of clips whose frames are cells."""
    starts = np.cumsum([0, *(len(clip) for clip in clips[:-1])])
    seconds = np.array([len(clip) * CELL_SECONDS for clip in clips])
    return outlines(np.concatenate(clips), starts, seconds, CELL_SECONDS)


def of(*lines: bytes) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Cells of all clips, and where those of each begin."""
    cells = np.frombuffer(b"".join(lines), np.int8).reshape(-1, SIDES)
    return cells, np.cumsum([0, *(len(line) // SIDES for line in lines)])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-6, 1e6))
def test_a_gain_leaves_the_outline(seed: int, gain: float) -> None:
    clip = energy(seed, 60)
    one, louder = (np.frombuffer(line, np.int8).astype(int) for line in drawn(clip, clip * np.float32(gain)))
    assert abs(one - louder).max() <= 1


def test_each_clip_has_cells_of_its_own_length() -> None:
    clips = [energy(seed, frames) for seed, frames in enumerate((1, 40, 7, 100))]
    lines = drawn(*clips)
    assert [len(line) // SIDES for line in lines] == [1, 40, 7, 100]
    for clip, line in zip(clips, lines, strict=True):
        assert abs(np.frombuffer(drawn(clip)[0], np.int8).astype(int) - np.frombuffer(line, np.int8)).max() <= 1


def test_silence_has_an_outline_without_anything() -> None:
    assert not np.frombuffer(drawn(np.zeros((50, PROFILE_BANDS), np.float32))[0], np.int8).any()


@pytest.mark.parametrize("cut", [(0, 0), (12, 8), (25, 20)])
def test_a_cut_copy_is_laid_where_it_belongs(cut: tuple[int, int]) -> None:
    clip = energy(1, 120)
    part = clip[cut[0] : len(clip) - cut[1]]
    cells, first = of(*drawn(clip, part, energy(2, 120)))
    copy, other = likeness(cells, first, np.array([[0, 1], [0, 2]]))
    assert copy > 0.9
    assert other < 0.4


@pytest.mark.skipif(kernel.library() is None, reason="the inner loops were not compiled")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=2, max_size=6), st.integers(0, 1000))
def test_the_kernel_gives_what_numpy_gives(lengths: list[int], seed: int) -> None:
    cells, first = of(*drawn(*(energy(seed + place, length) for place, length in enumerate(lengths))))
    pairs = np.array([(a, b) for a in range(len(lengths)) for b in range(a)], np.int64)
    found = likeness(cells, first, pairs)
    np.testing.assert_allclose(found, likeness_by_numpy(cells, first, pairs), atol=1e-4)
    assert ((found >= 0) & (found <= 1.0001)).all()


def test_a_cut_copy_far_away_by_profile_is_a_candidate() -> None:
    clips = [energy(seed, 100) for seed in range(30)]
    lines = drawn(*clips, clips[3][12:92])
    profiles = np.random.default_rng(5).normal(scale=9.0, size=(31, 48)).astype(np.float32)
    assert [3, 30] in candidate_pairs(profiles, lines).tolist()
    assert len(candidate_pairs(profiles, lines)) < 5


def test_near_profiles_with_other_outlines_are_none() -> None:
    lines = drawn(*(energy(seed, 100) for seed in range(8)))
    profiles = np.eye(8, 48, dtype=np.float32)  # 1.4 from each other
    assert len(candidate_pairs(profiles, lines)) == 0
    assert len(candidate_pairs(profiles, [b""] * 8)) > 0  # without outlines every near pair is compared


def test_nearly_equal_profiles_are_compared_whatever_their_outlines_say() -> None:
    lines = drawn(*(energy(seed, 100) for seed in range(2)))
    profiles = 0.3 * np.eye(2, 48, dtype=np.float32)  # 0.42 apart: as a held note and its noisy copy
    assert candidate_pairs(profiles, lines).tolist() == [[0, 1]]


def test_a_copy_is_found_among_many_clips_that_are_nearer_by_profile() -> None:
    """In large sets few neighbours are compared, of clips of a second and more some further ones, too."""
    rng = np.random.default_rng(4)
    clips = [energy(seed, 60) for seed in range(1200)]
    clips[1] = clips[0][10:55]
    profiles = rng.normal(size=(len(clips), 24)).astype(np.float32) * 20
    profiles[1] = profiles[0] + 6
    profiles[2:26] = profiles[0] + rng.normal(size=(24, 24)).astype(np.float32) * 2  # nearer than the copy is
    profiles[26:50] = profiles[1] + rng.normal(size=(24, 24)).astype(np.float32) * 2
    pairs = candidate_pairs(profiles, drawn(*clips))
    assert [0, 1] in pairs.tolist()
    short = [line[: 30 * SIDES] for line in drawn(*clips)]
    assert [0, 1] not in candidate_pairs(profiles, short).tolist()
