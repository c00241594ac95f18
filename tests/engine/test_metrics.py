"""The metrics against hand-computed values, their identities, and the coverage of the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import metrics

SCORES = st.lists(st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3)), min_size=3, max_size=40)
CLASSES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=40)


def spread(values):
    return max(values) - min(values) > 0.01


def test_classification_by_hand():
    labels, predictions = list("aaaabbc"), list("aaabbac")

    classes, matrix = metrics.confusion(labels, predictions)

    assert classes.tolist() == ["a", "b", "c"]
    assert matrix.tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert metrics.accuracy(labels, predictions) == pytest.approx(5 / 7)
    assert metrics.balanced_accuracy(labels, predictions) == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics.macro_f1(labels, predictions) == pytest.approx((6 / 8 + 2 / 4 + 1) / 3)


def test_class_that_is_only_predicted_lowers_f1_and_leaves_balanced_accuracy():
    assert metrics.macro_f1(["a", "a"], ["a", "b"]) == pytest.approx((2 / 3 + 0) / 2)
    assert metrics.balanced_accuracy(["a", "a"], ["a", "b"]) == pytest.approx(0.5)


def test_regression_by_hand():
    labels, predictions = [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 3.0, 3.0]

    assert metrics.pearson(labels, predictions) == pytest.approx(0.5 / (1.25 * 0.25) ** 0.5)
    assert metrics.std_ratio(labels, predictions) == pytest.approx(0.5 / 1.25**0.5)
    assert metrics.slope(labels, predictions) == pytest.approx(0.5 / 1.25)
    assert metrics.ccc(labels, predictions) == pytest.approx(2 * 0.5 / (1.25 + 0.25))
    assert metrics.bias(labels, predictions) == 0
    assert metrics.rmse(labels, predictions) == pytest.approx(0.5**0.5)
    assert metrics.mae(labels, predictions) == 0.5


def test_a_level_shift_lowers_ccc_and_not_r():
    labels = np.arange(10.0)

    assert metrics.pearson(labels, labels + 3) == pytest.approx(1)
    assert metrics.ccc(labels, labels + 3) == pytest.approx(2 * 8.25 / (2 * 8.25 + 9))
    assert metrics.bias(labels, labels + 3) == pytest.approx(3)


def test_constant_predictions_have_no_correlation_and_constant_labels_no_ratio():
    assert metrics.pearson([1, 2, 3], [0.1, 0.1, 0.1]) == 0
    assert metrics.ccc([1, 2, 3], [0.1, 0.1, 0.1]) == pytest.approx(0, abs=1e-12)
    assert metrics.std_ratio([1, 2, 3], [5, 5, 5]) == 0
    assert np.isnan(metrics.std_ratio([5, 5, 5], [1, 2, 3]))
    assert np.isnan(metrics.slope([5, 5, 5], [1, 2, 3]))


@given(SCORES.filter(spread), st.floats(0.05, 5), st.floats(-50, 50))
def test_shrinkage_by_s_gives_std_ratio_s_and_leaves_r(labels, s, level):
    truth = np.array(labels)
    predictions = truth.mean() + s * (truth - truth.mean()) + level

    assert metrics.std_ratio(truth, predictions) == pytest.approx(s, rel=1e-6)
    assert metrics.pearson(truth, predictions) == pytest.approx(1, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=3, max_size=40))
def test_identities_of_the_correlations(pairs):
    labels, predictions = np.round(np.array(pairs), 3).T
    if np.ptp(labels) < 0.01:
        return
    r = metrics.pearson(labels, predictions)

    assert abs(metrics.ccc(labels, predictions)) <= abs(r) + 1e-9
    assert metrics.slope(labels, predictions) == pytest.approx(r * metrics.std_ratio(labels, predictions), abs=1e-9)
    assert metrics.ccc(labels, predictions) == pytest.approx(metrics.ccc(predictions, labels), abs=1e-12)
    assert metrics.mae(labels, predictions) <= metrics.rmse(labels, predictions) + 1e-9


def test_ccc_of_few_clips_is_biased_low():
    """What `train.ccc_batch` warns of: a population with CCC 0.75, scored in batches (source CCC-BATCH)."""
    random = np.random.default_rng(0)
    labels = random.normal(size=20_000)
    predictions = 0.75 * labels + np.sqrt(1 - 0.75**2) * random.normal(size=20_000)

    def of_batches(size):
        drawn = random.integers(0, 20_000, (1500, size))
        return float(np.mean([metrics.ccc(labels[rows], predictions[rows]) for rows in drawn]))

    assert metrics.ccc(labels, predictions) == pytest.approx(0.75, abs=0.01)
    assert of_batches(2) == pytest.approx(0.38, abs=0.03)
    assert of_batches(16) == pytest.approx(0.72, abs=0.02)
    assert of_batches(32) == pytest.approx(0.735, abs=0.015)


@given(CLASSES, st.randoms())
def test_perfect_predictions_score_one(labels, random):
    for metric in (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1):
        assert metric(labels, labels) == 1
        shuffled = random.sample(labels, len(labels))
        assert 0 <= metric(labels, shuffled) <= 1


def test_per_bin_errors_show_compression():
    labels = np.linspace(1, 5, 400)

    bins = metrics.per_bin_errors(labels, 3 + 0.5 * (labels - 3), bins=4)

    assert [(part.low, part.high) for part in bins] == [(1, 2), (2, 3), (3, 4), (4, 5)]
    assert sum(part.n for part in bins) == 400
    assert [round(part.bias, 2) for part in bins] == [0.75, 0.25, -0.25, -0.75]
    assert bins[0].mae == pytest.approx(bins[0].bias)


def test_per_bin_errors_keep_an_empty_bin_and_refuse_three_bins():
    bins = metrics.per_bin_errors([0, 0, 4], [0, 0, 4], bins=4)

    assert [part.n for part in bins] == [2, 0, 0, 1]
    assert np.isnan(bins[1].mae)
    with pytest.raises(ValueError, match="at least 4"):
        metrics.per_bin_errors([0, 1], [0, 1], bins=3)


def test_bootstrap_interval_covers_the_population_value():
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(100):
        labels = random.normal(size=150)
        predictions = 0.6 * labels + 0.8 * random.normal(size=150)
        low, high = metrics.bootstrap_interval(metrics.pearson, labels, predictions, samples=200, seed=seed)
        covered += low <= 0.6 <= high

    assert 87 <= covered <= 100


def test_bootstrap_over_groups_is_wider_when_groups_are_alike_inside():
    random = np.random.default_rng(0)
    speakers = np.repeat(np.arange(10), 30)
    right = np.repeat(random.random(10) < 0.5, 30)
    labels, predictions = np.zeros(300), np.where(right, 0, 1)

    clips = metrics.bootstrap_interval(metrics.accuracy, labels, predictions, samples=300)
    groups = metrics.bootstrap_interval(metrics.accuracy, labels, predictions, groups=speakers, samples=300)

    assert groups[1] - groups[0] > 3 * (clips[1] - clips[0])


def test_bootstrap_is_repeatable_and_treats_text_as_numbers():
    labels, predictions = list("abab") * 10, list("abba") * 10

    text = metrics.bootstrap_interval(metrics.macro_f1, labels, predictions, samples=50, seed=3)
    numbers = metrics.bootstrap_interval(
        metrics.macro_f1, [ord(x) for x in labels], [ord(x) for x in predictions], samples=50, seed=3
    )

    assert text == numbers


def test_paired_difference_is_narrower_than_the_scores_and_has_a_sign():
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200)
    old = np.where(random.random(200) < 0.7, labels, 1 - labels)
    new = old.copy()
    wrong = np.flatnonzero(old != labels)[:20]
    new[wrong] = labels[wrong]

    low, high = metrics.paired_difference_interval(metrics.accuracy, labels, new, old, samples=500)
    back = metrics.paired_difference_interval(metrics.accuracy, labels, old, new, samples=500)

    assert 0 < low < 0.1 < high < 0.2
    assert back == pytest.approx((-high, -low))


@pytest.mark.parametrize("arrays", [([], []), ([1, 2], [1])])
def test_arrays_of_different_or_no_length_are_refused(arrays):
    with pytest.raises(ValueError, match="expected"):
        metrics.accuracy(*arrays)
    with pytest.raises(ValueError, match="expected"):
        metrics.bootstrap_interval(metrics.accuracy, *arrays)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match="groups"):
        metrics.bootstrap_interval(metrics.accuracy, [1, 2], [1, 2], groups=[1])
