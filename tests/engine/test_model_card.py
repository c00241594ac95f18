"""The model card: what it says of a run, and what it does not claim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.emissions import emissions
from engine.model_card import write_card
from engine.plan import make_plan, plan_yaml
from knowledge.errors import InputError, UsageError

START = {
    "kind": "start", "device": "GPU", "classes": ["a", "b"], "parameters": 10, "trainable_parameters": 5,
    "train_clips": 4, "validation_clips": 6, "left_out": 1,
}  # fmt: skip
END = {"kind": "end", "status": "completed", "best_epoch": 2, "seconds": 3600.0}


def finished(folder: Path, *events: dict[str, object]) -> Path:
    plan = make_plan({"name": "words", "task": {"type": "classification"}, "data": {"manifest": "m.csv"}}, "test")
    (folder / "predictions").mkdir()
    (folder / "plan.yaml").write_text(plan_yaml(plan))
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    rows = ["path,group,label,prediction", *(f"{n}.wav,{'xy'[n % 2]},a,{'ab'[n == 1]}" for n in range(6))]
    (folder / "predictions/val.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_the_card_tells_results_groups_limits_and_cost(tmp_path: Path) -> None:
    reading = {"kind": "telemetry", "gpu_energy_wh": 100.0}
    text = write_card(finished(tmp_path, START, reading, END)).read_text()

    assert "# words" in text and "val: 6 clips" in text and "| accuracy | 0.833 | " in text
    assert text.index("| y | 3 | 0.667 |") < text.index("| x | 3 | 1.000 |")
    assert "0.1 kWh" in text and "48.1 g CO2e, at 481 g/kWh (world)" in text
    assert "No groups were named" in text


def test_no_error_among_few_clips_is_no_certainty(tmp_path: Path) -> None:
    run = finished(tmp_path, START, END)
    assert "No error among" not in write_card(run).read_text()
    path = run / "predictions/val.csv"
    path.write_text(path.read_text().replace(",a,b", ",a,a"))

    # 0.607 is the sixth root of 0.05.
    assert "No error among 6 clips" in (text := write_card(run).read_text()) and "errs on 39.3% of clips" in text


def test_energy_that_nobody_measured_is_not_made_up(tmp_path: Path) -> None:
    run = finished(tmp_path, START, END)

    assert "not known" in write_card(run).read_text()
    assert "0.05 kWh (50 W over 3600 s" in write_card(run, watts=50).read_text()


def test_attempts_of_a_resumed_run_add_up() -> None:
    readings = [{"kind": "telemetry", "gpu_energy_wh": value} for value in (1.0, 4.0)]
    found = emissions([START, *readings, START, readings[0], END], region="FR", overhead=1.5)

    assert found.energy_kwh == pytest.approx(0.005) and found.grams == pytest.approx(0.005 * 1.5 * 56)


def test_what_cannot_be_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Atlantis"):
        emissions([], region="Atlantis")
    with pytest.raises(InputError, match="no finished run"):
        write_card(finished(tmp_path, START))
