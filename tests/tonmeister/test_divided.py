"""A plan that divides its model is told when it is started in one process, which holds all of it."""

from pathlib import Path

import pytest

from tests.engine.training.corpora import tone_plan, write_plan
from tonmeister.cli.main import main


@pytest.mark.parametrize(("sharding", "processes", "told"), [("fsdp", 1, True), ("fsdp", 2, False), ("none", 1, False)])
def test_one_process_for_a_divided_model_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sharding: str,
    processes: int,
    told: bool,
) -> None:
    monkeypatch.setattr("engine.process.run_child", lambda *_: 0)
    plan = write_plan(tone_plan(tmp_path / "m.csv", compute__sharding=sharding), tmp_path)

    assert main(["train", str(plan), "--output", str(tmp_path / "run"), "--processes", str(processes)]) == 0
    assert ("--processes N divides it" in capsys.readouterr().err) is told
