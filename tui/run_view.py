"""What the loop screen knows of one training run, gathered from its events; reads no files and draws nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from engine.curves import Point, reduce_points

CPU = ("cpu {cpu_percent:.0f}%", "{memory_used_gib:.1f} GiB")
GPU = (
    "gpu {gpu_utilisation:.0f}%",
    "{gpu_memory_used_gib:.1f} GiB",
    "{gpu_temperature_c:.0f}°C",
    "{gpu_power_w:.0f} W",
)
SMOOTH_POINTS = 60
"""From twice as many points on, a loss is shown as about so many means."""
MOST_POINTS = 4096
"""A series with more points is reduced to half as many; a terminal shows fewer than 500."""


class RunView:
    """Curves, progress and telemetry of one run; of a cross-validation, those of the newest fold."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.train_loss: list[Point] = []
        self.validation_loss: list[Point] = []
        self.scores: list[Point] = []
        """The metric on the validation split by epoch."""
        self.begun: dict[str, Any] = {}
        self.newest: dict[str, Any] = {}
        self.telemetry: dict[str, Any] = {}
        self.ended: dict[str, Any] = {}

    def feed(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take in new events, in their order."""
        for event in events:
            read = getattr(self, f"_read_{event.get('kind')}", None)
            if read is not None:
                read(event)

    def _read_start(self, event: Mapping[str, Any]) -> None:
        if event.get("fold") != self.begun.get("fold"):
            self.train_loss, self.validation_loss, self.scores, self.newest = [], [], [], {}
        self.begun = dict(event)
        self.ended = {}

    def _read_step(self, event: Mapping[str, Any]) -> None:
        self.newest |= event
        self.train_loss = _append(self.train_loss, event, "step", event.get("loss"))

    def _read_eval(self, event: Mapping[str, Any]) -> None:
        metrics = event.get("metrics", {})
        self.newest |= {"epoch": event.get("epoch")}
        self.validation_loss = _append(self.validation_loss, event, "step", event.get("loss", metrics.get("val/loss")))
        self.scores = _append(self.scores, event, "epoch", metrics.get(f"val/{self.metric}"))

    def _read_telemetry(self, event: Mapping[str, Any]) -> None:
        self.telemetry |= event

    def _read_end(self, event: Mapping[str, Any]) -> None:
        self.ended = dict(event)

    @property
    def losses(self) -> dict[str, list[Point]]:
        """The loss of training steps, smoothed, and that of evaluations, by step."""
        return {"train": smoothed(self.train_loss), "val": self.validation_loss}

    @property
    def problem(self) -> str:
        """What the run said when it failed; empty when it said nothing."""
        return str((self.ended.get("error") or {}).get("message", ""))

    @property
    def device(self) -> str:
        """Where the run computes."""
        return str(self.begun.get("device", ""))

    def progress(self) -> str:
        """Return how far the run is: `epoch 3/20  step 120/800`."""
        fold = self.begun.get("fold")
        parts = [] if fold is None else [f"fold {fold}"]
        for name, total in (("epoch", "epochs"), ("step", "total_steps")):
            if (value := self.newest.get(name)) is not None:
                of = f"/{self.begun[total]}" if self.begun.get(total) else ""
                parts.append(f"{name} {math.floor(value)}{of}")
        return "  ".join(parts)

    def gauges(self) -> list[str]:
        """Return the newest speed and telemetry, each with its unit; what is not measured is left out."""
        machine = (
            (self.newest, ("{samples_per_second:.0f} clips/s",)),
            (self.newest, ("wait {data_wait_seconds:.2f} s",)),
            (self.newest, ("grad {grad_norm:.2g}",)),
            (self.telemetry, CPU),
            (self.telemetry, GPU),
        )
        texts = (" ".join(filter(None, (_gauge(values, form) for form in forms))) for values, forms in machine)
        return [text for text in texts if text]


def smoothed(points: list[Point]) -> list[Point]:
    """Return the means of neighbouring points where there are many: single batches scatter more than a loss moves.

    A stretch with a value that is not finite stays not finite, so that it leaves a gap.
    """
    size = len(points) // SMOOTH_POINTS
    if size < 2:
        return points
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]


def _append(points: list[Point], event: Mapping[str, Any], x: str, value: Any) -> list[Point]:
    if value is None or event.get(x) is None:
        return points
    if len(points) >= MOST_POINTS:
        points = reduce_points(points, MOST_POINTS // 4)
    points.append((float(event[x]), float(value)))
    return points


def _gauge(values: Mapping[str, Any], form: str) -> str:
    """Fill `form` with the value that it names; empty when that is unknown or not finite."""
    name = form.partition("{")[2].partition(":")[0]
    value = values.get(name)
    return form.format(**{name: value}) if isinstance(value, (int, float)) and math.isfinite(value) else ""
