"""Reads what MLflow tracked: the metrics folder of one run, or the database of many. Opens databases read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ..collecting import count, number
from .tensorboard import Scalars

_SQLITE = b"SQLite format 3\0"
_QUERY = "SELECT run_uuid, key, step, value, is_nan FROM metrics ORDER BY timestamp, step"


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE)) == _SQLITE


def read_database(path: Path) -> list[list[Scalars]]:
    """Return the metrics of each run, the run that began first in front; nothing where the file is another database."""
    runs: dict[str, dict[str, Scalars]] = {}
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            for run, key, step, value, is_nan in database.execute(_QUERY):
                _add(runs.setdefault(str(run), {}), str(key), step, "nan" if is_nan else value)
        finally:
            database.close()
    except (sqlite3.Error, ValueError, OverflowError):
        return []
    return [list(scalars.values()) for scalars in runs.values()]


def read_metrics_folder(folder: Path) -> list[Scalars]:
    """Return the metrics of one exported run: a file for each, whose lines hold time, value and step."""
    found: dict[str, Scalars] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = path.relative_to(folder).as_posix()
        for value, step in _rows(path):
            _add(found, key, step, value)
    return list(found.values())


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text("utf-8", errors="replace").split("\n"):
        cells = line.split()
        if len(cells) in (2, 3):  # older versions wrote no step
            yield cells[1], cells[2] if len(cells) == 3 else "0"


def _add(found: dict[str, Scalars], key: str, step: object, value: object) -> None:
    if (known := number(value)) is not None:
        scalars = found.setdefault(key, Scalars(key, ""))
        scalars.steps.append(count(step))
        scalars.values.append(known)
