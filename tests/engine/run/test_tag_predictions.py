"""Prediction files of clips with several classes, and of events in time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.predictions import measure_predictions
from engine.plan import plan_yaml
from expert.consultation.diagnose import diagnose_run
from knowledge.errors import InputError
from knowledge.loader import load_knowledge
from knowledge.records import Measured
from tests.engine.run.builders import Made, events_of

CLIPS = 800


def tags_file(path: Path, shares: dict[str, np.ndarray], true: dict[str, np.ndarray], mark: str = ";") -> Path:
    names = list(shares)
    lines = ["path,group,label,prediction," + ",".join(f"p_{name}" for name in names)]
    for i in range(len(shares[names[0]])):
        label, said = (mark.join(n for n in names if one[n][i]) for one in (true, {n: shares[n] >= 0.5 for n in names}))
        lines.append(f'{i}.wav,,"{label}","{said}",' + ",".join(f"{shares[n][i]:.6f}" for n in names))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def corpus(seed: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Dogs are told well, rain is guessed, and birds are told apart but never said."""
    random = np.random.default_rng(seed)
    true = {name: random.random(CLIPS) < share for name, share in (("dog", 0.4), ("rain", 0.3), ("bird", 0.2))}
    noise = random.random(CLIPS)
    shares = {
        "dog": np.where(true["dog"], 0.7 + 0.3 * noise, 0.3 * noise),
        "rain": random.random(CLIPS),
        "bird": np.where(true["bird"], 0.3, 0.1) + 0.1 * noise,
    }
    return shares, true


def number(measured: Measured, name: str) -> float:
    return float(measured.get(f"predictions.{name}"))  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", [";", "|", ","])
def test_classes_that_are_never_said_and_those_that_are_guessed(tmp_path: Path, mark: str) -> None:
    measured = measure_predictions([("val", tags_file(tmp_path / "val.csv", *corpus(), mark))], "tags")

    assert number(measured, "judged_classes") == 3
    assert number(measured, "silent_classes") == 1
    assert number(measured, "worst_class_lift_high") < 0.15
    silent = next(fact for fact in measured.facts if fact.name == "predictions.silent_classes")
    assert "bird" in silent.evidence[0].text
    guessed = next(fact for fact in measured.facts if fact.name == "predictions.worst_class_lift_high")
    assert "rain" in guessed.evidence[0].text


def test_what_is_said_is_as_sure_as_it_is_right_or_surer(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    share = random.uniform(0.5, 1, 4000)
    sound = {"dog": random.random(4000) < share, "rain": random.random(4000) < 0.5}
    shares = {"dog": share, "rain": np.full(4000, 0.1)}
    right = measure_predictions([("val", tags_file(tmp_path / "a.csv", shares, sound))], "tags")
    wrong = {"dog": random.random(4000) < share - 0.3, "rain": sound["rain"]}
    sure = measure_predictions([("val", tags_file(tmp_path / "b.csv", shares, wrong))], "tags")

    assert number(right, "said_calibration_error") < 0.05
    assert number(sure, "said_confidence_excess") == pytest.approx(0.3, abs=0.03)
    assert number(sure, "said_calibration_error_low") > 0.2


def test_events_that_are_never_found(tmp_path: Path) -> None:
    rows = [f'{i}.wav,,"dog 0.500-1.250; rain 2.000-4.000","rain 2.100-3.900"' for i in range(20)]
    (tmp_path / "val.csv").write_text("path,group,label,prediction\n" + "\n".join(rows) + "\n")
    measured = measure_predictions([("val", tmp_path / "val.csv")], "detection")

    assert number(measured, "count") == 20
    assert number(measured, "silent_classes") == 1
    assert number(measured, "silent_class_share") == 0.5
    assert "predictions.worst_class_lift_high" in {one.name for one in measured.unknown}


@pytest.mark.parametrize(
    "text", ["", "path,group,label,prediction\n", "path,label\n1.wav,dog\n", "p_dog,label\nx,dog\n"]
)
def test_a_file_without_what_is_needed_is_unknown_and_not_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "val.csv").write_text(text)
    measured = measure_predictions([("val", tmp_path / "val.csv")], "tags")
    assert "predictions.silent_classes" in {one.name for one in measured.unknown}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "val.csv").write_bytes(b"\xff\xfe\x00p")
    with pytest.raises(InputError):
        measure_predictions([("val", tmp_path / "val.csv")], "tags")


def test_a_run_of_tags_is_diagnosed_by_its_predictions(tmp_path: Path) -> None:
    from engine.plan import make_plan

    run = tmp_path / "run"
    tags_file(run / "predictions" / "val.csv", *corpus())
    plan = make_plan(
        {"name": "tags", "task": {"type": "classification", "labels": "several"}, "data": {"manifest": "clips.csv"},
         "training": {"loss": "binary-cross-entropy"}, "evaluation": {"select_by": "mean-average-precision"}}, "tags",
    )  # fmt: skip
    (run / "plan.yaml").write_text(plan_yaml(plan))
    fall = [0.7 * 0.9**i for i in range(12)]
    made = Made(train=fall, val=fall, metric=[0.3 + 0.03 * i for i in range(12)], name="mean-average-precision")
    (run / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events_of(made)))
    found = {finding.id: finding for finding in diagnose_run(load_knowledge(), run).session.findings}

    assert found["silent-classes"].severity == "warning"
    assert "1 of 3 classes" in found["silent-classes"].because
    assert "evaluation.threshold-each-class" in found["silent-classes"].remedies
