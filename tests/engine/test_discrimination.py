"""ABX against alignments and triples counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import discrimination
from engine.discrimination import abx, alignment_distances

RIGHT, UP, LEFT = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def clip(*frames: list[float]) -> np.ndarray:
    return np.array(frames, dtype=np.float32)


def test_distances_counted_by_hand() -> None:
    """A repeated frame costs nothing; a right angle is half; of two steps one free and one half is a quarter."""
    clips = [clip(RIGHT, UP), clip(RIGHT, RIGHT, UP), clip(UP), clip(LEFT, LEFT)]
    found = alignment_distances(clips)

    assert found[0, 1] == pytest.approx(0, abs=1e-6)
    assert found[0, 2] == pytest.approx(0.25)
    assert found[2, 3] == pytest.approx(0.5)
    assert found[0, 3] == pytest.approx(0.75)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 30))
def test_alignment_equals_the_plain_recursion(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = (random.normal(size=(n, 3)).astype(np.float32) for n in (height, width))
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (first, second)]
    costs = np.arccos(np.clip(unit[0] @ unit[1].T, -1, 1)) / np.pi
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for i in range(height):
        for j in range(width):
            before = [best[at] for at in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if at in best]
            cost, steps = min(before, key=lambda one: one[0]) if before else (0.0, 0)
            best[i, j] = (cost + costs[i, j], steps + 1)
    cost, steps = best[height - 1, width - 1]

    assert alignment_distances([first, second])[0, 1] == pytest.approx(cost / steps, abs=1e-4)


@given(lengths=st.lists(st.integers(1, 12), min_size=2, max_size=7), cells=st.sampled_from([1, 60, 400, 10**9]))
def test_pairs_are_aligned_alike_however_many_at_once(lengths: list[int], cells: int) -> None:
    random = np.random.default_rng(len(lengths))
    clips = [random.normal(size=(length, 3)).astype(np.float32) for length in lengths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discrimination, "_CELLS", cells)
        found = alignment_distances(clips)
        rows, columns = (np.array(lengths)[side] for side in np.triu_indices(len(lengths), 1))
        blocks = list(discrimination._blocks(rows, columns))

    assert sorted(np.concatenate(blocks).tolist()) == list(range(len(rows)))
    assert all(len(one) == 1 or len(one) * rows[one].max() * columns[one].max() <= cells for one in blocks)
    for i, j in zip(*np.triu_indices(len(clips), 1), strict=True):
        assert found[i, j] == found[j, i] == pytest.approx(alignment_distances([clips[i], clips[j]])[0, 1], abs=1e-6)


def test_triples_counted_by_hand() -> None:
    """Two clips of a and one of b: X = a has A = the other a, B = b; X = b has no A."""
    distances = np.array([[0.0, 0.2, 0.5], [0.2, 0.0, 0.1], [0.5, 0.1, 0.0]])
    found = abx(distances, ["a", "a", "b"], ["s", "s", "s"])
    (cell,) = found.cells

    assert cell.deltas == pytest.approx((0.3, -0.1)) and found.score == 0.5
    assert found.deltas.mean() == pytest.approx(0.1) and found.by_speaker() == {"s": 0.5}


def test_across_speakers_x_is_of_another_one() -> None:
    distances = np.abs(np.subtract.outer([0.0, 1.0, 0.1, 1.1], [0.0, 1.0, 0.1, 1.1]))
    found = abx(distances, ["a", "b", "a", "b"], ["s", "s", "t", "t"], across=True)

    assert found.score == 1 and {(cell.same, cell.speaker) for cell in found.cells} == {
        ("a", "s"), ("b", "s"), ("a", "t"), ("b", "t"),
    }  # fmt: skip


def test_a_collapse_is_chance_and_has_no_spread() -> None:
    found = abx(np.zeros((4, 4)), ["a", "a", "b", "b"], ["s"] * 4)

    assert found.score == 0.5 and found.deltas.std() == 0
