"""The statistics in numpy against scipy and against values by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, theilslopes

from engine.evidence.run.series import Series
from engine.evidence.run.statistics import (
    beside,
    detrended,
    deviation,
    head,
    kendall,
    noise,
    smoothed,
    tail,
    theil_sen,
    thinned,
    window_of,
)

CURVES = st.lists(st.integers(-50, 50), min_size=4, max_size=40).map(lambda values: np.array(values, dtype=float))


@settings(deadline=None)
@given(CURVES)
def test_kendall_is_that_of_scipy(values):
    time = np.arange(len(values), dtype=float)
    expected = kendalltau(time, values).statistic

    assert kendall(time, values) == pytest.approx(0.0 if np.isnan(expected) else expected)


@settings(deadline=None)
@given(CURVES)
def test_theil_sen_is_that_of_scipy_and_its_interval_holds_it(values):
    time = np.arange(len(values), dtype=float)
    slope = theil_sen(time, values)

    assert slope.value == pytest.approx(theilslopes(values, time).slope)
    assert slope.low <= slope.value <= slope.high


def test_theil_sen_of_a_line_with_an_outlier():
    values = 2.0 * np.arange(20)
    values[7] = 500

    slope = theil_sen(np.arange(20.0), values)

    assert slope.value == 2
    assert slope.low == slope.high == 2


def test_theil_sen_refuses_a_single_x():
    with pytest.raises(ValueError, match="two different x"):
        theil_sen(np.array([3.0, 3.0]), np.array([1.0, 2.0]))


@pytest.mark.parametrize(("points", "width"), [(9, 1), (10, 3), (60, 3), (100, 5), (1000, 51)])
def test_window_is_five_per_cent_odd_and_at_least_three(points, width):
    assert window_of(points) == width


def test_smoothing_removes_a_spike_and_keeps_the_ends():
    values = np.linspace(10, 1, 10)
    values[4] = 99

    result = smoothed(values)

    assert result[0] == 10
    assert result[-1] == 1
    assert result.max() == 10


def test_a_short_curve_is_not_smoothed():
    values = np.array([3.0, 9.0, 1.0])

    assert smoothed(values).tolist() == [3, 9, 1]
    assert tail(values) == 3


def test_the_head_of_single_batches_is_their_median_and_of_means_the_first():
    values = (9.0, 2.0, 2.2, *[1.0] * 97)
    batches = Series("train/loss", tuple(range(1, 101)), (None,) * 100, values)
    means = Series("train/loss", tuple(range(10, 1010, 10)), (None,) * 100, values)

    assert head(batches) == 2.2
    assert head(means) == 9


def test_noise_is_that_around_a_course():
    random = np.random.default_rng(0)
    course = np.linspace(5, 0, 400) ** 2
    values = course + random.normal(0, 0.1, 400)

    assert noise(values) == pytest.approx(0.1, rel=0.15)
    assert noise(course) < 0.001
    assert deviation(detrended(values)) == pytest.approx(0.11, rel=0.3)


def test_neighbours_leave_the_point_itself_out():
    before, after = beside(np.array([1.0, 2.0, 9.0, 4.0]), 2)

    assert np.isnan(before[0])
    assert before[1:].tolist() == [1, 1.5, 5.5]
    assert after[:3].tolist() == [5.5, 6.5, 4]
    assert np.isnan(after[3])


def test_thinning_bounds_the_length_and_keeps_short_curves():
    assert len(thinned(np.arange(25_000.0))) == 1000
    assert thinned(np.arange(7.0)).tolist() == list(range(7))
