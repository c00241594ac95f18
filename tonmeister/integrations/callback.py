"""Writes events.jsonl from any training loop. Standard library alone, so that it may be copied into a script as it is.

    with RunLog("runs/mine", epochs=20, total_steps=4000, task="classification", classes=["cat", "dog"]) as log:
        for step, batch in enumerate(loader, 1):
            log.step(step, loss=loss, lr=rate, grad_norm=norm, epoch=epoch)
        log.evaluation(step, epoch=epoch, loss=val_loss, accuracy=accuracy)

It never raises for a number that it cannot write, and never reads a value off a device: hand over plain numbers.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

FLUSH_SECONDS = 1.0
"""How long steps wait in memory before they are written; evaluations and ends are written at once."""


class RunLog:
    """One run's log; open it once, in the process that trains."""

    def __init__(
        self,
        folder: str | Path,
        *,
        epochs: int | None = None,
        total_steps: int | None = None,
        task: str = "",
        classes: Sequence[str] | None = None,
        select_by: str = "",
        every: int = 1,
    ) -> None:
        """Open FOLDER/events.jsonl to append to it.

        Args:
            folder: where the log lies; made when it is not there.
            epochs: how many are planned.
            total_steps: how many optimizer steps are planned.
            task: `classification` or `regression`.
            classes: names of the classes; their number tells the loss of a guess.
            select_by: `loss`, or the metric that the checkpoint is chosen by.
            every: write every n-th step only.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        self._stream = (path / "events.jsonl").open("a", encoding="utf-8")
        if self._stream.tell():
            self._stream.write("\n")  # a line torn by a kill must not swallow the next one
        self._waiting: list[str] = []
        self._written = 0.0
        self._every = max(1, every)
        self._ended = False
        about = {
            "task": task, "classes": list(classes) if classes else None, "epochs": epochs, "total_steps": total_steps,
            "select_by": select_by,
        }  # fmt: skip
        self._add("start", {name: value for name, value in about.items() if value}, at_once=True)

    def step(
        self,
        step: int,
        *,
        loss: float | None = None,
        lr: float | Mapping[str, float] | None = None,
        grad_norm: float | None = None,
        epoch: float | None = None,
    ) -> None:
        """Log one optimizer step: its loss, learning rate (one, or by group) and gradient norm before clipping."""
        if step % self._every:
            return
        fields: dict[str, Any] = {"step": step}
        if epoch is not None:
            fields["epoch"] = epoch
        if loss is not None:
            fields["loss"] = loss
        if grad_norm is not None:
            fields["grad_norm"] = grad_norm
        if lr is not None:
            fields["lr"] = dict(lr) if isinstance(lr, Mapping) else {"all": lr}
        self._add("step", fields)

    def evaluation(
        self,
        step: int,
        *,
        epoch: float | None = None,
        split: str = "val",
        train_loss: float | None = None,
        **metrics: float,
    ) -> None:
        """Log one evaluation; `loss` among the metrics is the validation loss, `train_loss` the mean of the epoch."""
        fields: dict[str, Any] = {"step": step, "split": split}
        if epoch is not None:
            fields["epoch"] = epoch
        if train_loss is not None:
            fields["train_loss"] = train_loss
        if "loss" in metrics:
            fields["loss"] = metrics.pop("loss")
        fields["metrics"] = metrics
        self._add("eval", fields, at_once=True)

    def end(self, status: str = "completed") -> None:
        """Say how the run ended: completed, early-stopped, interrupted, out-of-memory, nan or failed."""
        if not self._ended:
            self._ended = True
            self._add("end", {"status": status}, at_once=True)
            self._stream.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(status_of(error))

    def _add(self, kind: str, fields: Mapping[str, Any], *, at_once: bool = False) -> None:
        now = time.time()
        self._waiting.append(_line(kind, fields, now))
        if at_once or now - self._written >= FLUSH_SECONDS:
            self._written = now
            self._stream.write("".join(self._waiting))
            self._stream.flush()
            self._waiting.clear()


def status_of(error: BaseException | None) -> str:
    """Name the end of a run by what was raised."""
    if error is None:
        return "completed"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    memory = isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "out of memory" in str(error)
    return "out-of-memory" if memory else "failed"


def _line(kind: str, fields: Mapping[str, Any], now: float) -> str:
    event = {"v": 1, "t": round(now, 3), "kind": kind, **fields}
    try:
        return json.dumps(event, allow_nan=False) + "\n"
    except (TypeError, ValueError):
        return json.dumps(_plain(event), allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Numbers of any library as plain ones; what is not finite as its name, so that it shows in the log."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return (
        number if math.isfinite(number) else "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    )
