"""A callback for the Trainer of transformers, which it does not import: the Trainer calls its methods by name.

trainer = Trainer(..., callbacks=[TonmeisterCallback("runs/mine")])
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .callback import RunLog

_NOT_A_METRIC = ("runtime", "samples_per_second", "steps_per_second", "epoch", "model_preparation_time")


class TonmeisterCallback:
    """Writes what the Trainer logs into FOLDER/events.jsonl; in a distributed run only the first process writes."""

    def __init__(self, folder: str | Path, *, task: str = "", classes: list[str] | None = None) -> None:
        """Name the folder; it is opened when training begins."""
        self._folder, self._task, self._classes = folder, task, classes
        self._log: RunLog | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the log with what the arguments say of the run."""
        if not state.is_world_process_zero:
            return
        best = str(getattr(args, "metric_for_best_model", "") or "").removeprefix("eval_")
        self._log = RunLog(
            self._folder,
            epochs=int(args.num_train_epochs) or None,
            total_steps=int(state.max_steps) or None,
            task=self._task,
            classes=self._classes,
            select_by=best if getattr(args, "load_best_model_at_end", False) else "",
        )

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Write one line of the Trainer's log."""
        logs = logs or {}
        if self._log is None or "train_runtime" in logs:  # the summary repeats means over the whole run
            return
        scores = {
            name.removeprefix("eval_"): value
            for name, value in logs.items()
            if name.startswith("eval_") and not name.endswith(_NOT_A_METRIC)
        }
        if scores:
            self._log.evaluation(state.global_step, epoch=state.epoch, **scores)
        elif "loss" in logs:
            norm, rate = logs.get("grad_norm"), logs.get("learning_rate")
            self._log.step(state.global_step, loss=logs["loss"], lr=rate, grad_norm=norm, epoch=state.epoch)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say that the run is over, and whether it came to its planned end."""
        if self._log is not None:
            self._log.end("completed" if state.global_step >= state.max_steps else "early-stopped")

    def __getattr__(self, name: str) -> Callable[..., None]:
        """The Trainer calls every event on every callback; those that hold no number do nothing."""
        if name.startswith("on_"):
            return lambda *_args, **_kwargs: None
        raise AttributeError(name)
