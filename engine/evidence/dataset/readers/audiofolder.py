"""Reads the audio folders of Hugging Face: metadata.csv or metadata.jsonl beside the files; opens no audio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import InputError

from .delimited import read_delimited
from .files_within import files_within
from .jsonl import read_jsonl
from .table import Table, table_of_records
from .text import read_lines

_NAMES = ("metadata.csv", "metadata.jsonl")
_COLUMN = "file_name"


def metadata_files(folder: Path) -> list[Path]:
    """Return the metadata of a folder: its own, or that of its split folders where it names files as prescribed."""
    own = [folder / name for name in _NAMES if (folder / name).is_file()]
    return own[:1] or list(filter(_names_files, files_within(folder, 1, lambda name: name in _NAMES)))


def _names_files(file: Path) -> bool:
    """Whether the column is there; LJSpeech has a `metadata.csv`, too."""
    try:
        _, first = next(read_lines(file), (0, ""))
    except InputError:
        return True  # said by who reads it
    return _COLUMN in first


def read_audiofolder(folder: Path) -> Table:
    """Read every metadata file; the folders that hold one each are the splits.

    Raises:
        InputError: a file cannot be read.
    """
    files = metadata_files(folder)
    tables = [(file, read_delimited(file) if file.suffix == ".csv" else read_jsonl(file)) for file in files]
    records = [record for file, table in tables for record in _records(folder, file, table)]
    notes = [note for _, table in tables for note in table.notes]
    roles = {"path": _COLUMN, "split": "split"}
    return table_of_records("audio folder", records, folder, roles=roles, notes=notes)


def _records(folder: Path, file: Path, table: Table) -> Iterator[tuple[int, dict[str, str]]]:
    place = file.parent.relative_to(folder)
    for number, cells in zip(table.lines, zip(*table.columns, strict=True), strict=True):
        record = dict(zip(table.header, cells, strict=True))
        if place.parts:
            record[_COLUMN] = str(place / record.get(_COLUMN, ""))
            record.setdefault("split", place.name)
        yield number, record
