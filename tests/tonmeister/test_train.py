"""`tonmeister train`: what may go on, what may begin again, and what is said of plans that cannot be run."""

from pathlib import Path
from typing import Any

import pytest

from engine.plan import plan_yaml, read_plan, write_atomically
from engine.training.model import build_model
from knowledge.errors import InputError
from tests.engine.training.corpora import tone_plan
from tonmeister.cli.main import main


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be started; a child costs four seconds, and what it does is tested where it is."""
    commands: list[list[str]] = []

    def run_child(command: list[str], run: Path, on_event: Any) -> int:
        commands.append(command)
        write_atomically(run / "events.jsonl", "")
        return 0

    monkeypatch.setattr("engine.process.run_child", run_child)
    return commands


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.err


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(plan_yaml(tone_plan(tmp_path / "clips.csv", training__epochs=1)))
    return path


def test_a_run_goes_on_with_its_own_plan_or_on_another_machine(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str], children: list[list[str]]
) -> None:
    folder = tmp_path / "run"
    own = folder / "plan.yaml"
    assert run(capsys, "train", plan, "--output", folder, "--seeds", 3)[0] == 0
    assert children[0][-2:] == ["--seeds", "3"]

    status, said = run(capsys, "train", plan, "--output", folder, "--resume", "--set", "training.epochs=3")
    assert (status, read_plan(own).training.epochs, len(children)) == (2, 1, 1)
    assert "training.epochs was 1, is 3" in said
    assert run(capsys, "train", own, "--output", folder, "--resume", "--set", "compute.workers=1")[0] == 0
    assert (read_plan(own).compute.workers, len(children)) == (1, 2)
    status, said = run(capsys, "train", plan, "--output", tmp_path / "none", "--resume")
    assert (status, "holds no run" in said, (tmp_path / "none").exists()) == (2, True, False)


def test_what_never_began_may_be_tried_again_and_a_file_of_the_user_is_kept(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong column ends a child before it trains, and leaves a plan and what it said."""
    failed = tmp_path / "run"
    write_atomically(failed / "plan.yaml", plan.read_text().replace("epochs: 1", "epochs: 7"))
    write_atomically(failed / "stderr.log", "there is no column 'nothing' for the label")
    before = plan.read_text()

    assert run(capsys, "train", plan, "--output", failed)[0] == 0
    assert read_plan(failed / "plan.yaml").training.epochs == 1
    assert run(capsys, "train", plan, "--output", failed)[0] == 2
    assert run(capsys, "train", plan, "--output", tmp_path)[0] == 2
    assert plan.read_text() == before


@pytest.mark.parametrize("checkpoint", ["/no/such/folder", "./nothing", "models/of/mine"])
def test_a_folder_that_is_not_there_is_called_so(checkpoint: str) -> None:
    plan = tone_plan(Path("clips.csv"), backbone__name="wav2vec2", backbone__checkpoint=checkpoint)
    with pytest.raises(InputError, match="there is no such folder"):
        build_model(plan, classes=3)
