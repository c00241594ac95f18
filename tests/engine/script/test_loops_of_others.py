"""Loops of ignite and s3prl, and schedules of timm: small scripts of our own writing."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from .reviewed import fact, loop

IGNITE = """
    import torch
    from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
    from ignite.handlers import {names}
    from ignite.metrics import Accuracy
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.Adam(net.parameters())
    data = torch.utils.data.DataLoader([1, 2], batch_size=2, shuffle=True)
    trainer = create_supervised_trainer(net, optimizer, torch.nn.CrossEntropyLoss(){options})
    evaluator = create_supervised_evaluator(net, metrics={{"accuracy": Accuracy()}})
    {more}
    trainer.run(data, {run})
"""


def ignite(**parts: str) -> str:
    usual = {"names": "Checkpoint", "options": "", "more": "", "run": "max_epochs=20"}
    return dedent(IGNITE).format(**{**usual, **parts})


STOPPED = {
    "names": "EarlyStopping",
    "more": "evaluator.add_event_handler(Events.COMPLETED, EarlyStopping(5, score, trainer))",
}
WARMED = {
    "names": "create_lr_scheduler_with_warmup, CosineAnnealingScheduler",
    "more": "s = CosineAnnealingScheduler(optimizer, 'lr', 1e-3, 0, 99)\n"
    "trainer.add_event_handler(Events.STARTED, create_lr_scheduler_with_warmup(s, 0, 10))",
}


@pytest.mark.parametrize(("name", "parts", "expected"), [
    ("gradient_clearing", {}, "framework"),
    ("gradient_clipping", {}, False),
    ("epochs", {}, 20),
    ("epochs", {"run": ""}, 1),
    ("early_stopping", {}, False),
    ("early_stopping", STOPPED, True),
    ("lr_schedule", {}, False),
    ("lr_warmup", WARMED, True),
    ("accumulates", {"options": ", gradient_accumulation_steps=4"}, True),
    ("accumulates", {}, None),
])  # fmt: skip
def test_a_loop_of_ignite(tmp_path: Path, name: str, parts: dict[str, str], expected: object) -> None:
    assert fact(tmp_path, name, ignite(**parts)) == expected


def test_a_task_of_s3prl_brings_its_recipe(tmp_path: Path) -> None:
    text = "from s3prl.problem import SuperbSID\nSuperbSID().run(target_dir='out')\n"
    assert fact(tmp_path, "gradient_clipping", text) is True
    assert fact(tmp_path, "gradient_clearing", text) == "framework"


@pytest.mark.parametrize(("made", "rises"), [
    ("CosineLRScheduler(optimizer, t_initial=9)", False),
    ("CosineLRScheduler(optimizer, t_initial=9, warmup_t=3)", True),
    ("PolyLRScheduler(optimizer, t_initial=9)", False),
])  # fmt: skip
def test_a_schedule_of_timm(tmp_path: Path, made: str, rises: bool) -> None:
    setup = "from timm.scheduler import CosineLRScheduler, PolyLRScheduler"
    text = loop(setup=setup, before=f"schedule = {made}", after_epoch="schedule.step(epoch)")
    assert fact(tmp_path, "lr_warmup", text) is rises
