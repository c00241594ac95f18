"""The records of a data set as its manifest states it: columns, rows, splits; reads and judges nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import repeat
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from .coded import Coded, Integers, coded, numbered
from .collection import no_collection
from .folding import all_folded

Split = Literal["train", "val", "test", ""]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
_SPLIT_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "devel", "development"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), "test"),
}
_NO_LABEL = frozenset({"", "nan", "null", "n/a", "#n/a"})

TaskType = Literal["classification", "regression", "ctc"]
"""What labels are: classes, scores, or what is said, which is learnt symbol by symbol."""
Part = Literal[
    "path", "label", "group", "split", "fold", "text", "session", "start", "stop", "duration", "channel"
]  # fmt: skip
"""What a column can be."""
_REGION_PARTS: tuple[Part, ...] = ("start", "stop", "duration", "channel")


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
    text: str | None = None
    """What is said in the clip."""
    session: str | None = None
    """The recording or session that a clip was cut from, where that is not the group."""
    start: str | None = None
    stop: str | None = None
    duration: str | None = None
    """Begin, end and length of the clip in its file, in seconds."""
    channel: str | None = None
    raters: tuple[str, ...] = ()
    """Columns that hold the score of one rater each."""

    def of(self, part: Part) -> str | None:
        """Return the column of a part."""
        column: str | None = getattr(self, part)
        return column


class _Bounds(NamedTuple):
    path: str
    start_seconds: float = 0.0
    stop_seconds: float | None = None
    """None: to the end of the file."""
    channel: int | None = None
    """Counted from 0; None: all channels."""


class Region(_Bounds):
    """A file, or the part of one, that a row names: what is decoded and measured as one clip.

    It holds the path as text: of a hundred thousand clips few are ever asked for their `Path`, which takes longer to
    make than all the rest of a record. A tuple with names, because one is made of every clip, and looked up many times:
    a dataclass that cannot be changed takes four times as long for both.
    """

    __slots__ = ()

    def __new__(
        cls,
        path: str | Path,
        start_seconds: float = 0.0,
        stop_seconds: float | None = None,
        channel: int | None = None,
    ) -> Self:
        """Keep the path as text."""
        return cls._make((path if type(path) is str else str(path), start_seconds, stop_seconds, channel))

    @property
    def file(self) -> Path:
        """The file as a path."""
        return Path(self.path)

    @property
    def whole(self) -> bool:
        """Whether it is the whole file."""
        return not self.start_seconds and self.stop_seconds is None and self.channel is None


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
    place: int = 0
    """Number of the row in its data set, from 0."""
    repaired: tuple[str, ...] = ()
    """What had to change for the path to name a file: `backslash`, `blank`, `case`, `unicode`."""

    @property
    def name(self) -> str:
        """What the clip is called in reports: the path, and of a part of a file its bounds as well."""
        return self.path + (_fragment(self.region) if self.region is not None and not self.region.whole else "")

    @property
    def file(self) -> Path | None:
        """The file it names; None when there is none."""
        return None if self.region is None else self.region.file


@dataclass(frozen=True)
class Dataset:
    """A manifest of any kind with its columns assigned; rows are made when somebody asks for them."""

    manifest: Path
    base: Path
    """Folder that relative clip paths are relative to."""
    kind: str
    """What the manifest was read as."""
    header: tuple[str, ...]
    cells: tuple[Sequence[str], ...]
    """For each name in the header the cells of all rows, as written."""
    lines: Sequence[int]
    columns: Columns
    task: TaskType | None
    """What the labels look like, or what the caller said; None without labels."""
    found: Sequence[str | None]
    """The file of each row; None when there is none."""
    repaired: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Rows whose path names a file only otherwise spelled, and what had to change."""
    notes: tuple[str, ...] = ()
    """What the reader did not understand or did not take."""

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def from_folder(self) -> bool:
        """Whether the clips were found by looking into a folder, so that no file can lack a row."""
        return not any(self.lines[:1])

    def column(self, part: Part) -> Sequence[str] | None:
        """Return the cells of a part as written; None when no column plays it."""
        name = self.columns.of(part)
        return None if name is None else self.cells[self.header.index(name)]

    @cached_property
    def paths(self) -> Sequence[str]:
        """`(rows,)`: the path of each row as written."""
        return self.cells[self.header.index(self.columns.path)]

    @cached_property
    def names(self) -> Sequence[str]:
        """`(rows,)`: what each clip is called in reports; see `Row.name`."""
        if not any(self.columns.of(part) for part in _REGION_PARTS):
            return self.paths
        return [self.row(place).name for place in range(len(self))]

    @cached_property
    def labels(self) -> Coded:
        """The labels; class names that differ in case, blanks or Unicode form only are one."""
        return self._coded("label", lambda cells: all_folded(list(map(label_of, cells))))

    @cached_property
    def groups(self) -> Coded:
        """The groups, likewise."""
        return self._coded("group")

    @cached_property
    def sessions(self) -> Coded:
        """The sessions or source recordings, likewise."""
        return self._coded("session")

    @cached_property
    def texts(self) -> Coded:
        """What is said, likewise."""
        return self._coded("text")

    @cached_property
    def scores(self) -> npt.NDArray[np.float64]:
        """`(rows,)`: the label as a finite number; NaN where it is none."""
        return self.numbers("label")

    @cached_property
    def splits(self) -> Integers:
        """`(rows,)`: 0 train, 1 val, 2 test, -1 none."""
        place = {name: number for number, name in enumerate(SPLITS)}
        raw, texts = numbered(self.column("split") or [""] * len(self))
        return np.array([place.get(split_of(text), -1) for text in texts], dtype=np.int64)[raw]

    @cached_property
    def has_label(self) -> npt.NDArray[np.bool_]:
        """`(rows,)`: whether the label can be used: any text for a class, a finite number for a score.

        True for all rows without a label column.
        """
        if self.columns.label is None:
            return np.ones(len(self), dtype=bool)
        if self.task == "regression":
            return np.isfinite(self.scores)
        named: npt.NDArray[np.bool_] = self.labels.codes >= 0
        return named

    def numbers(self, part: Part) -> npt.NDArray[np.float64]:
        """Return `(rows,)`: the cells of a part as finite numbers; NaN where they are none, or no column plays it."""
        return numbers_of(self.column(part) or [""] * len(self))

    @property
    def region_codes(self) -> Integers:
        """`(rows,)`: the number of the clip that each row names, in the order of `regions`; -1 without a file."""
        return self._clips[0]

    @property
    def region_count(self) -> int:
        """How many different clips the rows name."""
        return len(self._clips[1])

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Every different clip that a row names, in the order of the rows."""
        with no_collection():
            return _regions(self._clips[1])

    @property
    def file_count(self) -> int:
        """How many different files the rows name."""
        if not any(self.columns.of(part) for part in _REGION_PARTS):
            return self.region_count
        return len({region.path for region in self.regions})

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every different file that a row names, in the order of the rows."""
        return tuple(map(Path, dict.fromkeys(region.path for region in self.regions)))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every row; measurements that look at all rows read the columns instead."""
        return tuple(map(self.row, range(len(self))))

    def row(self, place: int) -> Row:
        """Return one row."""
        code, score = int(self.region_codes[place]), float(self.scores[place])
        return Row(
            path=self.paths[place],
            region=None if code < 0 else self.regions[code],
            label=label_of(self._cell("label", place)),
            score=None if math.isnan(score) else score,
            group=self._cell("group", place).strip(),
            split=SPLITS[self.splits[place]] if self.splits[place] >= 0 else "",
            fold=self._cell("fold", place).strip(),
            line=self.lines[place],
            place=place,
            repaired=self.repaired.get(place, ()),
        )

    def written(self, row: Row, part: Part) -> str:
        """Return the text of a column as it stands in the manifest, blanks included; empty without such a column."""
        return self._cell(part, row.place)

    def with_splits(self, splits: Sequence[Split], column: str) -> Dataset:
        """Return the rows that have a split, with it in a new column, as a repaired manifest will hold them."""
        kept = [place for place, split in enumerate(splits) if split]
        number = {place: new for new, place in enumerate(kept)}
        return replace(
            self,
            header=(*self.header, column),
            cells=(*([cells[place] for place in kept] for cells in self.cells), [splits[place] for place in kept]),
            lines=[self.lines[place] for place in kept],
            columns=replace(self.columns, split=column),
            found=[self.found[place] for place in kept],
            repaired={number[place]: changes for place, changes in self.repaired.items() if place in number},
        )

    def _cell(self, part: Part, place: int) -> str:
        cells = self.column(part)
        return "" if cells is None else cells[place]

    def _coded(self, part: Part, fold: Callable[[list[str]], list[str]] | None = None) -> Coded:
        return coded(self.column(part) or [""] * len(self), fold or all_folded)

    @cached_property
    def _clips(self) -> tuple[Integers, Sequence[str | Region]]:
        """The number of each row's clip, and the clips: files, or regions where the manifest names parts of files."""
        if not any(self.columns.of(part) for part in _REGION_PARTS):
            return _numbered_files(self.found)
        places: dict[Region, int] = {}
        start, stop, length, channel = (self.numbers(part) for part in _REGION_PARTS)
        bounds = zip(self.found, start.tolist(), stop.tolist(), length.tolist(), channel.tolist(), strict=True)
        numbers = [
            -1 if file is None else places.setdefault(_region(file, *rest), len(places)) for file, *rest in bounds
        ]
        return np.array(numbers, dtype=np.int64), list(places)


