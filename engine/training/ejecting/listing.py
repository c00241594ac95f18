"""The list of clips that lies beside a script; reads no manifest and opens no audio."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from engine.plan import Plan

from ..items import Item
from ..splits import Parts
from .order import reads_quality, reads_rarest


def list_of(parts: Parts, plan: Plan, classes: Sequence[str]) -> str:
    """Return the CSV of all clips, part after part."""
    named = (("train", parts.train), ("val", parts.validation), ("test", parts.held_out))
    rows = [_row(name, item, plan, classes) for name, items in named for item in items]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _row(part: str, item: Item, plan: Plan, classes: Sequence[str]) -> dict[str, object]:
    region = item.region
    row: dict[str, object] = {
        "row": item.index,
        "part": part,
        "file": region.file.resolve(),
        "path": item.path,
        "label": _label(item, plan, classes),
        "group": item.group,
        "start_seconds": region.start_seconds or "",
        "stop_seconds": "" if region.stop_seconds is None else region.stop_seconds,
        "channel": "" if region.channel is None else region.channel,
    }
    if item.reference is not None:
        row["reference"] = item.reference.file.resolve()
    if reads_rarest(plan):
        row["rarest"] = int(item.target)
    if reads_quality(plan):
        row["quality"] = item.quality
    return row


def _label(item: Item, plan: Plan, classes: Sequence[str]) -> str:
    """Return what a clip is labelled with, as exactly as the trainer knows it."""
    if plan.answer == "events":
        events = ((classes[one.number], one.onset_seconds, one.offset_seconds) for one in item.events)
        return "; ".join(f"{name} {onset:.9f}-{offset:.9f}" for name, onset, offset in events)
    return repr(item.target) if plan.answer == "score" else item.label
