from pathlib import Path

import pytest

from engine.evidence.script.measures.searching import measure_searching
from knowledge.records import Value

from .projects import script_of


def told(folder: Path, text: str) -> dict[str, Value]:
    measured = measure_searching(script_of(folder, text))
    return {fact.name: fact.value for fact in measured.facts}


@pytest.mark.parametrize(("call", "expected"), [
    ("trial.suggest_float('lr', 1e-5, 1e-2)", {"script.linear_rate_search": True}),
    ("trial.suggest_float('lr', 1e-5, 1e-2, log=True)", {}),
    ("trial.suggest_float('lr', 1e-3, 5e-3)", {}),
    ("trial.suggest_float('dropout', 0.01, 0.5)", {}),
    ("trial.suggest_uniform('head_learning_rate', 1e-5, 1e-2)", {"script.linear_rate_search": True}),
    ("trial.suggest_loguniform('lr', 1e-5, 1e-2)", {}),
])  # fmt: skip
def test_rates_are_drawn_on_a_scale(tmp_path: Path, call: str, expected: dict[str, Value]) -> None:
    text = f"import optuna\ndef objective(trial):\n    return {call}\noptuna.create_study().optimize(objective)\n"
    assert told(tmp_path, text) == expected


@pytest.mark.parametrize(("body", "expected"), [
    ("if trial.number:\n        return 1.0", True),
    ("if trial.number:\n        return 1.0\n    else:\n        return 2.0", None),
    ("for step in range(3):\n        if step:\n            raise ValueError\n    return 2.0", None),
    ("print(trial)", None),
    ("try:\n        return 1.0\n    except ValueError:\n        pass", True),
    ("with open('x') as f:\n        return 1.0", None),
    ("while True:\n        return 1.0", None),
])  # fmt: skip
def test_an_objective_gives_a_value_on_every_way(tmp_path: Path, body: str, expected: bool | None) -> None:
    text = f"import optuna\ndef objective(trial):\n    {body}\noptuna.create_study().optimize(objective, n_trials=3)\n"
    assert told(tmp_path, text).get("script.silent_objective") is expected


@pytest.mark.parametrize(("call", "expected"), [
    ("tune.report(loss=1.0)", True), ("tune.report({'loss': 1.0})", None), ("tune.report(metrics={'loss': 1.0})", None),
])  # fmt: skip
def test_reports_to_ray(tmp_path: Path, call: str, expected: bool | None) -> None:
    assert told(tmp_path, f"from ray import tune\n{call}\n").get("script.reports_by_keyword") is expected


@pytest.mark.parametrize(("arguments", "expected"), [
    ("r=8, lora_alpha=16", 2.0), ("r=4, lora_alpha=64", 16.0), ("", 1.0), ("r=rank, lora_alpha=16", None),
])  # fmt: skip
def test_the_scale_of_adapters(tmp_path: Path, arguments: str, expected: float | None) -> None:
    text = f"import sys, peft\nrank = int(sys.argv[1])\npeft.LoraConfig({arguments})\n"
    found = told(tmp_path, text).get("script.adapter_ratio")
    assert found == expected or (expected is None and found is None)


def test_a_grid_is_seen(tmp_path: Path) -> None:
    assert told(tmp_path, "import optuna\noptuna.samplers.GridSampler({})\n") == {"script.grid_search": True}
