"""`diagnose --test` and `--audit`: the trainer runs what would settle a cause, and the causes move."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.plan import plan_yaml, write_atomically
from engine.training.run import train_run
from engine.training.stopping import Stop
from tests.engine.training.corpora import tone_corpus, tone_plan
from tonmeister.cli.main import main


def diagnose(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict, str]:  # type: ignore[type-arg]
    status = main(["diagnose", *words, "--format", "json"])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, json.loads(captured.out) if captured.out else {}, captured.err


@pytest.fixture
def slow_run(tmp_path: Path) -> Path:
    """A run whose rate is far too low."""
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__learning_rate=1e-6, training__epochs=16)
    run = tmp_path / "run"
    write_atomically(run / "plan.yaml", plan_yaml(plan))
    train_run(run / "plan.yaml", run, resume=False, test=False, stop=Stop())
    return run


def test_a_test_settles_the_cause(slow_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, before, _ = diagnose(capsys, str(slow_run))
    _, after, told = diagnose(capsys, str(slow_run), "--test", "rate-range", "--audit")
    causes = {one["id"]: one for one in after["causes"]}

    assert "rate-range" in before["tests"]
    assert "rate-range" not in after["tests"]
    assert after["causes"][0]["id"] == "rate.too-low"
    assert causes["rate.too-low"]["standing"] == "asserted"
    assert any("test.rate_planned_over_steepest" in line for line in causes["rate.too-low"]["for"])
    assert "Test rate-range: " in told
    assert (slow_run / "tests" / "rate-range" / "outcome.json").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--test", "nonsense"), "no such test"), (("--test", "one-batch"), "holds no plan.yaml"),
     (("--audit",), "holds no plan.yaml")],
)  # fmt: skip
def test_what_cannot_be_tested_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss\n0,2.0\n1,1.0\n2,0.5\n")
    status, _, error = diagnose(capsys, str(log), *words)

    assert status == 2
    assert said in error


def test_a_log_without_a_plan_is_told_to_make_the_tests_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    rows = [f"{epoch},{2 / epoch:.4f},{1 + 0.2 * abs(epoch - 4):.4f}" for epoch in range(1, 13)]
    log.write_text("epoch,train_loss,val_loss\n" + "\n".join(rows) + "\n")

    assert main(["diagnose", str(log), "--fail-on", "never"]) == 0
    told = " ".join(capsys.readouterr().out.split())

    assert "The tests below are yours to make" in told
    assert "the trainer can run:" not in told
    assert "The trainer runs it" not in told


def test_a_test_that_fails_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tone_corpus(tmp_path / "data")
    run = tmp_path / "run"
    write_atomically(run / "plan.yaml", plan_yaml(tone_plan(manifest)))
    train_run(run / "plan.yaml", run, resume=False, test=False, stop=Stop())
    manifest.unlink()

    assert main(["diagnose", str(run), "--test", "gradient-census"]) == 4
    assert "manifest.csv" in capsys.readouterr().err
