"""Reads audformat databases (YAML header with CSV tables); loads no pickle and opens no audio."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from os.path import isfile
from pathlib import Path
from typing import Any

from knowledge.errors import InputError

from .table import Table, table_of_records
from .text import read_lines

_ROLES = {"path": "file", "group": "speaker", "split": "split", "start": "start", "stop": "end"}
_CLOCK = re.compile(r"^(?:(\d+) days? )?(\d+):(\d\d):(\d\d(?:\.\d+)?)$")
_MOST_HEADER_BYTES = 4 << 20
Json = Mapping[str, Any]


def audformat_header(folder: Path) -> Path | None:
    """Return the header of the database in a folder; None when there is none."""
    header = folder / "db.yaml"
    return header if header.is_file() else None


def read_audformat(header: Path) -> Table:
    """Read a database by its header: file-wise and segmented tables are joined by file (and begin and end).

    Raises:
        InputError: the header is no audformat header, or a table cannot be read.
    """
    content = _header(header)
    notes: list[str] = []
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    lines: dict[tuple[str, str, str], int] = {}
    for name, table in content["tables"].items():
        if table.get("type") not in ("filewise", "segmented"):
            notes.append(f"table {name}: of type {table.get('type')}, not read")
            continue
        file = header.parent / f"{header.stem}.{name}.csv"
        if not isfile(file):  # noqa: PTH113 - its name may be too long to ask for
            notes.append(f"table {name}: {file.name} is not there; only CSV tables are read")
            continue
        split = _split_of(content, table)
        for line, record in _rows(file):
            key = record.get("file", ""), _seconds(record.pop("start", "")), _seconds(record.pop("end", ""))
            known = rows.setdefault(key, {"file": key[0], "start": key[1], "end": key[2]})
            lines.setdefault(key, line)
            for column, cell in record.items():
                if known.get(column, cell) != cell:
                    column = f"{name}.{column}"
                known[column] = cell
            if split:
                known["split"] = split
    return table_of_records(
        "audformat", ((lines[key], row) for key, row in rows.items()), header.parent, roles=_ROLES, notes=notes
    )


def _header(header: Path) -> Json:
    try:
        if header.stat().st_size > _MOST_HEADER_BYTES:
            raise InputError(f"{header}: a header of more than {_MOST_HEADER_BYTES >> 20} MiB")
        text = header.read_text("utf-8")
        from .plain_yaml import plain_yaml

        content = plain_yaml(text)
    except ValueError as error:
        raise InputError(f"{header} is not YAML: {error}") from None
    except OSError as error:
        raise InputError(f"{header}: {error.strerror}") from None
    tables = content.get("tables") if isinstance(content, dict) else None
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise InputError(f"{header}: no `tables`, expected the header of an audformat database")
    return {str(key): value for key, value in content.items()}


def _split_of(content: Json, table: Json) -> str:
    """The type of the table's split (train, dev, test), or its name."""
    name = table.get("split_id")
    splits = content.get("splits")
    split = splits.get(name) if isinstance(splits, dict) else None
    return str(split.get("type", name)) if isinstance(split, dict) else str(name or "")


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    lines = read_lines(file)
    numbers: list[int] = []

    def texts() -> Iterator[str]:
        for number, line in lines:
            numbers.append(number)
            yield line

    reader = csv.reader(texts(), strict=True)
    try:
        header = next(reader, [])
        for fields in reader:
            if len(fields) != len(header):
                raise InputError(f"{file}:{numbers[-1]}: {len(fields)} fields, expected {len(header)} as in the header")
            yield numbers[-1], dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise InputError(f"{file}:{numbers[-1] if numbers else 1}: {error}") from None


def _seconds(text: str) -> str:
    """Turn `0 days 00:01:02.5` into seconds; NaT and nothing are empty."""
    match = _CLOCK.match(text.strip())
    if match is None:
        return "" if text.strip() in ("", "NaT") else text
    days, hours, minutes, seconds = match.groups()
    return repr(int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds))
