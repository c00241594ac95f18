"""Two processes on gloo lose and learn what one does, with the same plan; what cannot be divided is refused."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.plan import Plan
from engine.training.processes import Processes, processes_of
from knowledge.errors import PlanError, TonmeisterError, UsageError

from .corpora import events_of, last_state, score_plan, tone_corpus, tone_plan, train, write_plan
from .small_models import save_checkpoint


def train_in_two(
    plan: Plan, run: Path, *, resume: bool = False, killed_after: str = "", by: int = signal.SIGKILL
) -> list[int]:
    """Train in two forks that torchrun would have started; return how each ended.

    With `killed_after` the second one is killed, or gets another signal, once the run told of an event of that kind.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    if not resume:
        write_plan(plan, run)
    children = []
    for rank in range(2):
        child = os.fork()
        if not child:
            signal.alarm(60)  # nobody waits for ever for a process that is gone
            place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
            os.environ.update({name: str(value) for name, value in place.items()})
            os._exit(_trained(plan, run, resume))
        children.append(child)
    events = run / "events.jsonl"
    while killed_after and not (events.exists() and f'"kind": "{killed_after}"' in events.read_text()):
        time.sleep(0.01)
    if killed_after:
        os.kill(children[1], by)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _trained(plan: Plan, run: Path, resume: bool) -> int:
    try:
        from engine.training.run import train_run
        from engine.training.stopping import Stop

        stop = Stop()
        stop.listen()
        train_run(run / "plan.yaml", run, resume=resume, test=False, stop=stop)
    except TonmeisterError as error:
        return error.exit_status
    except BaseException:
        return 1
    return 0


def assert_alike(expected: Path, actual: Path) -> None:
    """Compare every loss, gradient norm and score, and every tensor at the end."""
    for one, other in zip(events_of(expected, "step"), events_of(actual, "step"), strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
        assert other["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-4)
    assert events_of(actual, "eval")[-1]["loss"] == pytest.approx(events_of(expected, "eval")[-1]["loss"], rel=1e-4)
    weights, others = last_state(expected), last_state(actual)
    for name in weights:
        if name.startswith("model."):
            torch.testing.assert_close(others[name], weights[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("accumulation", [1, 2])
def test_two_processes_are_one(tmp_path: Path, accumulation: int) -> None:
    """24 clips in batches of 5: the shares of a batch differ, and one batch holds a share of two clips."""
    plan = tone_plan(
        tone_corpus(tmp_path / "data"), head__name="temporal", head__hidden=8, training__batch_size=5,
        training__accumulation=accumulation, augmentation__strength="light",
    )  # fmt: skip
    alone = train(plan, tmp_path / "alone")

    assert train_in_two(plan, tmp_path / "both") == [0, 0]
    assert_alike(alone, tmp_path / "both")
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == sorted(
        path.name for path in (tmp_path / "alone").iterdir()
    )


def test_adapters_of_a_backbone_too(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path, hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0)
    plan = tone_plan(
        tone_corpus(tmp_path / "data", clips=12), data__sample_rate_hz=16000, backbone__name="wav2vec2",
        backbone__checkpoint=checkpoint, adaptation__method="lora", training__epochs=1,
    )  # fmt: skip
    alone = train(plan, tmp_path / "alone")

    assert train_in_two(plan, tmp_path / "both") == [0, 0]
    assert_alike(alone, tmp_path / "both")


def test_what_two_began_one_goes_on_with(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=2)
    assert train_in_two(plan, tmp_path / "run") == [0, 0]
    longer = train(plan, tmp_path / "run", resume=True)

    assert events_of(longer, "end")[-1]["status"] == "completed"
    assert train_in_two(plan, tmp_path / "run", resume=True) == [0, 0]


def test_one_of_two_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__epochs=15, head__name="temporal", head__hidden=8)
    alone = train(plan, tmp_path / "alone")

    first, second = train_in_two(plan, tmp_path / "run", killed_after="checkpoint")
    assert (first, second) == (4, -signal.SIGKILL)
    (end,) = events_of(tmp_path / "run", "end")
    assert end["error"]["code"] == "lost-process" and "one of the 2 processes" in end["error"]["message"]
    assert train_in_two(plan, tmp_path / "run", resume=True) == [0, 0]
    weights, others = last_state(alone), last_state(tmp_path / "run")
    for name in weights:
        if name.startswith("model."):
            torch.testing.assert_close(others[name], weights[name], rtol=1e-2, atol=1e-3)


def test_a_batch_with_fewer_clips_than_processes_leaves_one_idle() -> None:
    assert [Processes(rank, 3).share((7, 8)) for rank in range(3)] == [(7,), (8,), ()]


def enter(plan: Plan, **environment: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, str(value))
        with processes_of(plan, Path("run")):
            pass


def test_what_cannot_be_divided_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="compares the clips of a batch"):
        enter(score_plan(Path("m.csv"), training__loss="ccc", training__batch_size=36), WORLD_SIZE=2)
    with pytest.raises(PlanError, match="mixing"):
        enter(tone_plan(Path("m.csv"), augmentation__strength="light", augmentation__mixing="use"), WORLD_SIZE=2)
    with pytest.raises(UsageError, match="FSDP"):
        enter(tone_plan(Path("m.csv")), WORLD_SIZE=2, ACCELERATE_USE_FSDP="true")
