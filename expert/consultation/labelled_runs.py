"""Reads a folder of labelled logs: an INDEX.tsv that says which file is which run, and what a person found in it.

Columns: `id`, `file` (several joined by `;`, relative to the folder), `format`, `findings`, and `labelled_by` if any.
A finding may carry `@WHERE`; `?` makes it debatable (counts neither way), `!` forbids it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import InputError

NEEDED = ("id", "file", "format", "findings")


@dataclass(frozen=True)
class Labelled:
    """One run with what a person found in it."""

    name: str
    form: str
    files: tuple[Path, ...]
    demanded: frozenset[str]
    debatable: frozenset[str]
    forbidden: frozenset[str]
    by_hand: bool
    """Whether all of its findings were labelled; otherwise only those that are named were looked for."""

    def settles(self, finding: str) -> bool:
        """Whether the label says yes or no to a finding."""
        return finding not in self.debatable and (self.by_hand or finding in self.demanded | self.forbidden)


def labelled_runs(folder: Path, table: Path | None = None) -> list[Labelled]:
    """Read the rows of a table of labels.

    Args:
        folder: what the files of the rows are relative to.
        table: the labels; None for INDEX.tsv in the folder.

    Raises:
        InputError: there is no such file, or a column is missing.
    """
    path = table or folder / "INDEX.tsv"
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}, expected a table with the columns {', '.join(NEEDED)}",
            hint="Name the folder that holds the logs and their INDEX.tsv.",
        ) from None
    missing = [name for name in NEEDED if rows and name not in rows[0]]
    if not rows or missing:
        raise InputError(f"{path}: expected rows with the columns {', '.join(NEEDED)}, missing {', '.join(missing)}")
    return [_labelled(row, folder) for row in rows]


def _labelled(row: dict[str, str], folder: Path) -> Labelled:
    tokens = [token.strip() for token in row["findings"].split(";") if token.strip()]
    sure = frozenset(token.split("@")[0] for token in tokens if token[0] != "!" and token[-1] != "?")
    maybe = frozenset(token.rstrip("?").split("@")[0] for token in tokens if token[-1] == "?") - sure
    never = frozenset(token[1:].split("@")[0] for token in tokens if token[0] == "!")
    files = tuple(folder / file for file in row["file"].split(";"))
    by_hand = (row.get("labelled_by") or "hand") == "hand"
    return Labelled(row["id"], row["format"], files, sure, maybe, never, by_hand)
