"""Measures of representations against numbers counted by hand, and against all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.representations import contributions, nearest_same_class, similarity_kept, spread


def test_three_vectors_counted_by_hand() -> None:
    """Unit vectors (1, 0), (0.6, 0.8), (0.8, 0.6): products by dimension 0.6 + 0.8 + 0.48 and 0 + 0 + 0.48, over 3."""
    found = contributions([[2.0, 0.0], [3.0, 4.0], [0.8, 0.6]])

    assert found.anisotropy == pytest.approx((0.6 + 0.8 + 0.96) / 3)
    assert found.top == pytest.approx({1: 1.88 / 2.36, 2: 1.0, 3: 1.0})
    assert found.needed == {0.5: 1, 0.8: 2, 0.9: 2}


@pytest.mark.parametrize(("dimensions", "needed"), [(10, {0.5: 5, 0.8: 8, 0.9: 9}), (4, {0.5: 2, 0.8: 4, 0.9: 4})])
def test_equal_dimensions_share_evenly(dimensions: int, needed: dict[float, int]) -> None:
    found = contributions(np.ones((3, dimensions)))

    assert found.anisotropy == pytest.approx(1)
    assert found.top[1] == pytest.approx(1 / dimensions) and found.needed == needed


def test_vectors_that_point_apart_have_no_similarity_to_share() -> None:
    found = contributions([[1.0, 0.0], [-1.0, 0.0]])

    assert found.anisotropy == -1 and math.isnan(found.top[1]) and found.needed[0.9] == 0


@given(st.integers(2, 12), st.integers(1, 8), st.integers(0, 99))
def test_anisotropy_is_the_mean_cosine_of_all_pairs(clips: int, features: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(0.3, 1, (clips, features))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [float(unit[i] @ unit[j]) for i in range(clips) for j in range(clips) if i != j]

    assert contributions(vectors).anisotropy == pytest.approx(np.mean(cosines), abs=1e-9)
    assert contributions(vectors * 7).anisotropy == pytest.approx(contributions(vectors).anisotropy)


def test_what_has_no_direction_is_refused() -> None:
    for wrong in ([[1.0, 2.0]], [[0.0, 0.0], [1.0, 0.0]]):
        with pytest.raises(ValueError, match=r"expected|direction"):
            contributions(wrong)


def test_neighbours_of_one_class() -> None:
    vectors = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9], [0.95, 0.0]]

    assert nearest_same_class(vectors, ["a", "a", "b", "b", "b"]) == pytest.approx(3 / 5)


def test_spread_of_a_collapse_is_zero() -> None:
    assert spread([[1.0, 2.0]] * 4) == 0
    assert spread([[1.0, 0.0], [-1.0, 0.0]]) == pytest.approx(1)


def test_similarity_is_kept_under_rotation_and_lost_under_noise() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(200, 3))
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]

    assert similarity_kept(vectors, 5 * vectors @ turn) == pytest.approx(1)
    assert similarity_kept(vectors, random.normal(size=(200, 3))) < 0.1
    assert similarity_kept([[1.0, 0.0], [-1.0, 0.0]], [[0.0, 2.0], [0.0, -2.0]]) == pytest.approx(1)
