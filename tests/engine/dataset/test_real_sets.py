"""The facts of three published sets equal those that were computed without this program."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from .sets import REAL, Measurement, measure, measure_real


@pytest.fixture(scope="module")
def expected(test_data: Path) -> dict[str, Any]:
    return dict(json.loads((test_data / "audio" / "expected.json").read_text()))


@pytest.fixture(scope="module", params=list(REAL))
def real(request: pytest.FixtureRequest, test_data: Path) -> tuple[str, Measurement]:
    return request.param, measure_real(test_data, request.param)


def test_columns_and_task_are_recognised(real: tuple[str, Measurement]) -> None:
    name, found = real
    columns = found.dataset.columns

    assert (columns.path, columns.label, columns.group, columns.split) == ("path", *REAL[name], "split")
    assert found["task.type"] == ("regression" if name == "speechocean762" else "classification")


def test_sizes_and_formats(real: tuple[str, Measurement], expected: dict[str, Any]) -> None:
    name, found = real
    truth = expected[name]

    assert found["dataset.rows"] == found["dataset.clips"] == truth["rows"]
    assert found["dataset.hours"] == pytest.approx(truth["hours"], abs=5e-5)
    assert {str(found["dataset.sample_rate_hz"]): found["dataset.rows"]} == truth["sample_rates"]
    assert (found["dataset.sample_rates"], found["dataset.channels_max"]) == (1, 1)


def test_durations(real: tuple[str, Measurement], expected: dict[str, Any]) -> None:
    name, found = real
    seconds = expected[name]["duration_s"]

    for fact, key in (("min", "min"), ("median", "median"), ("p95", "p95"), ("max", "max")):
        assert found[f"dataset.duration_{fact}_seconds"] == pytest.approx(seconds[key], abs=6e-4)


def test_splits_and_groups(real: tuple[str, Measurement], expected: dict[str, Any]) -> None:
    name, found = real
    truth = expected[name]
    several = truth.get("speakers_in_several_splits", truth.get("groups_in_several_splits"))
    leaked = truth.get("test_rows_with_train_speaker", truth.get("test_rows_with_train_group"))

    assert found["dataset.train_clips"] == truth["splits"]["train"]
    assert found["dataset.validation_clips"] == truth["splits"].get("val", 0)
    assert found["dataset.test_clips"] == truth["splits"]["test"]
    assert found["dataset.groups"] == truth.get("speakers", truth.get("groups"))
    assert found["dataset.effective_groups"] == pytest.approx(
        truth.get("effective_speakers", truth.get("effective_groups")), abs=0.05
    )
    assert found["dataset.overlapping_groups"] == several
    assert found["dataset.leaked_test_clips"] == leaked
    assert len(found.fact("dataset.leaked_test_clips").paths) == leaked


def test_labels(real: tuple[str, Measurement], expected: dict[str, Any]) -> None:
    name, found = real
    truth = expected[name]

    if name == "speechocean762":
        assert found["dataset.label_min"] == pytest.approx(truth["score"]["min"], abs=5e-4)
        assert found["dataset.label_max"] == pytest.approx(truth["score"]["max"], abs=5e-4)
        scores = [row.score for row in found.dataset.rows if row.score is not None]
        fifth = (max(scores) - min(scores)) / 5
        low = sum(score < min(scores) + fifth for score in scores)
        assert found["dataset.sparse_extreme_clips"] == low
    else:
        assert found["dataset.classes"] == truth["classes"]
        assert found["dataset.smallest_class_clips"] == truth["smallest_class"][1]
        assert found["dataset.imbalance_ratio"] == pytest.approx(truth["imbalance_ratio"], abs=5e-4)


def test_nothing_is_wrong_with_the_files(real: tuple[str, Measurement]) -> None:
    _, found = real

    for fault in (
        "missing_files", "unreadable_files", "truncated_files", "respelled_paths", "orphan_files", "duplicate_rows",
        "exact_duplicate_clips", "duplicates_across_splits", "conflicting_duplicates", "empty_labels",
        "rows_without_group", "respelled_groups", "rows_without_split",
    ):  # fmt: skip
        assert found[f"dataset.{fault}"] == 0, fault


def test_every_fact_is_known_or_unknown_with_a_reason_and_never_both(real: tuple[str, Measurement]) -> None:
    _, found = real
    known = [fact.name for fact in found.measured.facts if not fact.subject]
    unknown = [item.name for item in found.measured.unknown]

    assert len(set(known)) == len(known)
    assert not set(known) & set(unknown)
    assert all(item.reason for item in found.measured.unknown)


def test_three_thousand_clips_are_audited_in_seconds(test_data: Path) -> None:
    started = time.process_time()

    measure(test_data / "audio" / "fsdd" / "manifest.csv")

    assert time.process_time() - started < 5  # half a second on an idle core
