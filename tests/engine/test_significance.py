"""Sign flips against p-values counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.significance import sign_flip


def test_three_pairs_counted_by_hand() -> None:
    """Differences 1, 2, 3: of eight sign patterns only all plus and all minus reach a mean of 2."""
    found = sign_flip([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])

    assert found.p_value == found.smallest_p == 2 / 8
    assert found.difference == 2 and found.deviation == 1 and found.pairs == 3


def test_differences_that_cancel_have_a_p_value_of_one() -> None:
    assert sign_flip([1.0, 0.0], [0.0, 1.0]).p_value == 1


def test_equal_scores_are_no_difference() -> None:
    assert sign_flip([0.5] * 20, [0.5] * 20).p_value == 1


def test_many_clear_pairs_are_told_apart_and_noise_is_not() -> None:
    random = np.random.default_rng(3)
    old = random.normal(size=40)

    assert sign_flip(old + 1 + 0.1 * random.normal(size=40), old).p_value < 0.001
    assert sign_flip(random.normal(size=40), old).p_value > 0.05


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_the_direction_does_not_change_the_p_value(values: list[float]) -> None:
    zeros = [0.0] * len(values)

    assert sign_flip(values, zeros).p_value == sign_flip(zeros, values).p_value


def test_unpaired_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        sign_flip([1.0, 2.0], [1.0])