def _numbered_files(found: Sequence[str | None]) -> tuple[Integers, list[str]]:
    codes, files = numbered([file or "" for file in found])
    if "" not in files:
        return codes, files
    empty = files.index("")
    return np.where(codes == empty, -1, codes - (codes > empty)), [*files[:empty], *files[empty + 1 :]]


def _fragment(region: Region) -> str:
    """Write the bounds as a temporal fragment (W3C, Media Fragments URI 1.0, 2012): `#t=0.5,1.25`."""
    stop = "" if region.stop_seconds is None else f",{region.stop_seconds:g}"
    channel = "" if region.channel is None else f"&track={region.channel}"
    return f"#t={region.start_seconds:g}{stop}{channel}"


def _regions(clips: Sequence[str | Region]) -> tuple[Region, ...]:
    if {*map(type, clips)} <= {str}:  # as in nearly all sets: made without a call in Python for each
        bounds = zip(clips, repeat(0.0), repeat(None), repeat(None), strict=False)
        return tuple(map(partial(tuple.__new__, Region), bounds))
    return tuple([Region(clip) if isinstance(clip, str) else clip for clip in clips])


def _region(file: str, start: float, stop: float, length: float, channel: float) -> Region:
    """A length without a begin is that of the whole file: it is checked, and cuts nothing."""
    begin = 0.0 if math.isnan(start) else max(0.0, start)
    if not math.isnan(stop):
        end: float | None = stop
    elif not math.isnan(start) and not math.isnan(length):
        end = begin + length
    else:
        end = None
    return Region(file, begin, end, None if math.isnan(channel) else int(channel))


def numbers_of(cells: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return `(rows,)`: the cells as finite numbers; NaN where they are none."""
    raw, texts = numbered(cells)
    return np.array([_number(text) for text in texts], dtype=np.float64)[raw]


def _number(text: str) -> float:
    try:
        number = float(label_of(text))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def split_of(text: str) -> Split:
    """Return which split a name means, or an empty text when it means none of them."""
    return _SPLIT_NAMES.get(text.strip().casefold(), "")


def label_of(text: str) -> str:
    """Return the label without surrounding blanks; empty for the usual spellings of "no value"."""
    stripped = text.strip()
    return "" if stripped.casefold() in _NO_LABEL else stripped
