"""Reads JSON Lines manifests (NeMo, Hugging Face metadata, and their like), one object a clip; opens no audio."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from knowledge.errors import InputError

from .table import Table, table_of_records
from .text import read_lines

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".json.gz", ".ndjson.gz")
Record = Mapping[str, Any]
_DEEPEST = 4


def read_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Yield (line, object) of a JSON Lines file, or of a JSON file that holds one list of objects.

    Raises:
        InputError: not JSON, or a line that is no object (with file and line).
    """
    lines = read_lines(path)
    first = next(lines, None)
    if first is None:
        raise InputError(f"{path} is empty, expected one JSON object a clip")
    if first[1].lstrip().startswith("["):
        text = "\n".join([first[1], *(line for _, line in lines)])
        yield from _objects(path, ((0, item) for item in _list(path, text)))
        return
    yield from _objects(path, ((number, _parsed(path, number, line)) for number, line in chain((first,), lines)))


def _list(path: Path, text: str) -> list[Any]:
    found = _parsed(path, 1, text)
    return found if isinstance(found, list) else [found]


def _parsed(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}:{number}: not JSON: {error}", hint="Expected one JSON object a line.") from None


def _objects(path: Path, items: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Record]]:
    for number, item in items:
        if not isinstance(item, dict):
            raise InputError(f"{path}:{number}: expected a JSON object, got {type(item).__name__}")
        yield number, item


def read_jsonl(path: Path) -> Table:
    """Read a JSON Lines manifest.

    Fields of objects become columns named with dots (`audio.path`); lists are left out, and said so.

    Raises:
        InputError: the file cannot be read, or is not JSON.
    """
    left_out: Counter[str] = Counter()
    table = table_of_records("JSON Lines", _flat_records(path, left_out), path.parent)
    roles = _NEMO if "audio_filepath" in table.header else _HUGGING_FACE
    known = {part: name for part, name in roles.items() if name in table.header}
    return replace(table, roles=known, notes=tuple(f"{name} in {count} rows" for name, count in left_out.items()))


def _flat_records(path: Path, left_out: Counter[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """One record at a time: the objects of a whole file would take ten times the memory of its cells."""
    for number, record in read_records(path):
        cells = dict(flat(record, left_out))
        if cells:
            yield number, cells
        else:
            left_out["no value"] += 1


_NEMO = {"path": "audio_filepath", "start": "offset", "duration": "duration", "text": "text"}
_HUGGING_FACE = {"path": "file_name"}


def flat(record: Record, left_out: Counter[str], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every plain value; what is a list is counted in `left_out`."""
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from flat(value, left_out, f"{name}.", depth + 1)
        elif isinstance(value, (list, dict)):
            left_out[f"the list {name} is not read"] += 1
        else:
            yield name, cell_of(value)


def cell_of(value: Any) -> str:
    """Return a JSON value as a table would hold it; null is empty."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
