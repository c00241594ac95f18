"""Writes a plan as a script of its own: transformers' Trainer, and a list of the clips. It trains nothing.

Nobody is locked in: the script needs nothing of this project, and computes the losses that the trainer computes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from engine.plan import read_plan, write_atomically
from knowledge.errors import PlanError, UsageError

from ..data import Item, read_corpus
from ..pretrained import normalises_input
from ..splits import Parts, parts_of
from .model import SPECTRAL
from .script import can_be_written, script_text

COLUMNS = ("row", "part", "file", "path", "label", "group", "start_seconds", "stop_seconds", "channel")


def eject(plan_path: Path, script: Path) -> list[Path]:
    """Write the script and, beside it, the list of its clips; return both.

    Raises:
        PlanError: a script cannot do what this plan says.
        UsageError: one of the files is there already.
    """
    plan = read_plan(plan_path)
    reasons = can_be_written(plan)
    if reasons:
        raise PlanError(
            f"{plan_path}: no script of transformers' Trainer does this: {'; '.join(reasons)}",
            hint="`tonmeister train` runs it.",
        )
    clips = script.with_name(f"{script.stem}-clips.csv")
    for path in (script, clips):
        if path.exists():
            raise UsageError(f"{path} is there already, expected a new file", hint="Name another --output.")
    corpus = read_corpus(plan)
    checkpoint = plan.backbone.checkpoint if plan.backbone.name not in SPECTRAL else None
    normalises = checkpoint is not None and normalises_input(checkpoint, plan.data.sample_rate_hz)
    text = script_text(plan, clips.name, corpus.classes, normalises, "tonmeister eject")
    write_atomically(clips, _list(parts_of(corpus.items, plan), bool(corpus.classes)))
    write_atomically(script, text)
    return [script, clips]


def _list(parts: Parts, classes: bool) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, items in (("train", parts.train), ("val", parts.validation), ("test", parts.held_out)):
        writer.writerows(_row(name, item, classes) for item in items)
    return stream.getvalue()


def _row(part: str, item: Item, classes: bool) -> Sequence[object]:
    region = item.region
    start = region.start_seconds or ""
    stop = "" if region.stop_seconds is None else region.stop_seconds
    channel = "" if region.channel is None else region.channel
    label = item.label if classes else repr(item.target)
    return (item.index, part, region.file.resolve(), item.path, label, item.group, start, stop, channel)
