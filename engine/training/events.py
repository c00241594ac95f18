"""Writes events.jsonl, the trainer's only voice; one writer a run, append-only. It never reads events."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from .faults import cannot_write
from .tensorboard import Board

VERSION = 1
_STRICT = json.JSONEncoder(allow_nan=False)
"""Made once: one is written for every step."""


class EventWriter:
    """Appends one JSON object a line. Numbers that are not finite become null, which strict JSON can hold."""

    def __init__(self, path: Path, board: Board | None = None) -> None:
        """Append to `path`; `board` is told the same."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._board = path, board
        self._stream = path.open("ab")
        if self._stream.tell() and not _ends_with_newline(path):
            self._stream.write(b"\n")  # a line torn by a kill must not swallow the next one

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event and hand it to the operating system, so that watchers see it at once."""
        event = {"v": VERSION, "t": round(time.time(), 3), "kind": kind, **fields}
        try:
            self._stream.write(_line(event).encode() + b"\n")
            self._stream.flush()
        except OSError as error:
            raise cannot_write(self._path, error) from error
        if self._board is not None:
            self._board.add(event)

    def close(self) -> None:
        """Flush to the disk and close.

        Raises:
            StorageError: what could not be written before still cannot.
        """
        if self._board is not None:
            self._board.close()
        try:
            os.fsync(self._stream.fileno())
            self._stream.close()
        except OSError as error:
            raise cannot_write(self._path, error) from error


def token(value: float) -> float | str:
    """Return the number, or its name where it is not finite: a lost loss must show in the log, not vanish as null."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _line(event: dict[str, Any]) -> str:
    try:
        return _STRICT.encode(event)
    except ValueError:
        return _STRICT.encode(_finite(event))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"
