"""Reads a folder in which a trainer wrote one JSON object for each epoch; looks into no other folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .json_logs import read_summary
from .record import Record

_NUMBERED = re.compile(r"(.*?)[_-]?(\d{1,6})")
_FEWEST = 3


def read_numbered(folder: Path) -> list[Record] | None:
    """Return the records of files that differ in a number alone, in its order; None without three of them.

    `metrics_epoch_0.json`, `metrics_epoch_1.json`, ..., as AllenNLP writes them.
    """
    groups: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.glob("*.json")):
        if found := _NUMBERED.fullmatch(path.stem):
            groups.setdefault(found[1], {})[int(found[2])] = path
    group = max(groups.values(), key=len, default={})
    if len(group) < _FEWEST:
        return None
    records = []
    for number, path in sorted(group.items()):
        told = read_summary(path.read_text("utf-8", errors="replace"))
        if told is None:
            return None
        records.append(told[0] if told[0].epoch is not None else replace(told[0], epoch=float(number)))
    return records
