"""Reads Tonmeister's own run directories, and folders of cross-validation folds, into curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import TonmeisterError

from ...plan import Plan, read_plan
from .collecting import Collector, count, finite, number
from .events import Event, event_groups, numbers, steps_of
from .series import RunMeta, RunSeries, Series


def read_run_directory(folder: Path) -> RunSeries:
    """Read events.jsonl and list the prediction files of one run directory.

    Raises:
        InputError: events.jsonl cannot be read, or its first line is not an event.
    """
    path = folder / "events.jsonl"
    reader = _EventReader()
    for events in event_groups(path, reader.collector.note):
        reader.read_alike(events)
    return RunSeries(
        source=folder,
        reader="Tonmeister run directory",
        series=reader.collector.series(),
        learning_rates=reader.collector.learning_rates(),
        gradient_norm=reader.collector.gradient(),
        predictions=prediction_files(folder),
        meta=reader.meta,
        plan=_plan(folder, reader.collector),
        notes=reader.collector.notes,
    )


def read_folds(folder: Path, names: str = "fold-*", what: str = "folds") -> RunSeries:
    """Read fold-1, fold-2, ... as one run: every curve is the mean over the folds, as far as all of them came.

    Trainings of several seeds, seed-0, seed-1, ..., are read alike.

    Raises:
        InputError: a fold cannot be read.
    """
    runs = [read_run_directory(path.parent) for path in sorted(folder.glob(f"{names}/events.jsonl"))]
    first, collector = runs[0], Collector()
    collector.note(f"curves are means over {len(runs)} {what}")
    collector.note(f"learning rate and gradient norm are those of {first.source.name}")
    failed = [run.meta for run in runs if run.meta.status not in ("completed", "early-stopped")]
    return RunSeries(
        source=folder,
        reader=f"{len(runs)} {what} of a Tonmeister run",
        series=tuple(_mean(members) for members in _shared(runs)),
        learning_rates=first.learning_rates,
        gradient_norm=first.gradient_norm,
        predictions=prediction_files(folder),
        meta=(failed or [first.meta])[0],
        plan=_plan(folder, collector) or first.plan,
        notes=(*collector.notes, *(f"{run.source.name}: {note}" for run in runs for note in run.notes)),
    )


def _shared(runs: list[RunSeries]) -> Iterator[list[Series]]:
    for series in runs[0].series:
        members = [member for run in runs if (member := run.get(series.name))]
        if len(members) == len(runs):
            yield members


def _plan(folder: Path, collector: Collector) -> Plan | None:
    path = folder / "plan.yaml"
    if not path.is_file():
        return None
    try:
        return read_plan(path)
    except TonmeisterError as error:
        collector.note(f"the plan was left out: {error.message}")
        return None


def prediction_files(folder: Path) -> tuple[tuple[str, Path], ...]:
    """Return the prediction files of a run by name."""
    return tuple((path.stem, path) for path in sorted((folder / "predictions").glob("*.csv")))


_FEW = 8
"""Fewer events of the same keys are not worth the columns."""


_SENSORS = {
    "gpu_utilisation": "gpu/utilisation",
    "gpu_memory_used_gib": "gpu/memory_used",
    "gpu_memory_total_gib": "gpu/memory_total",
    "gpu_temperature_c": "gpu/temperature",
    "gpu_clocks_event_reasons": "gpu/throttle",
    "memory_used_gib": "host/memory_used",
}
"""Fields of a telemetry event and the series that they become."""
_CLOCKS = {"data_wait_seconds": "time/data_wait", "step_seconds": "time/step"}


class _EventReader:
    """Turns events into curves and facts about the run, in the order in which they were written."""

    def __init__(self) -> None:
        self.collector = Collector()
        self.meta = RunMeta()
        self._resumed = False

    def read_alike(self, events: list[Event]) -> None:
        """Take in events of the same keys: plain steps column by column, everything else one by one."""
        if self._resumed or len(events) < _FEW or not self._columns(events):
            for event in events:
                self.read(event)

    def _columns(self, events: list[Event]) -> bool:
        """Take in plain steps; False, and nothing is taken, where anything is unusual."""
        first = events[0]
        rated = isinstance(first.get("lr"), dict)
        rates = [event["lr"] for event in events] if rated else []
        if {event["kind"] for event in events} != {"step"} or "step" not in first:
            return False
        if rated and not (set(map(type, rates)) == {dict} and len(set(map(tuple, rates))) == 1):
            return False
        steps = steps_of([event["step"] for event in events])
        epochs = numbers([event["epoch"] for event in events]) if "epoch" in first else np.full(len(events), np.nan)
        named = {"train/loss": "loss", "grad_norm": "grad_norm", **{name: key for key, name in _CLOCKS.items()}}
        columns = {name: numbers([one[key] for one in events]) for name, key in named.items() if key in first}
        columns |= {f"lr/{group}": numbers([one[group] for one in rates]) for group in (first["lr"] if rated else ())}
        if steps is None or epochs is None or any(column is None for column in columns.values()):
            return False
        epochs = np.where(np.isfinite(epochs), epochs, np.nan)
        for name, column in columns.items():
            if column is not None:
                self.collector.extend(name, steps, epochs, column)
        return True

    def read(self, event: Event) -> None:
        """Take in one event; kinds that hold no curve are passed over."""
        kind = event["kind"]
        if kind == "start":
            self._resumed = self.meta != RunMeta()
            self.meta = _meta(event)
        elif kind == "end":
            self.meta = replace(self.meta, status=str(event.get("status", "unfinished")))
            self._smallest_pass(event.get("clips_in_pass"))
        elif kind == "memory":
            self._smallest_pass(event.get("clips_per_pass"))
        elif kind == "nan":
            self._nan(event)
        elif kind == "telemetry":
            self._telemetry(event)
        elif kind == "census":
            self._census(event)
        elif kind in ("step", "eval"):
            step, epoch = count(event.get("step")), finite(event.get("epoch"))
            if self._resumed:
                self.collector.rewind(step - 1)
                self._resumed = False
            (self._step if kind == "step" else self._evaluation)(event, step, epoch)

    def _census(self, event: Event) -> None:
        trainable, silent, names = finite(event.get("trainable")), finite(event.get("silent")), event.get("names")
        if trainable is not None and silent is not None:
            known = tuple(str(name) for name in names) if isinstance(names, list) else ()
            self.meta = replace(
                self.meta, trainable_tensors=int(trainable), silent_count=int(silent), silent_tensors=known
            )

    def _smallest_pass(self, clips: Any) -> None:
        if count(clips):
            self.meta = replace(self.meta, smallest_pass=min(self.meta.smallest_pass or count(clips), count(clips)))

    def _nan(self, event: Event) -> None:
        clips, alone = event.get("clips"), event.get("alone") is True
        named = tuple(str(clip) for clip in clips) if alone and isinstance(clips, list) else ()
        self.meta = replace(self.meta, nan_located=True, nan_clips=named, nan_layer=str(event.get("layer") or ""))

    def _telemetry(self, event: Event) -> None:
        for field, name in _SENSORS.items():
            if field in event:
                self.collector.add(name, count(event.get("step")), None, number(event[field]))

    def _step(self, event: Event, step: int, epoch: float | None) -> None:
        for field, name in _CLOCKS.items():
            if field in event:
                self.collector.add(name, step, epoch, number(event[field]))
        if "loss" in event:
            self.collector.add("train/loss", step, epoch, _loss(event["loss"]))
        if "grad_norm" in event:
            self.collector.add("grad_norm", step, epoch, number(event["grad_norm"]))
        rates = event.get("lr")
        for group, rate in rates.items() if isinstance(rates, dict) else ():
            self.collector.add(f"lr/{group}", step, epoch, number(rate))

    def _evaluation(self, event: Event, step: int, epoch: float | None) -> None:
        split = str(event.get("split", "val"))
        metrics = event.get("metrics")
        values = dict(metrics) if isinstance(metrics, dict) else {}
        if "loss" in event:
            values[f"{split}/loss"] = _loss(event["loss"])
        for name, value in values.items():
            self.collector.add(name if "/" in name else f"{split}/{name}", step, epoch, _loss(value))
        if "train_loss" in event:
            self.collector.add("train/epoch_loss", step, epoch, _loss(event["train_loss"]))


def _loss(value: Any) -> float | None:
    """A loss that is there and null is NaN: strict JSON has no other way to write it."""
    return float("nan") if value is None else number(value)


def _meta(event: Event) -> RunMeta:
    classes, steps, epochs = event.get("classes"), finite(event.get("total_steps")), finite(event.get("epochs"))
    return RunMeta(
        task=str(event.get("task", "")),
        classes=len(classes) if isinstance(classes, list) and classes else None,
        chance=finite(event.get("chance")),
        planned_steps=count(steps) or None,
        planned_epochs=count(epochs) or None,
        status="unfinished",
        selected_by=str(event.get("select_by", "")),
        validation_clips=count(event.get("validation_clips")) or None,
        frame_poor=_frame_poor(event),
    )


def _frame_poor(event: Event) -> tuple[int, int] | None:
    poor, clips = finite(event.get("too_few_frames")), count(event.get("train_clips"))
    return None if poor is None or not clips else (int(poor), clips)


def _mean(series: list[Series]) -> Series:
    """Mean over folds, aligned by position: folds differ in steps and agree in epochs."""
    length = min(len(member) for member in series)
    values = np.array([member.y[:length] for member in series]).mean(axis=0)
    first = series[0]
    return Series(first.name, first.at[:length], first.when[:length], values)
