"""Labels: spellings, isolated scores, sparse ends, drift between splits, copies that disagree."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset import read_dataset
from engine.evidence.dataset.label_contrast import chi_square, contrast_p, drawn_without_return, evenness_p
from engine.evidence.dataset.labels import isolated_scores, measure_labels
from engine.evidence.dataset.splits import _design_effect, total_variation

from .sets import measure, write_manifest

SCORES = st.lists(st.floats(-100, 100, allow_nan=False, width=32), min_size=3, max_size=40)


@given(SCORES)
def test_never_half_of_the_scores_are_isolated(scores: list[float]) -> None:
    assert isolated_scores(np.array(scores)).sum() * 2 < len(scores)


@given(SCORES, st.floats(0.1, 50), st.floats(-30, 30))
def test_a_change_of_scale_isolates_the_same_scores(scores: list[float], factor: float, shift: float) -> None:
    array = np.round(np.array(scores), 3)

    np.testing.assert_array_equal(
        isolated_scores(array), isolated_scores(np.round(array * round(factor, 1) + round(shift, 1), 6))
    )


@pytest.mark.parametrize(
    ("scores", "isolated"),
    [
        ([1, 2, 3, 4, 5], 0),
        ([1, 2, 3, 4, 5, 50], 1),
        ([1, 2, 3, 4, 5, 50, 50], 2),
        ([-40, 1, 2, 3, 4, 5], 1),
        ([1, 1, 1, 1, 9], 0),  # constant labels have no spread to be far from
        ([1, 5], 0),
    ],
)
def test_isolated_scores(scores: list[float], isolated: int) -> None:
    assert isolated_scores(np.array(scores, dtype=float)).sum() == isolated


def test_a_skewed_distribution_has_no_isolated_scores() -> None:
    scores = np.random.default_rng(0).exponential(1, 5000)

    assert not isolated_scores(scores).any()


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8), st.lists(st.integers(0, 50), min_size=2, max_size=8))
def test_total_variation_is_a_distance_between_0_and_1(a: list[int], b: list[int]) -> None:
    size = min(len(a), len(b))
    left, right = np.array(a[:size]) + 1, np.array(b[:size]) + 1

    assert 0 <= total_variation(left, right) <= 1
    assert total_variation(left, right) == pytest.approx(total_variation(right, left))
    assert total_variation(left, 3 * left) == pytest.approx(0)


def _manifest(folder: Path, rows: list[str]) -> Path:
    return write_manifest(
        folder, "path,label,speaker,split\n" + "".join(f"{n}.wav,{row}\n" for n, row in enumerate(rows))
    )


def test_spellings_of_one_class_count_as_one(tmp_path: Path) -> None:
    found = measure(_manifest(tmp_path, ["dog,a,train", "dog,a,train", "Dog,a,train", "dog ,a,train", "cat,b,train"]))

    assert (found["dataset.classes"], found["dataset.smallest_class_clips"]) == (2, 1)
    assert found["dataset.imbalance_ratio"] == 4
    assert found.fact("dataset.respelled_labels").paths == ("2.wav", "3.wav")


def test_labels_that_differ_between_splits_are_told_from_chance(tmp_path: Path) -> None:
    same = [f"{'xy'[n % 2]},s{n},{'train' if n % 3 else 'test'}" for n in range(120)]
    other = [f"{'x' if n % 3 else 'xy'[n % 2]},s{n},{'train' if n % 3 else 'test'}" for n in range(120)]

    even = measure(_manifest(tmp_path / "a", same))
    apart = measure(_manifest(tmp_path / "b", other))

    assert (even["dataset.label_split_distance"], even["dataset.label_split_p"]) == (0, 1)
    assert apart["dataset.label_split_distance"] == pytest.approx(0.5)
    assert apart["dataset.label_split_p"] == pytest.approx(1 / 1001)


def test_speakers_with_labels_of_their_own_are_no_drift(tmp_path: Path) -> None:
    """Each speaker has one label; a split by speakers is uneven by necessity, and must not alarm."""
    rows = [f"{'xy'[n // 10 % 2]},s{n // 10},{'test' if n // 10 in (0, 2) else 'train'}" for n in range(80)]

    found = measure(_manifest(tmp_path, rows))

    assert found["dataset.label_split_distance"] == pytest.approx(2 / 3)
    assert found["dataset.label_split_p"] > 0.1


def test_a_class_that_training_lacks(tmp_path: Path) -> None:
    found = measure(_manifest(tmp_path, ["x,a,train", "y,b,train", "x,c,test", "z,c,test", "z,c,test"]))

    assert found["dataset.untrained_classes"] == 1
    assert found.fact("dataset.untrained_classes").paths == ("3.wav", "4.wav")


def test_copies_with_scores_apart(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, [f"{n / 2 + 1:.2f},s{n},train" for n in range(21)])
    (tmp_path / "0.wav").write_bytes((tmp_path / "10.wav").read_bytes())

    found = measure(manifest)

    assert found["dataset.conflicting_duplicates"] == 1
    assert found["dataset.conflicting_score_gap"] == pytest.approx(0.5)


def test_without_a_label_column_the_reason_names_the_columns(tmp_path: Path) -> None:
    found = measure(write_manifest(tmp_path, "path,speaker\na.wav,s1\nb.wav,s2\n"))

    assert found["dataset.clips"] == 2
    assert found.reason("task.type") == "no column was recognised as the label; the columns are path, speaker"


def test_without_groups_a_leaking_copy_is_known_and_no_copy_proves_nothing(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label,split\na.wav,x,train\nb.wav,x,test\nc.wav,y,test\n")
    clean = measure(manifest)
    (tmp_path / "b.wav").write_bytes((tmp_path / "a.wav").read_bytes())

    leaking = measure(manifest)

    assert clean["dataset.leaked_test_clips"] is None
    assert "no group column" in clean.reason("dataset.leaked_test_clips")
    assert (leaking["dataset.leaked_test_clips"], leaking["dataset.leaked_test_share"]) == (1, 0.5)
    assert "dataset.overlapping_groups" in {item.name for item in leaking.measured.unknown}


def test_rows_whose_split_means_nothing_are_counted(tmp_path: Path) -> None:
    found = measure(_manifest(tmp_path, ["x,a,train", "y,b,valid", "x,c,eval", "x,d,", "x,e,holdout"]))

    assert found["dataset.rows_without_split"] == 2
    assert [found[f"dataset.{name}_clips"] for name in ("train", "validation", "test")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("scores", "codes"),
    [
        ([*range(1, 41), -1, -1], 2),
        ([*range(1, 41), -1, -2], 0),  # a scale that goes below zero
        ([*range(1, 41), -0.5], 0),
        ([*range(41), -1], 0),  # zero is on the scale, so one below it may be as well
        (list(range(1, 42)), 0),
    ],
)
def test_the_one_negative_number_among_scores_is_a_code(tmp_path: Path, scores: list[float], codes: int) -> None:
    rows = "".join(f"{number}.wav,{score + 0.25 if score > 0 else score}\n" for number, score in enumerate(scores))
    found = measure(write_manifest(tmp_path, "path,score\n" + rows))

    assert found["dataset.negative_code_labels"] == codes


@pytest.mark.parametrize("classes", [2, 5, 10, 12, 13])
def test_equal_classes_are_wholly_balanced_and_no_more(tmp_path: Path, classes: int) -> None:
    """Rounding brought 1.0000000000000002 for five equal classes, which the vocabulary refuses."""
    rows = [f"{number}.wav,class{number % classes}" for number in range(3 * classes)]
    dataset = read_dataset(write_manifest(tmp_path, "\n".join(("path,label", *rows, ""))))
    value = next(fact.value for fact in measure_labels(dataset).facts if fact.name == "dataset.class_entropy")
    assert value == pytest.approx(1.0)
    assert value <= 1.0


def test_one_split_thinned_after_a_split_by_label_is_told_where_chance_would_forgive_it(tmp_path: Path) -> None:
    """Of 60 test clips 12 of two classes are gone: no more than a random split may lack, and validation lacks none."""
    kept = {"val": [10] * 6, "test": [10, 10, 10, 10, 4, 4], "train": [46] * 6}
    rows = [
        f"c{k},s{split}{n},{split}"
        for split, sizes in kept.items()
        for k, size in enumerate(sizes)
        for n in range(size)
    ]

    found = measure(_manifest(tmp_path, rows))

    assert found["dataset.label_split_p"] > 0.2
    assert found["dataset.label_contrast_near"] == 0
    assert found["dataset.label_contrast_far"] == pytest.approx(1 / 6)
    assert found["dataset.label_contrast_p"] < 0.005


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_parts_of_a_random_split_differ_no_more_than_parts_of_a_random_split(seed: int) -> None:
    """Twenty random splits; one in a hundred would have a p below 0.01."""
    rng = np.random.default_rng(seed)
    pooled = np.array([90, 60, 30, 30, 20])
    one = rng.multivariate_hypergeometric(pooled, 40)
    other = rng.multivariate_hypergeometric(pooled - one, 50)
    p = contrast_p(pooled - one - other, one, other)

    assert (
        p == contrast_p(pooled - one - other, other, one)
        or abs(p - contrast_p(pooled - one - other, other, one)) < 0.05
    )
    assert contrast_p(pooled - one - other, one, one) == 1
    assert chi_square(one, 3 * one) == pytest.approx(0)


def test_rows_of_counts_are_drawn_of_as_numpy_draws_of_each() -> None:
    rng = np.random.default_rng(3)
    left = np.tile(np.array([9, 0, 30, 5]), (4000, 1))

    drawn = drawn_without_return(rng, left, 12)
    known = rng.multivariate_hypergeometric(left[0], 12, size=4000)

    assert (drawn.sum(axis=1) == 12).all()
    assert ((drawn >= 0) & (drawn <= left)).all()
    np.testing.assert_allclose(drawn.mean(axis=0), known.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(known.T), atol=0.2)


def test_with_one_split_beside_training_there_is_nothing_to_contrast(tmp_path: Path) -> None:
    found = measure(_manifest(tmp_path, [f"{'xy'[n % 2]},s{n},{'train' if n % 3 else 'test'}" for n in range(120)]))

    assert found["dataset.label_contrast_p"] == 1
    assert found["dataset.label_contrast_near"] == found["dataset.label_contrast_far"]


def test_a_split_by_label_beside_one_that_is_none_is_told_in_a_small_set(tmp_path: Path) -> None:
    """Twenty clips a part are too few for the contrast alone; validation is as even as one random split in 600."""
    kept = {
        "val": [3, 3, 3, 3, 3, 1, 3, 2], "test": [4, 4, 3, 3, 1, 1, 2, 3], "train": [13, 14, 12, 13, 14, 2, 13, 12],
    }  # fmt: skip
    rows = [f"c{k},s{split}{n},{split}" for split, of in kept.items() for k, size in enumerate(of) for n in range(size)]

    found = measure(_manifest(tmp_path, rows))

    assert found["dataset.label_contrast_even_p"] < 0.02
    assert found["dataset.label_contrast_far"] > 0.1
    assert 0.005 < found["dataset.label_contrast_p"] < 0.1


def test_random_splits_are_seldom_as_even_as_splits_by_label() -> None:
    """Of 200 random splits a fiftieth would have a p below 0.02; a p that counted the wrong end would find most."""
    rng = np.random.default_rng(3)
    pooled = np.array([90, 60, 30, 30, 20])
    found = []
    for _ in range(200):
        one = rng.multivariate_hypergeometric(pooled, 40)
        other = rng.multivariate_hypergeometric(pooled - one, 40)
        found.append(evenness_p(pooled - one - other, one, other))
    assert sum(p < 0.02 for p in found) <= 10
    even = np.array([20, 10, 4, 8])
    assert evenness_p(np.array([70, 35, 14, 28]), even, even) < 0.02


def test_one_large_group_widens_chance_more_than_groups_of_its_mean_size() -> None:
    """Forty single clips and one speaker of forty: the mean group has two clips, the clips' own group twenty."""
    sizes = np.array([40] + [1] * 40)
    assert _design_effect(1.9, sizes) == pytest.approx(1 + (1640 / 80 - 1) * 0.9 / (80 / 41 - 1))
    assert _design_effect(2.5, np.full(20, 4)) == pytest.approx(2.5)
    assert _design_effect(0.7, sizes) == 1


def test_what_is_said_is_no_class(tmp_path: Path) -> None:
    rows = "".join(f"{n}.wav,sentence {n % 30},{n % 2}\n" for n in range(40))
    manifest = write_manifest(tmp_path, f"path,text,speaker\n{rows}")
    said = read_dataset(manifest, label="text")
    found = measure_labels(said)

    assert said.task == "ctc"
    assert {fact.name: fact.value for fact in found.facts} == {"dataset.empty_labels": 0, "task.type": "ctc"}
    assert {"dataset.classes", "dataset.label_min", "dataset.respelled_labels"} <= {one.name for one in found.unknown}
    assert read_dataset(manifest, label="text", task="classification").task == "classification"
    words = write_manifest(tmp_path, "path,text\n" + "".join(f"{n}.wav,{('yes', 'no')[n % 2]}\n" for n in range(9)))
    assert read_dataset(words, label="text").task == "classification"


def test_copies_that_say_something_else_disagree(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,text\n1.wav,one thing\n2.wav,another\n3.wav,a third\n")
    (tmp_path / "2.wav").write_bytes((tmp_path / "1.wav").read_bytes())

    assert measure(manifest, label="text")["dataset.conflicting_duplicates"] == 1
