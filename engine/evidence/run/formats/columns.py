"""Reads long, regular logs column by column: a million lines at the pace of their parser. Anything odd is left to the
readers of records, which take every log and are slow; both give the same curves.
"""

from __future__ import annotations

import gc
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..series import Floats
from .json_logs import MODES
from .names import meaning
from .tables import DELIMITERS

LONG_BYTES = 1 << 20
"""From here on it pays; what is shorter is read in a moment either way."""
_CHUNK_BYTES = 4 << 20
_NAN = re.compile(rb"nan", re.IGNORECASE)
_KEPT = ("curve", "rate", "gradient", "epoch", "step")


@dataclass(frozen=True)
class Layout:
    """Rows that name the same numbers. Every array has one length."""

    columns: Mapping[str, Floats]
    """Numbers by the name that the log gives them; NaN where the log has NaN."""
    place: Floats = field(default_factory=lambda: np.empty(0))
    """Number of the row in the log `(rows,)`."""


def read_long_table(path: Path) -> list[Layout] | None:
    """Return the one layout of a table of numbers with a header; None when it is short, or holds anything else."""
    if path.stat().st_size < LONG_BYTES:
        return None
    with path.open("rb") as stream:
        first = stream.readline()
    try:
        text = first.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        return None
    delimiter = max(DELIMITERS, key=text.count)
    header = [cell.strip().strip('"') for cell in text.split(delimiter)]
    understood = [meaning(name).role for name in header]
    if len(header) < 2 or len(set(header)) < len(header) or "curve" not in understood or not all(header):
        return None
    table = _numbers(path, delimiter, len(header))
    if table is None:
        return None
    kept = {name: table[:, i] for i, (name, role) in enumerate(zip(header, understood, strict=True)) if role in _KEPT}
    return [Layout(kept, np.arange(len(table), dtype=np.float64))]


def _numbers(path: Path, delimiter: str, width: int) -> Floats | None:
    """Numbers below the header `(rows, columns)`; None when a cell is none, or a row has another length."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a table without a row is none
            table: Floats = np.loadtxt(path, delimiter=delimiter, skiprows=1, ndmin=2, comments=None, encoding="utf-8")
    except (ValueError, UnicodeDecodeError, UserWarning):
        return None
    return table if table.shape[1] == width else None


def read_long_lines(path: Path) -> list[Layout] | None:
    """Return the layouts of a log with one flat JSON object a line; None when it is short, or holds anything else."""
    if path.stat().st_size < LONG_BYTES:
        return None
    found: dict[tuple[str, ...], _Growing] = {}
    row = 0
    collecting = gc.isenabled()
    gc.disable()  # a chunk is a hundred thousand objects without a cycle, all gone before the next
    try:
        for lines in _chunks(path):
            objects = json.loads(b"[" + b",".join(lines) + b"]")
            if len(objects) != len(lines) or not _gather(objects, row, found):
                return None
            row += len(objects)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    finally:
        if collecting:
            gc.enable()
    layouts = [one.layout() for one in found.values()]
    return layouts if any(one.columns for one in layouts) else None


def _chunks(path: Path) -> Iterator[list[bytes]]:
    """Whole lines of a file, a few megabytes at a time; a torn last line of a growing log is left for the next look."""
    with path.open("rb") as stream:
        rest = b""
        while block := stream.read(_CHUNK_BYTES):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield [line for line in lines if line.strip()]
        if rest.strip():
            yield [rest]


@dataclass
class _Growing:
    names: tuple[str, ...]
    parts: dict[str, list[Floats]] = field(default_factory=dict)
    places: list[Floats] = field(default_factory=list)

    def layout(self) -> Layout:
        columns = {name: np.concatenate(self.parts.pop(name)) for name in self.names}
        return Layout(columns, np.concatenate(self.places))


def _gather(objects: list[Any], begin: int, found: dict[tuple[str, ...], _Growing]) -> bool:
    """Append a chunk of rows to the layouts; False when a row is no flat object of numbers."""
    keys = list(map(tuple, objects))
    kinds = set(keys)
    for key in kinds:
        chosen = range(len(keys)) if len(kinds) == 1 else [i for i, its in enumerate(keys) if its == key]
        rows = objects if len(kinds) == 1 else [objects[i] for i in chosen]
        if not isinstance(rows[0], dict) or _is_nested(rows[0]):
            return False
        growing = found.get(key)
        if growing is None:
            names = tuple(name for name in key if meaning(name).role in _KEPT)
            growing = found[key] = _Growing(names, {name: [] for name in names})
        for name in growing.names:
            column = _column([one[name] for one in rows])
            if column is None:
                return False
            growing.parts[name].append(column)
        growing.places.append(np.asarray(chosen, dtype=np.float64) + begin)
    return True


def _is_nested(row: Mapping[str, Any]) -> bool:
    """Whether a row holds rows of its own, or says by a word which split it is of."""
    return any(isinstance(value, dict | list) for value in row.values()) or bool(set(MODES) & set(row))


def _column(values: Sequence[Any]) -> Floats | None:
    """Numbers as an array; None when one of them is a word, a list, nothing, or true or false."""
    if not set(map(type, values)) <= {int, float}:
        return None
    return np.array(values, dtype=np.float64)
