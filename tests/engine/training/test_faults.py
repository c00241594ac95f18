"""What goes wrong in the middle: told by name, nothing lost, and the run goes on to the very same end."""

import errno
import json
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.plan import Plan
from engine.training import accumulation, checkpoints, events, loop, run
from engine.training.batches import passes
from engine.training.faults import DivergedError, LostProcessError, MemoryExhaustedError, StorageError
from engine.training.memory_backoff import halved
from engine.training.stopping import Stop
from engine.training.waveforms import Waveforms
from knowledge.errors import InputError, TonmeisterError

from .corpora import assert_same_state, events_of, last_state, score_plan, tone_corpus, tone_plan, train, write_plan

STEPS_PER_EPOCH = 3


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return tone_plan(
        tone_corpus(tmp_path / "data"),
        augmentation__strength="light",
        head__name="temporal",
        head__hidden=4,
        head__dropout=0.2,
        training__epochs=3,
        training__checkpoint_steps=2,
        training__average_decay=0.9,
    )


def at_call(number: int, original: Callable[..., Any], fault: BaseException) -> Callable[..., Any]:
    """Return a function that fails the `number`-th time it is called, and only then."""
    calls = iter(range(1, 10**9))

    def called(*arguments: Any, **options: Any) -> Any:
        if next(calls) == number:
            raise fault
        return original(*arguments, **options)

    return called


def recovers(plan: Plan, folder: Path, break_it: Callable[[pytest.MonkeyPatch], None], kind: type[Exception]) -> Path:
    """Break a run, resume it, and compare it with one that nothing happened to."""
    whole = train(plan, folder / "whole")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(kind):
        break_it(patch)
        train(plan, folder / "run")
    resumed = train(plan, folder / "run", resume=True)
    assert_same_state(last_state(whole), last_state(resumed))
    assert (whole / "predictions" / "val.csv").read_text() == (resumed / "predictions" / "val.csv").read_text()
    return resumed


NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", [2, 4, 6])
def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path: Path, plan: Plan, call: int) -> None:
    def fill(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(checkpoints.os, "fsync", at_call(call, os.fsync, NO_SPACE))

    done = recovers(plan, tmp_path, fill, StorageError)
    ends = events_of(done, "end")
    assert (ends[0]["status"], ends[0]["error"]["code"]) == ("failed", "storage")
    assert "No space left on device" in ends[0]["error"]["message"]
    assert not list((done / "checkpoints").glob(".*"))


def test_a_limit_of_the_system_on_file_sizes_is_a_full_disk(tmp_path: Path, plan: Plan) -> None:
    """The system itself refuses to write, in a fork, from the fifth step on; events and checkpoints both fail."""
    whole = train(plan, tmp_path / "whole")
    write_plan(plan, tmp_path / "run")
    child = os.fork()
    if not child:
        loop.set_rates = at_limit(5, loop.set_rates)  # type: ignore[assignment]
        try:
            train(plan, tmp_path / "run")
        except StorageError as error:
            os._exit(0 if "File too large" in error.message else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


def at_limit(call: int, original: Callable[..., Any]) -> Callable[..., Any]:
    calls: Iterator[int] = iter(range(1, 10**9))

    def called(*arguments: Any) -> Any:
        if next(calls) == call:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        return original(*arguments)

    return called


def test_events_that_cannot_be_written_are_told(tmp_path: Path, plan: Plan) -> None:
    def fill(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(events, "_line", at_call(9, events._line, NO_SPACE))

    recovers(plan, tmp_path, fill, StorageError)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_clip_that_goes_away_in_the_middle(tmp_path: Path, plan: Plan, workers: int) -> None:
    plan = plan.model_copy(update={"compute": plan.compute.model_copy(update={"workers": workers})})
    whole = train(plan, tmp_path / "whole")
    validated = (whole / "predictions" / "val.csv").read_text()
    name = next(f"clip-{number}.wav" for number in range(24) if f"clip-{number}.wav" not in validated)
    clip, aside = tmp_path / "data" / name, tmp_path / "aside.wav"

    def rates(*arguments: Any) -> Any:
        if clip.exists():
            shutil.move(clip, aside)
        return RATES(*arguments)

    original = Waveforms.load

    def load(self: Waveforms, *arguments: Any) -> None:
        self._room = 0  # nothing is kept in memory, so every clip is read again
        original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InputError, match="could be read when the run began"):
        patch.setattr(Waveforms, "load", load)
        patch.setattr(loop, "set_rates", rates)
        train(plan, tmp_path / "run")
    assert events_of(tmp_path / "run", "checkpoint")  # saved where the clip was missed
    shutil.move(aside, clip)
    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


RATES = loop.set_rates


def test_a_loss_that_is_no_number_names_the_clip_and_the_layer(tmp_path: Path, plan: Plan) -> None:
    original = loop.accumulate

    def poisoned(job: Any, scaler: Any, groups: Any, batches: Any, *rest: Any) -> Any:
        for items, batch in zip(groups, batches, strict=True):
            for row, item in enumerate(items):
                if item.path == "clip-7.wav":
                    batch.waveforms[row] = torch.nan
        return original(job, scaler, groups, batches, *rest)

    def poison(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(loop, "accumulate", poisoned)

    done = recovers(plan, tmp_path, poison, DivergedError)
    message = events_of(done, "end")[0]["error"]["message"]
    assert "on clip-7.wav; the first value that is no number comes out of encoder" in message


def test_weights_that_are_no_numbers_are_named(tmp_path: Path, plan: Plan) -> None:
    original = loop.accumulate

    def poisoned(job: Any, *arguments: Any) -> Any:
        with torch.no_grad():
            job.model.answer[1].bias[0] = torch.inf
        return original(job, *arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(DivergedError, match=r"comes out of answer\.1\.bias"):
        patch.setattr(loop, "accumulate", poisoned)
        train(plan, tmp_path / "run")


@pytest.mark.parametrize("fault", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")])
def test_a_pass_that_does_not_fit_is_halved_and_the_step_stays_the_same(
    tmp_path: Path, plan: Plan, fault: Exception
) -> None:
    """With no random numbers in the model the steps are those of the whole batch, to rounding."""
    plan = plan.model_copy(update={"head": plan.head.model_copy(update={"dropout": 0.0})})
    whole = train(plan, tmp_path / "whole")
    original = accumulation._backward

    def small_machine(job: Any, scaler: Any, batches: Any, *rest: Any) -> Any:
        if max(map(len, batches)) > 3:
            raise fault
        return original(job, scaler, batches, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulation, "_backward", small_machine)
        small = train(plan, tmp_path / "small")

    assert [event["clips_per_pass"] for event in events_of(small, "memory")] == [3]
    for expected, actual in zip(events_of(whole, "step"), events_of(small, "step"), strict=True):
        assert actual["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    weights, others = last_state(whole), last_state(small)
    for name in weights:
        if name.startswith("model."):
            torch.testing.assert_close(others[name], weights[name], rtol=1e-3, atol=1e-4)


def test_where_not_even_one_clip_fits_the_run_says_so(tmp_path: Path, plan: Plan) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(MemoryExhaustedError):
        patch.setattr(accumulation, "_backward", at_call_always(MemoryError()))
        train(plan, tmp_path / "run")


def test_a_concordance_of_a_halved_pass_is_that_of_the_whole_batch(tmp_path: Path) -> None:
    """Its gradient is taken over all answers of the step, so that memory decides nothing about it."""
    plan = score_plan(
        tone_corpus(tmp_path / "data", clips=48, scores=True), training__loss="ccc", training__batch_size=40
    )
    whole = train(plan, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulation, "_backward", at_call_always(MemoryError()))
        small = train(plan, tmp_path / "small")

    clips = events_of(whole, "start")[0]["train_clips"]
    assert [event["clips_per_pass"] for event in events_of(small, "memory")] == [-(-clips // 2)]
    expected, actual = ([step["loss"] for step in events_of(one, "step")] for one in (whole, small))
    assert actual == pytest.approx(expected, rel=1e-5)


def at_call_always(fault: Exception) -> Callable[..., Any]:
    def failing(*_: Any) -> Any:
        raise fault

    return failing


def test_passes_are_halved_until_each_is_one_clip() -> None:
    groups: Any = passes(range(5), 1)
    seen = []
    while groups is not None:
        seen.append([len(one) for one in groups])
        groups = halved(groups)

    assert seen == [[5], [3, 2], [2, 1, 1, 1], [1, 1, 1, 1, 1]]


def test_a_worker_that_fails_ends_the_run_and_nothing_is_lost(tmp_path: Path, plan: Plan) -> None:
    plan = plan.model_copy(update={"compute": plan.compute.model_copy(update={"workers": 2})})
    from engine.training.loader import Loader

    def fail(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Loader, "training_batch", at_call(5, Loader.training_batch, RuntimeError("the worker died")))

    recovers(plan, tmp_path, fail, RuntimeError)


def test_a_clock_that_jumps_changes_no_number(tmp_path: Path, plan: Plan) -> None:
    whole = train(plan, tmp_path / "whole")
    times = iter(range(2_000_000_000, 0, -86_400))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: float(next(times)))
        jumped = train(plan, tmp_path / "jumped")

    assert_same_state(last_state(whole), last_state(jumped))
    assert events_of(jumped, "end")[0]["seconds"] < 1000


def test_a_kill_leaves_at_most_the_steps_since_the_last_checkpoint(tmp_path: Path, plan: Plan) -> None:
    """In a fork, so that torch is imported once; the kill comes where the seventh step has begun."""
    whole = train(plan, tmp_path / "whole")
    write_plan(plan, tmp_path / "run")
    child = os.fork()
    if not child:
        loop.set_rates = at_kill(7, loop.set_rates)  # type: ignore[assignment]
        train(plan, tmp_path / "run")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    saved = sorted((tmp_path / "run" / "checkpoints").glob("last-*"))
    assert saved[-1].name.startswith("last-000000006")

    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


def at_kill(call: int, original: Callable[..., Any]) -> Callable[..., Any]:
    calls: Iterator[int] = iter(range(1, 10**9))

    def called(*arguments: Any) -> Any:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    return called


def test_another_library_is_named_and_the_run_goes_on(tmp_path: Path, plan: Plan) -> None:
    done = train(plan, tmp_path / "run")
    path = done / "environment.json"
    content = json.loads(path.read_text())
    content["versions"]["torch"] = "1.0"
    path.write_text(json.dumps(content))
    train(plan, done, resume=True)

    (warning,) = events_of(done, "start")[-1]["warnings"]
    assert warning.startswith("torch was 1.0 when this run began and is ")


def test_the_log_is_there_in_the_form_of_the_trainer_too(tmp_path: Path, plan: Plan) -> None:
    done = train(plan, tmp_path / "run")
    with pytest.MonkeyPatch.context():
        train(plan, done, resume=True)
    state = json.loads((done / "trainer_state.json").read_text())
    steps = [entry for entry in state["log_history"] if "loss" in entry]
    evaluations = [entry for entry in state["log_history"] if "eval_loss" in entry]

    assert [entry["step"] for entry in steps] == list(range(1, 3 * STEPS_PER_EPOCH + 1))
    assert len(evaluations) == 3 and state["global_step"] == state["max_steps"] == 3 * STEPS_PER_EPOCH
    assert steps[0]["learning_rate"] == steps[0]["learning_rate/head"] > 0
    assert state["best_metric"] == max(entry["eval_accuracy"] for entry in evaluations)


def test_every_fault_has_a_name_a_title_and_an_exit_status() -> None:
    for kind in (DivergedError, MemoryExhaustedError, StorageError, LostProcessError):
        assert issubclass(kind, TonmeisterError)
        assert kind.exit_status == 4 and kind.code != "training"
    assert run.EVENTS == "events.jsonl" and not Stop().requested
