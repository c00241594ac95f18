"""The records of a data set as its manifest states it: rows, columns, splits; reads and judges nothing."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Split = Literal["train", "val", "test", ""]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
_SPLIT_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "devel", "development"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), "test"),
}
_NO_LABEL = frozenset({"", "nan", "null", "n/a", "#n/a"})

TaskType = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column plays which part; None where none does."""

    path: str
    label: str | None = None
    group: str | None = None
    split: str | None = None
    fold: str | None = None
    guessed: tuple[str, ...] = ()
    """The parts that were guessed from the column names, such as `label`."""


@dataclass(frozen=True, slots=True)
class Region:
    """A file, or the part of one, that a row names: what is decoded and measured as one clip."""

    file: Path
    start_seconds: float = 0.0
    stop_seconds: float | None = None
    """None: to the end of the file."""
    channel: int | None = None
    """Counted from 0; None: all channels."""

    @property
    def whole(self) -> bool:
        """Whether it is the whole file."""
        return self == Region(self.file)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the manifest."""

    path: str
    """As written in the manifest."""
    region: Region | None
    """What it names; None when there is no such file."""
    label: str
    """Without surrounding blanks; empty when the row has no label."""
    score: float | None
    """The label as a finite number, where it is one."""
    group: str
    split: Split
    fold: str
    line: int
    """Line of the manifest; 0 for a clip found in a folder."""
    fields: tuple[str, ...]
    """The whole row, in the order of the header."""
    repaired: tuple[str, ...] = ()
    """What had to change for the path to name a file: `backslash`, `blank`, `case`, `unicode`."""

    @property
    def file(self) -> Path | None:
        """The file it names; None when there is none."""
        return None if self.region is None else self.region.file


@dataclass(frozen=True)
class Dataset:
    """A manifest, or a folder of class folders, with its columns assigned."""

    manifest: Path
    base: Path
    """Folder that relative clip paths are relative to."""
    header: tuple[str, ...]
    columns: Columns
    rows: tuple[Row, ...]
    task: TaskType | None
    """What the labels look like, or what the caller said; None without labels."""
    from_folder: bool = False

    def written(self, row: Row, part: Literal["label", "group", "split"]) -> str:
        """Return the text of a column as it stands in the manifest, blanks included; empty without such a column."""
        column: str | None = getattr(self.columns, part)
        return "" if column is None else row.fields[self.header.index(column)]

    @property
    def regions(self) -> tuple[Region, ...]:
        """Every different clip that a row names, in the order of the rows."""
        return tuple(dict.fromkeys(row.region for row in self.rows if row.region is not None))

    @property
    def files(self) -> tuple[Path, ...]:
        """Every different file that a row names, in the order of the rows."""
        return tuple(dict.fromkeys(row.file for row in self.rows if row.file is not None))


def split_of(text: str) -> Split:
    """Return which split a name means, or an empty text when it means none of them."""
    return _SPLIT_NAMES.get(text.strip().casefold(), "")


def label_of(text: str) -> str:
    """Return the label without surrounding blanks; empty for the usual spellings of "no value"."""
    stripped = text.strip()
    return "" if stripped.casefold() in _NO_LABEL else stripped


@lru_cache(maxsize=1 << 16)
def folded(text: str) -> str:
    """Return the form in which two spellings of one name are equal: Unicode form, case and blanks do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
