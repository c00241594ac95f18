"""Reads CSV and TSV manifests; judges no column and opens no audio."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import InputError

from ..collection import no_collection
from .table import Table
from .text import LONGEST_LINE_BYTES

_DELIMITERS = (",", "\t", ";", "|")


def read_delimited(manifest: Path) -> Table:
    """Read a text table with a header; the delimiter is the one that the header holds most often.

    Raises:
        InputError: missing, empty, not text, or a row with too few or too many fields (with file and line).
    """
    text = _text(manifest)
    first = text.lstrip().partition("\n")[0]
    if not first:
        raise InputError(f"{manifest} is empty, expected a header line and one row a clip")
    delimiter = max(_DELIMITERS, key=first.count)
    with no_collection():
        return _table(text, delimiter, manifest)


def _table(text: str, delimiter: str, manifest: Path) -> Table:
    lines, rows = _parse(text, delimiter, manifest)
    header = [name.strip() for name in rows[0]]
    if len(rows) == 1:
        raise InputError(f"{manifest}:{lines[0]}: a header and no rows, expected one row a clip")
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise InputError(f"{manifest}:{lines[0]}: the column {twice[0]!r} stands twice in the header")
    columns = tuple(zip(*rows[1:], strict=True))
    kind = "TSV" if delimiter == "\t" else "CSV"
    return Table(kind, tuple(header), columns, lines[1:], manifest.parent)


def _text(manifest: Path) -> str:
    try:
        content = manifest.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{manifest}: no such manifest", hint=_neighbours(manifest)) from None
    except OSError as error:
        raise InputError(f"{manifest}: {error.strerror}") from None
    _refuse_endless_line(manifest, content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{manifest}:{line}: byte 0x{content[error.start]:02x} is not UTF-8, expected a CSV or TSV file in UTF-8"
        ) from None


def _refuse_endless_line(manifest: Path, content: bytes) -> None:
    """A line without end fills the memory several times over before its field is found too long."""
    start = 0
    while len(content) - start > LONGEST_LINE_BYTES:
        end = content.rfind(b"\n", start, start + LONGEST_LINE_BYTES)
        if end < 0:
            line = content.count(b"\n", 0, start) + 1
            raise InputError(f"{manifest}:{line}: a line of more than {LONGEST_LINE_BYTES >> 20} MiB")
        start = end + 1


def _neighbours(manifest: Path) -> str:
    if not manifest.parent.is_dir():
        return f"There is no folder {manifest.parent} either."
    tables = sorted(entry.name for entry in manifest.parent.iterdir() if entry.suffix.casefold() in (".csv", ".tsv"))
    return f"{manifest.parent} holds {', '.join(tables[:5])}." if tables else ""


def _parse(text: str, delimiter: str, manifest: Path) -> tuple[Sequence[int], list[list[str]]]:
    """Parse with quotes; tab-separated files often hold lone quotes, so they are tried without as well."""
    try:
        return _records(text, delimiter, csv.QUOTE_MINIMAL, manifest)
    except InputError:
        if delimiter != "\t":
            raise
        return _records(text, delimiter, csv.QUOTE_NONE, manifest)


def _records(text: str, delimiter: str, quoting: int, manifest: Path) -> tuple[Sequence[int], list[list[str]]]:
    """Return line numbers and rows, the header first; rows without any text are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]  # mypy wants the literal constants
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        raise InputError(f"{manifest}:{_line_after(text, delimiter, quoting, len(rows))}: {error}") from None
    if reader.line_num == len(rows) and len(set(map(len, rows))) == 1 and len(rows[0]) > 1:
        return range(1, len(rows) + 1), rows
    return _uneven(text, delimiter, quoting, manifest)


def _uneven(text: str, delimiter: str, quoting: int, manifest: Path) -> tuple[list[int], list[list[str]]]:
    """Read row by row, for the line numbers: a field may hold line ends, and lines may be empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]  # likewise
    lines: list[int] = []
    rows: list[list[str]] = []
    line = 1
    for fields in reader:
        if any(field.strip() for field in fields):
            if rows and len(fields) != len(rows[0]):
                raise InputError(
                    f"{manifest}:{line}: {len(fields)} fields, expected {len(rows[0])} as in the header",
                    hint="A field that holds the delimiter stands in double quotes.",
                )
            lines.append(line)
            rows.append(fields)
        line = reader.line_num + 1
    return lines, rows


def _line_after(text: str, delimiter: str, quoting: int, rows: int) -> int:
    """Return the line on which the row after so many begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]  # likewise
    for _ in range(rows):
        next(reader)
    return reader.line_num + 1
