"""Prediction files against data whose answers are known, and against what a file must not contain."""

import numpy as np
import pytest

from engine.evidence.predictions import measure_predictions, read_predictions
from knowledge.errors import InputError

from .builders import good_predictions, write_predictions


def rows_of(labels, predictions, groups=None):
    groups = groups if groups is not None else ["s"] * len(labels)
    return [(f"{i}.wav", g, a, b) for i, (g, a, b) in enumerate(zip(groups, labels, predictions, strict=True))]


def measure(tmp_path, task, **files):
    for name, rows in files.items():
        write_predictions(tmp_path / f"{name}.csv", rows)
    return measure_predictions([(name, tmp_path / f"{name}.csv") for name in files], task)


def value(measured, name):
    return measured.get(f"predictions.{name}")


def test_shrunken_predictions(tmp_path):
    labels = np.linspace(1, 5, 200)
    measured = measure(tmp_path, "regression", val=rows_of(labels, 3 + 0.5 * (labels - 3)))

    assert value(measured, "count") == 200
    assert value(measured, "std_ratio") == pytest.approx(0.5)
    assert value(measured, "r") == pytest.approx(1)
    assert value(measured, "slope") == pytest.approx(0.5)
    assert value(measured, "std_ratio_minus_r") == pytest.approx(-0.5)
    assert value(measured, "std_ratio_minus_r_high") < -0.4
    assert value(measured, "bias_share") == pytest.approx(0, abs=1e-9)
    assert value(measured, "lowest_bin_bias_share") > 0.5
    assert value(measured, "highest_bin_bias_share") < -0.5
    assert value(measured, "accuracy") is None


def test_a_least_squares_predictor_has_a_std_ratio_of_r(tmp_path):
    random = np.random.default_rng(0)
    labels = random.normal(size=600)
    features = labels + random.normal(0, 1.2, 600)
    fitted = np.polyval(np.polyfit(features, labels, 1), features)

    measured = measure(tmp_path, "regression", val=rows_of(labels, fitted))

    assert value(measured, "std_ratio") < 0.8
    assert value(measured, "std_ratio_minus_r") == pytest.approx(0, abs=1e-4)
    assert value(measured, "std_ratio_minus_r_low") < 0 < value(measured, "std_ratio_minus_r_high")


def test_predictions_off_by_a_constant(tmp_path):
    labels = np.linspace(1, 5, 100)
    measured = measure(tmp_path, "regression", val=rows_of(labels, labels + 1))

    assert value(measured, "bias_share") == pytest.approx(1 / labels.std(), rel=1e-3)
    assert value(measured, "bias_share_low") > 0


def test_classification(tmp_path):
    measured = measure(tmp_path, "classification", val=rows_of(list("aabb") * 25, list("aaba") * 25))

    assert value(measured, "accuracy") == 0.75
    assert 0.6 < value(measured, "accuracy_low") < 0.75 < value(measured, "accuracy_high") < 0.85
    assert value(measured, "majority_prediction_share") == 0.75
    assert value(measured, "majority_prediction_excess") == 0.25
    assert value(measured, "balanced_accuracy_high_over_chance") == pytest.approx(0.32, abs=0.03)
    assert value(measured, "r") is None


def test_one_class_for_every_clip(tmp_path):
    measured = measure(tmp_path, "classification", val=rows_of(list("abcd") * 25, ["c"] * 100))

    assert value(measured, "prediction_entropy_share") == 0
    assert value(measured, "majority_prediction_share") == 1
    assert value(measured, "majority_prediction_excess") == 0.75


def test_a_rare_class_is_no_collapse(tmp_path):
    labels = ["a"] * 99 + ["b"]
    measured = measure(tmp_path, "classification", val=rows_of(labels, ["a"] * 100))

    assert value(measured, "majority_prediction_excess") == pytest.approx(0.01)


def test_the_worst_group(tmp_path):
    random = np.random.default_rng(0)
    groups = [f"s{i % 4}" for i in range(400)]
    wrong = np.array([random.random() < (0.5 if group == "s2" else 0.05) for group in groups])
    measured = measure(tmp_path, "classification", val=rows_of(["a"] * 400, np.where(wrong, "b", "a"), groups))
    fact = next(fact for fact in measured.facts if fact.name == "predictions.worst_group_gap")

    assert fact.value == pytest.approx(0.45, abs=0.08)
    assert fact.n == 4
    assert "s2" in fact.evidence[0].text
    assert value(measured, "worst_group_apart") is True


def test_equal_groups_are_not_apart(tmp_path):
    measured = measure(tmp_path, "classification", val=good_predictions(0, "classification"))

    assert value(measured, "worst_group_apart") is False


