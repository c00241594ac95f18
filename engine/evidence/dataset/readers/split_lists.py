"""Reads lists of clips beside class folders, a split each, as Speech Commands has them; opens no audio.

`testing_list.txt` and `validation_list.txt` name a clip a line, and what neither names is the training split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from knowledge.errors import InputError

from ..records import SPLITS
from ..suffixes import has_audio_suffix
from .split_names import split_in
from .table import Table, table_of_records
from .text import read_lines

_SUFFIXES = (".txt", ".lst", ".list")


def with_split_lists(table: Table, folder: Path) -> Table:
    """Return the rows of a folder of class folders with the splits of its lists; as they are where it has none.

    A clip that two lists name stands there twice, and one that is not there stands there as missing. Lists that cannot
    be told apart, two of one split, are not taken, which a note says.
    """
    if "split" in table.header:
        return table
    known = set(table.column("path"))
    lists = {file: clips for file in _files(folder) if (clips := _clips(file, known))}
    if not lists:
        return table
    names = ", ".join(file.name for file in lists)
    splits = [split_in(file.stem) for file in lists]
    if len(set(splits)) < len(splits):
        note = f"Lists of the folder that were not read, because several are of one split: {names}."
        return replace(table, notes=(*table.notes, note))
    rest = "" if "train" in splits else "train"
    kind = f"{table.kind}, splits by {names}"
    notes = [*table.notes, f"Clips that none of {names} names are {'the training split' if rest else 'in no split'}."]
    rows = _rows(table, dict(zip(splits, lists.values(), strict=True)), rest)
    return table_of_records(kind, rows, table.base, roles={**table.roles, "split": "split"}, notes=notes)


def _files(folder: Path) -> list[Path]:
    entries = [entry for entry in folder.iterdir() if entry.suffix.casefold() in _SUFFIXES and entry.is_file()]
    return sorted(entry for entry in entries if split_in(entry.stem) in SPLITS)


def _clips(file: Path, known: set[str]) -> list[tuple[int, str]]:
    """Return line and path of each clip of a list; none where half of its lines name none of the folder."""
    try:
        lines = [(number, _path(line)) for number, line in read_lines(file)]
    except InputError:
        return []
    if not lines or 2 * sum(path in known for _, path in lines) < len(lines):
        return []
    return [(number, path) for number, path in lines if path in known or has_audio_suffix(path)]


def _path(line: str) -> str:
    return line.strip().replace("\\", "/").removeprefix("./")


def _rows(table: Table, lists: dict[str, Sequence[tuple[int, str]]], rest: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give the rows of a split after those of another, and last what no list names; a line is that of its list."""
    part = table.header[1]
    labels = dict(zip(table.column("path"), table.column(part), strict=True))
    for split in (split for split in SPLITS if split in lists):
        for line, path in lists[split]:
            yield line, {"path": path, part: labels.get(path, path.split("/", 1)[0]), "split": split}
    listed = {path for clips in lists.values() for _, path in clips}
    for path, label in labels.items():
        if path not in listed:
            yield 0, {"path": path, part: label, "split": rest}
