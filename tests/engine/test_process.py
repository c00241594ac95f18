import _thread
import signal
import sys
import threading
from pathlib import Path

import pytest

from engine.process import EventTail, evaluate_command, last_words, run_child, train_command

WRITER = """
import json, pathlib, signal, sys, time
run = pathlib.Path(sys.argv[1])
def write(kind, where=run):
    where.mkdir(exist_ok=True)
    with (where / "events.jsonl").open("a") as stream:
        stream.write(json.dumps({"v": 1, "kind": kind}) + "\\n")
"""


def child(run: Path, script: str) -> list[str]:
    return [sys.executable, "-c", WRITER + script, str(run)]


def test_a_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = EventTail(path)
    assert tail.read() == []
    path.write_text('{"kind": "start"}\n{"kind": "st')
    assert tail.read() == [{"kind": "start"}]
    with path.open("a") as stream:
        stream.write('ep"}\nnot json\n[1]\n{"kind": "end"}\n')

    assert tail.read() == [{"kind": "step"}, {"kind": "end"}]
    assert tail.read() == []


def test_the_commands_start_this_python_without_the_working_directory(tmp_path: Path) -> None:
    start = [sys.executable, "-P", "-m", "engine"]
    plan, run = tmp_path / "plan.yaml", tmp_path / "run"

    assert train_command(plan, run) == [*start, "train", str(plan), "--run", str(run)]
    assert train_command(plan, run, folds="part", resume=True, test=True)[-4:] == [
        "--folds",
        "part",
        "--resume",
        "--test",
    ]
    assert evaluate_command(run, plan, split="test", name="there") == [
        *start, "evaluate", str(run), str(plan), "--split", "test", "--name", "there",
    ]  # fmt: skip
    assert evaluate_command(run) == [*start, "evaluate", str(run)]


def test_events_of_the_run_and_its_folds_are_handed_over_and_older_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"kind": "old"}\n')
    heard: list[str] = []
    script = 'write("start"); write("fold", run / "fold-1"); sys.stderr.write("a word"); sys.exit(4)'
    status = run_child(child(tmp_path, script), tmp_path, lambda event: heard.append(event["kind"]))

    assert status == 4
    assert sorted(heard) == ["fold", "start"]
    assert (tmp_path / "stderr.log").read_text() == "a word"


def test_ctrl_c_is_passed_on_and_the_child_may_finish(tmp_path: Path) -> None:
    script = """
signal.signal(signal.SIGINT, lambda *_: (write("end"), sys.exit(130)))
write("start")
while True: time.sleep(0.05)
"""
    heard: list[str] = []

    def on_event(event: dict[str, object]) -> None:
        heard.append(str(event["kind"]))
        if event["kind"] == "start":
            threading.Timer(0.2, _thread.interrupt_main).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test runner in the background ignores Ctrl-C
    try:
        assert run_child(child(tmp_path, script), tmp_path, on_event) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == ["start", "end"]


def test_a_killed_child_is_told_by_its_signal(tmp_path: Path) -> None:
    script = "import os; os.kill(os.getpid(), signal.SIGKILL)"

    status = run_child(child(tmp_path, script), tmp_path)

    assert status == 128 + signal.SIGKILL
    assert "signal 9 (SIGKILL)" in last_words(tmp_path, status) and "memory runs out" in last_words(tmp_path, status)


def test_what_a_failed_child_wrote_is_its_last_words(tmp_path: Path) -> None:
    assert "wrote nothing" in last_words(tmp_path, 1)

    (tmp_path / "stderr.log").write_text("no such clip\n")

    assert last_words(tmp_path, 3) == "no such clip"
    assert last_words(tmp_path, 128 + signal.SIGTERM).startswith("no such clip\nThe process was killed by signal 15")


def test_an_interrupted_child_says_only_what_it_wrote_this_time(tmp_path: Path) -> None:
    (tmp_path / "stderr.log").write_text("an older word\n")
    status = run_child(child(tmp_path, "print('stopped', file=sys.stderr); sys.exit(130)"), tmp_path)

    assert status == 130
    assert last_words(tmp_path, status) == "stopped"
    assert "an older word" in (tmp_path / "stderr.log").read_text()


def test_a_child_does_not_outlive_a_watcher_that_fails(tmp_path: Path) -> None:
    script = """
signal.signal(signal.SIGTERM, lambda *_: (write("terminated"), sys.exit(1)))
write("start")
while True: time.sleep(0.05)
"""

    def on_event(_: dict[str, object]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_child(child(tmp_path, script), tmp_path, on_event)
    assert [event["kind"] for event in EventTail(tmp_path / "events.jsonl").read()] == ["start", "terminated"]


def test_torchrun_understands_the_command_of_several_processes(tmp_path: Path) -> None:
    """Its parser takes the beginning of its own options for them, so that a bare `--run` ended it."""
    from torch.distributed.run import parse_args

    command = train_command(tmp_path / "plan.yaml", tmp_path / "run", resume=True, processes=2)
    assert command[:4] == [sys.executable, "-P", "-m", "torch.distributed.run"]
    understood = parse_args(command[4:])
    assert understood.module and understood.nproc_per_node == "2" and understood.training_script == "engine"
    wanted = ["train", str(tmp_path / "plan.yaml"), "--run", str(tmp_path / "run"), "--resume"]
    assert understood.training_script_args == wanted


def test_what_several_processes_say_is_told_once_and_without_the_page_of_their_launcher(tmp_path: Path) -> None:
    said = "The plan cannot be used [plan]\ntraining.loss is supcon\nHint: Train in one process."
    page = (
        "W1122 01:35:54.209000 11262 torch/distributed/elastic/multiprocessing/api.py:1012] Sending process 1 SIGTERM\n"
        "Traceback (most recent call last):\n  File x\ntorch.distributed.elastic.ChildFailedError: engine FAILED\n"
    )
    (tmp_path / "stderr.log").write_text(f"{said}\n{said}\n{page * 40}")
    assert last_words(tmp_path, 1) == said
    (tmp_path / "stderr.log").write_text(page)
    assert "ChildFailedError" in last_words(tmp_path, 1)