def test_small_groups_are_not_compared(tmp_path):
    groups = [f"s{i}" for i in range(40)]
    measured = measure(tmp_path, "classification", val=rows_of(["a"] * 40, ["a"] * 40, groups))

    assert value(measured, "worst_group_gap") is None


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_external_data_on_which_the_model_fails(tmp_path, task):
    files = {"val": good_predictions(0, task), "field": good_predictions(1, task, shift=0.5)}
    measured = measure(tmp_path, task, **files)
    per_set = [fact for fact in measured.facts if fact.name == "predictions.external_gap" and fact.subject]

    assert value(measured, "external_gap") < 0
    assert [fact.subject for fact in per_set] == ["split:field"]


def test_external_data_like_validation_and_the_worst_of_several_speaks(tmp_path):
    same = measure(
        tmp_path / "a", "regression", val=good_predictions(0, "regression"), field=good_predictions(5, "regression")
    )
    several = measure(
        tmp_path / "b",
        "regression",
        val=good_predictions(0, "regression"),
        field=good_predictions(5, "regression"),
        phone=good_predictions(6, "regression", shift=0.5),
    )

    assert value(same, "external_gap") > 0
    assert value(several, "external_gap") < 0


def test_the_test_split_stays_closed(tmp_path):
    write_predictions(tmp_path / "val.csv", good_predictions(0, "regression"))
    files = [
        ("val", tmp_path / "val.csv"),
        ("test", tmp_path / "no-such-file.csv"),
        ("held-out", tmp_path / "none.csv"),
    ]

    measured = measure_predictions(files, "regression")

    assert value(measured, "external_gap") is None
    assert value(measured, "count") == 240


@pytest.mark.parametrize(
    ("task", "files", "kind"),
    [("regression", {}, "none"), ("", {"val": [("a", "s", 1, 1)]}, ""), ("regression", {"val": []}, "scores"),
     ("regression", {"val": rows_of([1, 2, 3], [1, float("nan"), 2])}, "scores"),
     ("regression", {"field": rows_of([1], [1])}, "none")],
)  # fmt: skip
def test_without_usable_predictions_everything_is_unknown_with_a_reason(tmp_path, task, files, kind):
    measured = measure(tmp_path, task, **files)

    assert {fact.name: fact.value for fact in measured.facts} == ({"predictions.kind": kind} if kind else {})
    assert len({item.name for item in measured.unknown}) == len(measured.unknown) > 20
    assert all(item.reason for item in measured.unknown)


def test_equal_labels_have_no_correlation(tmp_path):
    measured = measure(tmp_path, "regression", val=rows_of([3] * 40, np.linspace(2, 4, 40)))

    assert value(measured, "r") is None
    assert value(measured, "count") == 40


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_fact_is_either_known_or_unknown(tmp_path, task):
    everything = {item.name for item in measure_predictions([], task).unknown} | {"predictions.kind"}
    measured = measure(tmp_path, task, val=good_predictions(0, task), field=good_predictions(1, task))
    names = [fact.name for fact in measured.facts if not fact.subject] + [item.name for item in measured.unknown]

    assert sorted(names) == sorted(everything)


def test_a_file_without_the_columns_or_with_text_for_a_score_is_refused(tmp_path):
    path = tmp_path / "val.csv"
    path.write_text("path,score\na.wav,1\n")
    with pytest.raises(InputError, match=r"val\.csv:1: expected the columns label and prediction"):
        read_predictions(path, "regression")
    path.write_text("path,group,label,prediction\na.wav,s,1,good\n")
    with pytest.raises(InputError, match=r"val\.csv:2: expected a number in a regression, got 'good'"):
        read_predictions(path, "regression")
    with pytest.raises(InputError, match="cannot be read"):
        read_predictions(tmp_path / "nowhere.csv", "regression")


def test_the_bias_of_a_few_speakers_is_as_unsure_as_they_are_few(tmp_path):
    random = np.random.default_rng(0)
    offsets = [3.0, -0.3, 0.2, -0.1, 0.1, 0.3]
    rows = [
        (f"{speaker}-{clip}.wav", f"s{speaker}", label := random.uniform(0, 10), label + offset + random.normal(0, 0.3))
        for speaker, offset in enumerate(offsets)
        for clip in range(20)
    ]
    named, unnamed = tmp_path / "named.csv", tmp_path / "unnamed.csv"
    for path, keep in ((named, True), (unnamed, False)):
        lines = [f"{name},{group if keep else ''},{label},{said}" for name, group, label, said in rows]
        path.write_text("path,group,label,prediction\n" + "\n".join(lines) + "\n")
    known, unknown = (measure_predictions([("val", path)], "regression") for path in (named, unnamed))

    assert known.get("predictions.groups") == 6
    assert known.get("predictions.bias_share_low") < 0 < unknown.get("predictions.bias_share_low")
    assert known.get("predictions.r_low") == unknown.get("predictions.r_low")
