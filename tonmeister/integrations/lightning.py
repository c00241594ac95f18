"""A callback for Lightning, made when it is asked for: neither `lightning` nor `pytorch_lightning` is needed here.

trainer = Trainer(..., callbacks=[lightning_callback("runs/mine")])
"""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

from knowledge.errors import UsageError

from .callback import RunLog, status_of

MODULES = ("lightning.pytorch", "pytorch_lightning")
_TRAIN, _VAL = ("train_loss", "loss", "train/loss"), ("val_", "val/", "valid_", "valid/")


def lightning_callback(folder: str | Path, *, task: str = "", classes: list[str] | None = None) -> Any:
    """Return a Callback that writes FOLDER/events.jsonl; only the first process of a distributed run writes.

    Raises:
        UsageError: Lightning is not installed.
    """
    kind = type("TonmeisterCallback", (_Writer, _base()), {})
    return kind(folder, task, classes)


def _base() -> type:
    for name in MODULES:
        try:
            base: type = importlib.import_module(name).Callback
        except ImportError:
            continue
        return base
    raise UsageError("neither lightning nor pytorch_lightning is installed", hint="Log with RunLog in your own loop.")


class _Writer:
    """What the callback does, apart from the class that Lightning asks for."""

    def __init__(self, folder: str | Path, task: str, classes: list[str] | None) -> None:
        super().__init__()
        self._folder, self._task, self._classes = folder, task, classes
        self._log: RunLog | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.is_global_zero:
            return
        steps = trainer.estimated_stepping_batches
        self._log = RunLog(
            self._folder,
            epochs=trainer.max_epochs if (trainer.max_epochs or 0) > 0 else None,
            total_steps=int(steps) if math.isfinite(steps) else None,
            task=self._task,
            classes=self._classes,
        )

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self._log is None or trainer.global_step % max(1, trainer.log_every_n_steps):
            return
        metrics = trainer.callback_metrics
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        loss = loss if loss is not None else next((metrics[name] for name in _TRAIN if name in metrics), None)
        rates = {
            f"group {place}": group["lr"]
            for place, group in enumerate(group for one in trainer.optimizers for group in one.param_groups)
        }
        self._log.step(trainer.global_step, loss=_number(loss), lr=rates, epoch=float(trainer.current_epoch))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if self._log is None or trainer.sanity_checking:
            return
        scores: dict[str, Any] = {
            name[len(prefix) :]: float(value)
            for name, value in trainer.callback_metrics.items()
            for prefix in _VAL
            if name.startswith(prefix) and not name.endswith("_step")
        }
        if scores:
            self._log.evaluation(trainer.global_step, epoch=float(trainer.current_epoch + 1), **scores)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self._log is not None:
            self._log.end(status_of(exception))

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        if self._log is not None:
            early = bool(trainer.should_stop) and trainer.current_epoch < (trainer.max_epochs or 0)
            self._log.end("early-stopped" if early else "completed")


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
