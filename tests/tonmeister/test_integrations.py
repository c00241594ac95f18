"""The callbacks write logs that are read as our own, from plain loops, from transformers and from Lightning."""

from __future__ import annotations

import math
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from engine.evidence.run.read import read_run
from knowledge.errors import UsageError
from tonmeister.integrations.callback import RunLog
from tonmeister.integrations.lightning import lightning_callback
from tonmeister.integrations.transformers import TonmeisterCallback


def test_a_loop_of_ones_own(tmp_path):
    with RunLog(tmp_path, epochs=2, total_steps=20, task="classification", classes=["a", "b"]) as log:
        for step in range(1, 21):
            log.step(step, loss=2 / step, lr={"head": 1e-3}, grad_norm=1.0, epoch=step / 10)
            if step % 10 == 0:
                log.evaluation(step, epoch=step / 10, loss=3 / step, accuracy=0.5 + step / 100)
    run = read_run(tmp_path)

    assert run.train_loss.values == tuple(2 / step for step in range(1, 21))
    assert run.validation_loss.values == (0.3, 0.15)
    assert run.metric.values == (0.6, 0.7)
    assert run.learning_rates[0].name == "lr/head"
    assert (run.meta.status, run.meta.classes, run.meta.planned_steps) == ("completed", 2, 20)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (RuntimeError("CUDA out of memory"), "out-of-memory"),
        (ValueError(), "failed"),
    ],
)
def test_an_end_by_an_error_is_told(tmp_path, error, status):
    with pytest.raises(type(error)), RunLog(tmp_path) as log:
        log.step(1, loss=1.0)
        raise error

    assert read_run(tmp_path).meta.status == status


def test_numbers_of_any_kind_are_written_and_a_lost_one_shows(tmp_path):
    with RunLog(tmp_path) as log:
        log.step(1, loss=np.float32(0.5), grad_norm=math.inf)
        log.step(2, loss=math.nan, lr="not a rate")
    run = read_run(tmp_path)

    assert run.train_loss.values[0] == 0.5
    assert math.isnan(run.train_loss.values[1])
    assert math.isinf(run.gradient_norm.values[0])


def test_the_callback_needs_the_standard_library_alone():
    heavy = "{'numpy', 'yaml', 'click', 'knowledge'}"
    code = f"import sys, tonmeister.integrations.callback; print({heavy} & set(sys.modules))"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


@pytest.mark.slow
def test_the_handler_of_transformers_takes_it(tmp_path):
    """The events of the real Trainer, without a model: its handler calls every callback by name."""
    from transformers import TrainerControl, TrainerState, TrainingArguments
    from transformers.trainer_callback import CallbackHandler

    args = TrainingArguments(output_dir=str(tmp_path / "out"), num_train_epochs=1, report_to=[], use_cpu=True)
    state, control = TrainerState(max_steps=4, is_world_process_zero=True), TrainerControl()
    handler = CallbackHandler([TonmeisterCallback(tmp_path / "run")], None, None, None, None)
    handler.on_init_end(args, state, control)
    handler.on_train_begin(args, state, control)
    for step in range(1, 5):
        state.global_step, state.epoch = step, step / 4
        handler.on_step_begin(args, state, control)
        handler.on_step_end(args, state, control)
        handler.on_log(args, state, control, {"loss": 1 / step, "grad_norm": 1.0, "learning_rate": 1e-3})
    handler.on_log(args, state, control, {"eval_loss": 0.4, "eval_wer": 12.0, "eval_runtime": 3.0})
    handler.on_train_end(args, state, control)
    run = read_run(tmp_path / "run")

    assert run.train_loss.values == (1.0, 0.5, 1 / 3, 0.25)
    assert run.validation_loss.values == (0.4,)
    assert run.metric.values == (12.0,)
    assert run.meta.status == "completed"


def test_lightning_calls_it(tmp_path, monkeypatch):
    parent, module = ModuleType("lightning"), ModuleType("lightning.pytorch")
    module.Callback = type("Callback", (), {})
    monkeypatch.setitem(sys.modules, "lightning", parent)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", module)
    callback = lightning_callback(tmp_path)
    optimizer = SimpleNamespace(param_groups=[{"lr": 1e-3}])
    trainer = SimpleNamespace(
        is_global_zero=True, estimated_stepping_batches=4, max_epochs=2, log_every_n_steps=1, global_step=0,
        current_epoch=0, optimizers=[optimizer], callback_metrics={}, sanity_checking=True, should_stop=True,
    )  # fmt: skip
    callback.on_fit_start(trainer, None)
    callback.on_validation_end(trainer, None)
    trainer.sanity_checking = False
    for step in (1, 2):
        trainer.global_step = step
        callback.on_train_batch_end(trainer, None, {"loss": 1 / step}, None, 0)
    trainer.callback_metrics = {"val_loss": 0.7, "val_acc": 0.6, "train_loss": 0.5}
    callback.on_validation_end(trainer, None)
    callback.on_fit_end(trainer, None)
    run = read_run(tmp_path)

    assert isinstance(callback, module.Callback)
    assert run.train_loss.values == (1.0, 0.5)
    assert run.validation_loss.values == (0.7,)
    assert run.metric.values == (0.6,)
    assert run.meta.status == "early-stopped"


def test_without_lightning_the_user_is_told(monkeypatch):
    monkeypatch.setattr("tonmeister.integrations.lightning.MODULES", ("no_such_module_here",))

    with pytest.raises(UsageError, match="installed"):
        lightning_callback("runs")
