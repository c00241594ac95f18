"""The one form that every kind of manifest is read into: columns of text with line numbers; judges no value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """A manifest as columns of text."""

    kind: str
    """What it was read as, for the report: `CSV`, `Kaldi directory`."""
    header: tuple[str, ...]
    columns: tuple[Sequence[str], ...]
    """A sequence of cells for each name in `header`, all of one length."""
    lines: Sequence[int]
    """Line of each row in its file; 0 where there is no such thing."""
    base: Path
    """Folder that paths are relative to."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Columns whose part the format itself fixes: `path`, `label`, `group`, `split`, `fold`, `text`, `session`,
    `start`, `stop`, `duration` (all in seconds), `channel`."""
    notes: tuple[str, ...] = ()
    """What was not understood, or not taken, in sentences."""

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> Sequence[str]:
        """Return the cells of a column."""
        return self.columns[self.header.index(name)]


def table_of_records(
    kind: str,
    records: Iterable[tuple[int, Mapping[str, str]]],
    base: Path,
    *,
    roles: Mapping[str, str] | None = None,
    notes: Iterable[str] = (),
) -> Table:
    """Lay records (line, cells by name) side by side; a cell that a record lacks is empty.

    Columns stand in the order in which they first occur. Roles of columns that never occur are dropped.
    """
    columns: dict[str, list[str]] = {}
    lines: list[int] = []
    for line, record in records:
        for name, cell in record.items():
            cells = columns.setdefault(name, [])
            if len(cells) < len(lines):
                cells.extend([""] * (len(lines) - len(cells)))
            cells.append(cell)
        lines.append(line)
    for cells in columns.values():
        cells.extend([""] * (len(lines) - len(cells)))
    known = {part: name for part, name in (roles or {}).items() if name in columns}
    return Table(kind, tuple(columns), tuple(columns.values()), lines, base, known, tuple(notes))
