"""Layers divided between two processes on gloo lose and learn what one does; what cannot be divided is refused."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.fsdp  # here, so that not every fork does it anew

from engine.plan import Plan
from engine.training import loop
from engine.training import run as runs
from engine.training.processes import Processes
from engine.training.sharding import Shards
from knowledge.errors import Interrupted, PlanError

from .corpora import events_of, last_state, tone_corpus, tone_plan, train
from .small_models import save_checkpoint
from .test_processes import assert_alike, enter, train_in_two

FSDP = {"compute__sharding": "fsdp"}
BF16_STEP = 2**-8
"""Between 1 and the next smaller number."""


def plan_of(folder: Path, kind: str = "wav2vec2", clips: int = 12, **changes: Any) -> Plan:
    """Return a plan whose steps follow from nothing but the clips: no dropout."""
    checkpoint = save_checkpoint(folder, kind, hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0)
    fixed = {
        "data__sample_rate_hz": 16000, "backbone__name": kind, "backbone__checkpoint": checkpoint,
        "training__epochs": 1, "training__learning_rate": 0.002, "training__backbone_learning_rate": 0.0005,
    }  # fmt: skip
    return tone_plan(tone_corpus(folder / "data", clips=clips), **(fixed | FSDP | changes))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("wav2vec2", {"adaptation__method": "lora", "training__average_decay": 0.9}),
        # Nine clips in training, batches of four: the last holds one, so that one process has nothing to compute.
        ("wav2vec2", {"adaptation__method": "partial", "adaptation__top_layers": 1, "training__batch_size": 4}),
        ("wavlm", {"adaptation__method": "full", "training__batch_size": 5, "training__accumulation": 3,
                   "training__memory_saver": "gradient-checkpointing"}),
    ],
)  # fmt: skip
def test_a_divided_model_is_one(tmp_path: Path, kind: str, changes: dict[str, Any]) -> None:
    plan = plan_of(tmp_path, kind, **changes)
    alone = train(plan, tmp_path / "alone")

    assert train_in_two(plan, tmp_path / "both") == [0, 0]
    assert_alike(alone, tmp_path / "both")
    one, other = last_state(alone), last_state(tmp_path / "both")
    assert {name: tensor.shape for name, tensor in one.items()} == {n: tensor.shape for n, tensor in other.items()}
    for name in one:
        if name.startswith(("average.", "optimiser.")):
            torch.testing.assert_close(other[name], one[name], rtol=1e-2, atol=1e-5)
    assert events_of(alone, "census")[0]["names"] == events_of(tmp_path / "both", "census")[0]["names"]


def test_half_precision_is_the_same_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward and backward in bfloat16 on the CPU, which a plan does on GPUs only; sums and steps are in float32."""
    monkeypatch.setattr(runs, "precision_of", lambda wanted, _device: wanted)
    plan = plan_of(tmp_path, adaptation__method="full", training__precision="bf16")
    alone = train(plan, tmp_path / "alone")

    assert train_in_two(plan, tmp_path / "both") == [0, 0]
    assert events_of(tmp_path / "both", "start")[0]["precision"] == "bf16"
    for one, other in zip(events_of(alone, "step"), events_of(tmp_path / "both", "step"), strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=BF16_STEP)
    single = train(plan_of(tmp_path / "fp32", adaptation__method="full"), tmp_path / "single")
    assert [event["loss"] for event in events_of(alone, "step")] != [e["loss"] for e in events_of(single, "step")]


def test_a_process_holds_half_of_what_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each of both steps, in a file of its own; the head stays whole."""
    plain = loop.Shards

    def noted(model: Any, processes: Processes) -> Shards:
        shards = plain(model, processes)
        layers = {name: own.numel() for name, own in shards.own.items() if ".layers." in name}
        (tmp_path / f"{processes.rank}.json").write_text(json.dumps([shards.divided, layers]))
        return shards

    monkeypatch.setattr(loop, "Shards", noted)
    assert train_in_two(plan_of(tmp_path, adaptation__method="full"), tmp_path / "both") == [0, 0]
    (divided, first), (also, second) = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    whole = {n: t.numel() for n, t in last_state(tmp_path / "both").items() if n.startswith("model.encoder")}
    assert divided and also and len(first) > 20
    assert all(first[name] == second[name] == whole[f"model.{name}"] // 2 for name in first)


def test_what_two_began_divided_either_two_or_one_go_on_with(tmp_path: Path) -> None:
    """Only one of both is asked to stop: both do, at the same step, with the whole state in the file."""
    plan = plan_of(tmp_path, adaptation__method="lora", training__epochs=4, training__average_decay=0.9)
    undisturbed = train(plan, tmp_path / "alone")
    run, copy = tmp_path / "run", tmp_path / "copy"

    assert train_in_two(plan, run, killed_after="census", by=signal.SIGTERM) == [Interrupted.exit_status] * 2
    shutil.copytree(run, copy)
    assert train_in_two(plan, run, resume=True) == [0, 0]
    train(plan, copy, resume=True)
    expected = {event["step"]: event["loss"] for event in events_of(undisturbed, "step")}
    for one in (run, copy):
        assert {event["step"]: event["loss"] for event in events_of(one, "step")} == pytest.approx(expected, rel=1e-5)
        for name, value in last_state(undisturbed).items():
            if name.startswith(("model.", "average.", "optimiser.")):
                torch.testing.assert_close(last_state(one)[name], value, rtol=1e-2, atol=1e-5)


def test_one_of_two_that_is_killed_is_told(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, adaptation__method="lora", training__epochs=40)
    assert train_in_two(plan, tmp_path / "run", killed_after="checkpoint") == [4, -signal.SIGKILL]
    assert events_of(tmp_path / "run", "end")[0]["error"]["code"] == "lost-process"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"adaptation__method": "frozen"}, "adaptation.method is frozen"),
        ({"adaptation__method": "lora", "training__optimizer": "adafactor"}, "adafactor"),
        ({"adaptation__method": "lora", "training__precision": "fp16"}, "fp16"),
        ({"backbone__name": "mfcc"}, "mfcc has none"),
    ],
)
def test_what_cannot_be_divided_is_refused(changes: dict[str, Any], said: str) -> None:
    backbone = {} if "backbone__name" in changes else {"backbone__name": "wav2vec2", "backbone__checkpoint": "x"}
    with pytest.raises(PlanError, match=said):
        enter(tone_plan(Path("m.csv"), **FSDP, **backbone, **changes), WORLD_SIZE=2)
