"""Facts about the files behind the rows: missing, unreadable, cut off, misspelled, left over; and how many are left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from knowledge.records import Evidence, Fact, Measured, Unknown

from .clips import Clip, Scan
from .counting import EXAMPLES, counted
from .records import Dataset, Region, Row
from .suffixes import has_audio_suffix


def measure_integrity(dataset: Dataset, scan: Scan, copies: Sequence[int]) -> Measured:
    """Return what is wrong with files and paths, and `dataset.clips`, what is left after it."""
    rows, files = dataset.rows, len(dataset.files)
    missing = [row for row in rows if row.file is None]
    unreadable = _first_rows(rows, {region for region, clip in scan.clips.items() if clip.unreadable})
    truncated = _first_rows(rows, {region for region, clip in scan.clips.items() if clip.truncated})
    respelled = [row for row in rows if row.repaired]
    usable = {number for row, number in zip(rows, copies, strict=True) if usable_row(dataset, row, scan)}
    facts = (
        Fact("dataset.rows", len(rows), "audit", n=len(rows)),
        Fact("dataset.clips", len(usable), "audit", n=len(rows)),
        counted("dataset.missing_files", missing, len(rows), "no such file"),
        counted("dataset.unreadable_files", unreadable, files, lambda row: _clip(scan, row).unreadable),
        counted("dataset.truncated_files", truncated, files, lambda row: _clip(scan, row).truncated),
        counted("dataset.respelled_paths", respelled, len(rows), _respelling),
    )
    return Measured(facts) + _orphans(dataset)


def usable_row(dataset: Dataset, row: Row, scan: Scan) -> bool:
    """Whether a trainer can load the clip and knows its label."""
    clip = scan.of(row)
    return clip is not None and clip.usable and has_label(dataset, row)


def has_label(dataset: Dataset, row: Row) -> bool:
    """Whether the label can be used: any text for a class, a finite number for a score; true without a label column."""
    if dataset.columns.label is None:
        return True
    return row.score is not None if dataset.task == "regression" else bool(row.label)


def _file(row: Row) -> Path:
    assert row.file is not None  # rows without a file have no clip
    return row.file


def _clip(scan: Scan, row: Row) -> Clip:
    clip = scan.of(row)
    assert clip is not None  # only rows that were decoded are counted by what decoding brought
    return clip


def _first_rows(rows: Sequence[Row], wanted: set[Region]) -> list[Row]:
    """One row for each wanted clip."""
    first = {row.region: row for row in reversed(rows) if row.region in wanted}
    return [row for row in rows if row.region in first and first[row.region] is row]


def _respelling(row: Row) -> str:
    return f"{' and '.join(row.repaired)}: the file is {_file(row).name}"


def _orphans(dataset: Dataset) -> Measured:
    """Audio files in the folders that the rows point into, which no row names."""
    if dataset.from_folder:
        return Measured(unknown=(Unknown("dataset.orphan_files", "the folder itself is the manifest"),))
    named: dict[Path, set[str]] = {}
    place = {folder: folder.resolve() for folder in {file.parent for file in dataset.files}}
    for file in dataset.files:
        named.setdefault(place[file.parent], set()).add(file.name)
    orphans = [folder / name for folder in sorted(named) for name in _audio_names(folder) if name not in named[folder]]
    paths = tuple(_relative(path, dataset.base.resolve()) for path in orphans)
    evidence = tuple(Evidence("no row names it", path=path) for path in paths[:EXAMPLES])
    return Measured(
        (Fact("dataset.orphan_files", len(orphans), "audit", n=len(dataset.files), evidence=evidence, paths=paths),)
    )


def _audio_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if has_audio_suffix(entry.name) and entry.name[0] != ".")
    except PermissionError:  # a folder may be entered and not listed
        return []


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
