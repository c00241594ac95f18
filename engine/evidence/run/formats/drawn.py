"""Tables that are drawn with bars between other lines of a console log: a row takes its names from the heading.

Understands cells; that they are of a training is for the caller to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..collecting import number
from ..words import splits
from .aligned import BEHIND, Heading, counter, heading_of
from .names import is_metric, meaning

_BARS = str.maketrans("│┃║┆┊", "|||||")
_RULE = re.compile(r"[\s|+:=\-\u2500-\u257f]*")
_STAMPED = re.compile(
    r"^[^|]{0,60}\d\d:\d\d:\d\d[^|A-Za-z]{0,20}(?:INFO|DEBUG)?[^|A-Za-z0-9]{0,20}(?=\|.*\|\s*$|[+=-]{5,}\s*$)"
)
"""What a logger writes before each row of a table."""
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_LONGEST_CELL = 40
_LISTED = re.compile(r"(?:.{0,120}:\s+)?([A-Za-z][\w@.-]{0,39}(?:,[A-Za-z][\w@.-]{0,39}){2,40})\s*")
"""`copypaste: AP,AP50,AP75`, as Detectron2 prints, above a line of as many numbers."""
_TASK = re.compile(r"(?:.{0,120}\s)?Task:\s(\w{1,40})\s*")
"""`copypaste: Task: bbox`: what the scores below are of."""


@dataclass
class Drawn:
    """The heading that rows stand under; empty where none does."""

    heading: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    """Names in one line, parted by commas; of the line just before."""
    task: str = ""
    first: list[str] = field(default_factory=list)
    """The row above, where it may be the first of a heading of two."""
    above: Heading | None = None
    """The last heading of columns that no bars part."""

    def line(self, line: str) -> str:
        """Return a row as `name: number, ...`; the line itself where it is no row, empty where it is a heading."""
        line = line if line.isascii() else line.translate(_BARS)
        line = _STAMPED.sub("", line) if "|" in line or "-----" in line else line
        if self.above is not None and (row := self.above.row(line)):
            return row
        if "|" not in (bare := BEHIND.sub("", line) if "%|" in line else line):
            if self.heading and not _RULE.fullmatch(line):
                self.heading = []
            if (found := heading_of(bare)) is not None:
                self.above = found
                return ""
            return self._of_list(line)
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) < 2:
            return line
        if all(_RULE.fullmatch(cell) for cell in cells):
            self.first = []
            return line
        numbers = [_number(cell) for cell in cells]
        if not any(value is not None for value in numbers):
            self._read_heading(cells)
            return line
        self.first = []
        told = self._under_heading(cells, numbers) if self.heading else _of_two(cells, numbers)
        return told or line

    def _of_list(self, line: str) -> str:
        """Return a line of numbers below one of names as `name: number, ...`, any other as it is."""
        names, self.listed = self.listed, []
        if names:
            numbers = [number(cell) for cell in line.rpartition(" ")[2].split(",")]
            pairs = [(name, value) for name, value in zip(names, numbers, strict=False) if value is not None]
            if len(numbers) == len(names) and pairs:
                return ", ".join(f"{self.task}{name}: {value:.12g}" for name, value in pairs)
        if "Task:" in line and (task := _TASK.fullmatch(line)):
            self.task = f"{task[1]}/"
        elif "," in line and ", " not in line and (found := _LISTED.fullmatch(line)):
            told = found[1].split(",")
            self.listed = told if any(map(is_metric, told)) else []
        return line

    def _read_heading(self, cells: list[str]) -> None:
        """A heading names metrics or splits, and nothing but names."""
        last = [re.split(r"\s{2,}|\s-\s", _IN_BRACKETS.sub("", cell))[-1].strip() for cell in cells]
        short = all(len(cell) <= _LONGEST_CELL and not re.search(r"[:=]|(?:^|\s)\d", cell) for cell in last)
        if short and self.first and len(self.first) == len(last):
            last = [f"{one} {two}".strip() for one, two in zip(self.first, last, strict=True)]
        self.first = last if short else []
        self.heading = last if short and any(map(_tells, last)) else []

    def _under_heading(self, cells: list[str], numbers: list[float | None]) -> str:
        names = self.heading
        if len(cells) == len(names) + 1 and numbers[0] is None:
            names = ["", *names]  # the names of the rows have no heading
        if len(cells) != len(names):
            return ""
        row = re.split(r"\s{2,}|\s-\s", cells[0])[-1].strip() if numbers[0] is None else ""
        named = zip((counter(name, names) for name in names), numbers, strict=True)
        pairs = [(_combined(row, name), value) for name, value in named if value is not None and name]
        return ", ".join(f"{name}: {value:.12g}" for name, value in pairs)


def _of_two(cells: list[str], numbers: list[float | None]) -> str:
    """`| val_loss | 0.5 |` is one name and its number."""
    named = len(cells) == 2 and numbers[0] is None and numbers[1] is not None and _tells(cells[0])
    return f"{cells[0]}: {numbers[1]:.12g}" if named else ""


def _combined(row: str, column: str) -> str:
    """The name of a cell: the split of either, and the metric of the other."""
    if row.lower() in splits():
        return f"{row} {column}"
    if column.lower() in splits() and row:
        return f"{column} {row}"
    return column


def _tells(name: str) -> bool:
    return name.lower() in splits() or is_metric(name) or meaning(name).role == "rate"


def _number(cell: str) -> float | None:
    return number(cell.removesuffix("%").strip())
