"""Writes a plan as a script of its own: transformers' Trainer, and a list of the clips. It trains nothing.

Nobody is locked in: the script needs nothing of this project, and computes the losses that the trainer computes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from engine.plan import Plan, read_plan, write_atomically
from knowledge.errors import PlanError, UsageError

from ..data import read_corpus
from ..items import Item
from ..labels import separator_of
from ..pretrained import preprocessor
from ..splits import LEAVE_ONE_GROUP_OUT, Parts, folds_of, parts_of
from .model import SPECTRAL
from .order import reads_quality, reads_rarest
from .script import can_be_written, script_text

COLUMNS = ("row", "part", "file", "path", "label", "group", "start_seconds", "stop_seconds", "channel")
_OF_ORDERS = ((reads_rarest, "rarest", "target"), (reads_quality, "quality", "quality"))
"""What only orders of clips read: when, the column, and what of an item stands in it."""


def eject(plan_path: Path, script: Path, *, held_out: str | None = None) -> list[Path]:
    """Write the script and, beside it, the list of its clips; return both.

    `held_out` names the group that a plan with leave-one-group-out keeps for the test.

    Raises:
        PlanError: a script cannot do what this plan says.
        UsageError: one of the files is there already, or `held_out` does not fit the plan.
    """
    plan = read_plan(plan_path)
    reasons = can_be_written(plan)
    if reasons:
        raise PlanError(
            f"{plan_path}: `tonmeister eject` writes no script that does this: {'; '.join(reasons)}",
            hint="Change these lines in a copy of the plan, or stay with `tonmeister train`, which runs it as it is.",
        )
    clips = script.with_name(f"{script.stem}-clips.csv")
    for path in (script, clips):
        if path.exists():
            raise UsageError(f"{path} is there already, expected a new file", hint="Name another --output.")
    corpus = read_corpus(plan)
    checkpoint = plan.backbone.checkpoint if plan.backbone.name not in SPECTRAL else None
    settings = {} if checkpoint is None else preprocessor(checkpoint, plan.data.sample_rate_hz)
    separator = separator_of((item.label for item in corpus.items), plan.data.label_separator)
    text = script_text(plan, clips.name, corpus.classes, settings, "tonmeister eject", separator)
    write_atomically(clips, _list(_parts(corpus.items, plan, held_out), plan))
    write_atomically(script, text)
    return [script, clips]


def _parts(items: Sequence[Item], plan: Plan, held_out: str | None) -> Parts:
    if plan.data.protocol != LEAVE_ONE_GROUP_OUT:
        if held_out is not None:
            raise UsageError(
                f"--held-out {held_out} means a group, and data.protocol is {plan.data.protocol}, which needs none",
                hint="Leave --held-out away.",
            )
        return parts_of(items, plan)
    folds = folds_of(items, plan, LEAVE_ONE_GROUP_OUT)
    if held_out not in folds:
        raise UsageError(
            f"data.protocol is leave-one-group-out, and a script trains one model: got {held_out or 'no group'}, "
            f"expected one of {', '.join(folds)}",
            hint="Say which group is left out: --held-out NAME. `tonmeister train` trains all of them.",
        )
    return folds[held_out]


def _list(parts: Parts, plan: Plan) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*COLUMNS, *(column for reads, column, _ in _OF_ORDERS if reads(plan))))
    for name, items in (("train", parts.train), ("val", parts.validation), ("test", parts.held_out)):
        writer.writerows(_row(name, item, plan) for item in items)
    return stream.getvalue()


def _row(part: str, item: Item, plan: Plan) -> Sequence[object]:
    region = item.region
    start = region.start_seconds or ""
    stop = "" if region.stop_seconds is None else region.stop_seconds
    channel = "" if region.channel is None else region.channel
    label = repr(item.target) if plan.answer == "score" else item.label
    more = (f"{getattr(item, name):.12g}" for reads, _, name in _OF_ORDERS if reads(plan))
    return (item.index, part, region.file.resolve(), item.path, label, item.group, start, stop, channel, *more)
