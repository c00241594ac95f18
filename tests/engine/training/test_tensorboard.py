"""Event files for TensorBoard: their checksums are TensorFlow's, and they hold what events.jsonl holds."""

import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.evidence.run.formats.tensorboard import read_events
from engine.plan import plan_yaml
from engine.training.tensorboard import Board, board_of, masked_crc
from tonmeister.cli.main import cli

from .corpora import events_of, tone_corpus, tone_plan, train


def test_checksums_are_those_of_files_that_tensorflow_wrote(test_data: Path) -> None:
    files = [path for path in (test_data / "logs").rglob("*tfevents*") if path.is_file()]
    assert files
    content = min(files, key=lambda path: path.stat().st_size).read_bytes()
    at, frames = 0, 0
    while at + 16 <= len(content) and frames < 20:
        (length,) = struct.unpack_from("<Q", content, at)
        head, body = content[at : at + 8], content[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", content, at + 8)[0] == masked_crc(head)
        assert struct.unpack_from("<I", content, at + 12 + length)[0] == masked_crc(body)
        at, frames = at + 16 + length, frames + 1
    assert frames > 1


def test_a_run_writes_what_its_events_say_and_another_file_when_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "run" / "tensorboard").mkdir(parents=True)
    plan = tone_plan(tone_corpus(tmp_path / "data"))
    run = train(plan, tmp_path / "run")
    (file,) = (run / "tensorboard").iterdir()
    found = {one.tag: list(one.values) for one in read_events(file)}

    assert found["train/loss"] == pytest.approx([event["loss"] for event in events_of(run, "step")], rel=1e-6)
    assert found["rate/head"] == pytest.approx([event["lr"]["head"] for event in events_of(run, "step")], rel=1e-6)
    wanted = [event["metrics"]["val/accuracy"] for event in events_of(run, "eval")]
    assert found["val/accuracy"] == pytest.approx(wanted, rel=1e-6)

    train(plan, run, resume=True)
    assert len(list((run / "tensorboard").iterdir())) == 2


def test_folds_and_stages_lie_beside_each_other(tmp_path: Path) -> None:
    assert board_of(tmp_path / "run") is None
    (tmp_path / "run" / "tensorboard").mkdir(parents=True)
    board = board_of(tmp_path / "run" / "fold-1" / "first-stage")
    assert board is not None
    board.close()
    assert list((tmp_path / "run" / "tensorboard" / "fold-1" / "first-stage").iterdir())


def test_a_board_that_cannot_be_written_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    board = Board(tmp_path / "file" / "below")
    board.add({"kind": "step", "t": 1.0, "step": 1, "loss": 0.5, "lr": {}})
    full = Board(tmp_path / "board")
    full.close()
    full._stream = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the board closes it
    full.add({"kind": "step", "t": 1.0, "step": 1, "loss": 0.5, "lr": {}})
    assert full._stream is None  # given up


def test_the_command_line_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.process.run_child", lambda *_: 0)
    (tmp_path / "plan.yaml").write_text(plan_yaml(tone_plan(tone_corpus(tmp_path / "data"))))
    for flags, there in (([], False), (["--tensorboard"], True)):
        output = tmp_path / f"run-{there}"
        result = CliRunner().invoke(cli, ["train", str(tmp_path / "plan.yaml"), "--output", str(output), *flags])
        assert result.exit_code == 0 and (output / "tensorboard").is_dir() is there
