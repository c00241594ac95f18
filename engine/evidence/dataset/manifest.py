"""Reads a CSV or TSV manifest, or a folder of class folders, into a `Dataset`; opens no audio."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge.errors import InputError, UsageError

from .columns import assign_columns
from .folders import read_folder
from .paths import PathFinder
from .records import Columns, Dataset, Region, Row, TaskType, label_of, split_of

_DELIMITERS = (",", "\t", ";", "|")
_Line = tuple[int, list[str]]


def read_dataset(
    manifest: Path,
    *,
    path: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    fold: str | None = None,
    audio_root: Path | None = None,
    task: TaskType | None = None,
) -> Dataset:
    """Read a manifest or a folder. Columns that are not named are guessed; `Columns.guessed` says which.

    Raises:
        InputError: missing, empty, not text, or a row with too few or too many fields (with file and line).
        UsageError: a named column does not exist; the message names those that do, and the nearest.
    """
    named = {"path": path, "label": label, "group": group, "split": split, "fold": fold}
    if manifest.is_dir():
        return _folder(manifest, named, task)
    header, lines = _table(manifest)
    columns = assign_columns(header, [fields for _, fields in lines], named, str(manifest))
    base = manifest.parent if audio_root is None else audio_root
    rows = tuple(_rows(header, lines, columns, PathFinder(base)))
    _refuse_split(manifest, columns, rows)
    return Dataset(manifest, base, tuple(header), columns, rows, _task(rows, task))


def _folder(folder: Path, named: dict[str, str | None], task: TaskType | None) -> Dataset:
    header, columns, rows = read_folder(folder)
    _refuse_columns(folder, columns, named)
    return Dataset(folder, folder, header, columns, rows, _task(rows, task), from_folder=True)


def _refuse_columns(folder: Path, columns: Columns, named: dict[str, str | None]) -> None:
    there = {"path": columns.path, "label": columns.label, "split": columns.split}
    for part, name in named.items():
        if name is not None and there.get(part) != name:
            known = ", ".join(value for value in there.values() if value)
            raise UsageError(f"{folder} is a folder; it has no column {name!r} for the {part}, only {known}")


def _refuse_split(manifest: Path, columns: Columns, rows: tuple[Row, ...]) -> None:
    if columns.split is not None and not any(row.split for row in rows):
        raise UsageError(
            f"{manifest}: no value of the column {columns.split!r} names a split, expected train, val or test",
            hint="Name another column with --split, or leave it out.",
        )


def _table(manifest: Path) -> tuple[list[str], list[_Line]]:
    """Return the header and the rows with their line numbers."""
    text = _text(manifest)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise InputError(f"{manifest} is empty, expected a header line and one row a clip")
    counts = {delimiter: first.count(delimiter) for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda candidate: counts[candidate])
    lines = _parse(text, delimiter, manifest)
    (number, header), *rows = lines
    header = [name.strip() for name in header]
    if not rows:
        raise InputError(f"{manifest}:{number}: a header and no rows, expected one row a clip")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{manifest}:{number}: the column {twice[0]!r} stands twice in the header")
    return header, rows


def _text(manifest: Path) -> str:
    try:
        content = manifest.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{manifest}: no such manifest", hint=_neighbours(manifest)) from None
    except OSError as error:
        raise InputError(f"{manifest}: {error.strerror}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{manifest}:{line}: byte 0x{content[error.start]:02x} is not UTF-8, expected a CSV or TSV file in UTF-8"
        ) from None


def _neighbours(manifest: Path) -> str:
    if not manifest.parent.is_dir():
        return f"There is no folder {manifest.parent} either."
    tables = sorted(entry.name for entry in manifest.parent.iterdir() if entry.suffix.casefold() in (".csv", ".tsv"))
    return f"{manifest.parent} holds {', '.join(tables[:5])}." if tables else ""


def _parse(text: str, delimiter: str, manifest: Path) -> list[_Line]:
    """Parse with quotes; tab-separated files often hold lone quotes, so they are tried without as well."""
    try:
        return _records(text, delimiter, csv.QUOTE_MINIMAL, manifest)
    except InputError:
        if delimiter != "\t":
            raise
        return _records(text, delimiter, csv.QUOTE_NONE, manifest)


def _records(text: str, delimiter: str, quoting: int, manifest: Path) -> list[_Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]  # mypy wants the literal constants
    records: list[_Line] = []
    line, width = 1, 0
    try:
        for fields in reader:
            if fields and any(field.strip() for field in fields):
                width = width or len(fields)
                if len(fields) != width:
                    raise InputError(
                        f"{manifest}:{line}: {len(fields)} fields, expected {width} as in the header",
                        hint="A field that holds the delimiter stands in double quotes.",
                    )
                records.append((line, fields))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{manifest}:{line}: {error}") from None
    return records


def _rows(header: Sequence[str], lines: list[_Line], columns: Columns, finder: PathFinder) -> Iterator[Row]:
    places = {part: header.index(name) for part, name in _assigned(columns)}

    def field(fields: list[str], part: str) -> str:
        return fields[places[part]] if part in places else ""

    for line, fields in lines:
        label = label_of(field(fields, "label"))
        file, repaired = finder.find(field(fields, "path"))
        yield Row(
            path=field(fields, "path"),
            region=None if file is None else Region(file),
            label=label,
            score=_number(label),
            group=field(fields, "group").strip(),
            split=split_of(field(fields, "split")),
            fold=field(fields, "fold").strip(),
            line=line,
            fields=tuple(fields),
            repaired=repaired,
        )


def _assigned(columns: Columns) -> Iterator[tuple[str, str]]:
    for part in ("path", "label", "group", "split", "fold"):
        name = getattr(columns, part)
        if name is not None:
            yield part, name


def _number(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _task(rows: tuple[Row, ...], said: TaskType | None) -> TaskType | None:
    """What the caller said, or a proposal from the labels.

    Scores are numbers, nearly all of them (a stray word among scores is a faulty row), with more than twenty values,
    or with fractions and more than ten. Whole numbers that count up from 0 or 1 without a gap are class numbers,
    however many, and so is anything written with leading zeros.
    """
    labels = [row.label for row in rows if row.label]
    scores = [row.score for row in rows if row.label and row.score is not None]
    if said is not None or not labels:
        return said
    if len(scores) < 0.95 * len(labels) or any(
        label.startswith("0") and label.isdigit() and label != "0" for label in labels
    ):
        return "classification"
    values = sorted(set(scores))
    if any(value != int(value) for value in values):
        return "regression" if len(values) > 10 else "classification"
    counts_up = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    return "classification" if len(values) <= 20 or counts_up else "regression"
