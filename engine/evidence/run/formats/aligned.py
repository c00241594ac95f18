"""Tables without bars between other lines of a console log: numbers that stand below the names of a heading.

Understands columns; that they are of a training is for the caller to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..collecting import number
from ..words import splits
from .names import is_metric, meaning

_CELL = re.compile(r"[^\s|]+(?: [^\s|]+){0,5}")
_TOKEN = re.compile(r"\S+")
_RULE = re.compile(r"[\s+\-=\u2500-\u257f]+")
BEHIND = re.compile(r":\s+\d{1,3}%.*$")
"""The progress bar that some trainers draw behind the last name."""
_NO_HEADING = re.compile(r"[{}=<>|:;\"\u2588]|\d:\d|(?:^|\s)[-+]?\d+(?:\.\d+)?(?:\s|$)")
_COUNT = re.compile(r"(\d{1,9})/(\d{1,9})")
_LONGEST = 400
_LONGEST_CELL = 32
_FEWEST = 3
_MOST_WITHOUT_NUMBER = 0.5
"""Of the cells of a row: times, sizes with their units, and marks of the best."""


@dataclass(frozen=True)
class Heading:
    """Names of columns, and where in the line each stands."""

    names: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def row(self, line: str) -> str:
        """Return a row as `name: number, ...`; empty where the line is none below this heading."""
        cells = self.cells(line)
        told = [
            (counter(name, self.names), value)
            for name, text in zip(self.names, cells, strict=False)
            if (value := _value(text))
        ]
        if len(told) < max(2, _MOST_WITHOUT_NUMBER * len(self.names)):
            return ""
        return ", ".join(f"{name}: {text}" for name, text in told)

    def cells(self, line: str) -> list[str]:
        """The cell under each name, empty where there is none; nothing where the line has other columns."""
        tokens = [(one.start(), one.end(), one[0]) for one in _TOKEN.finditer(line[:_LONGEST])]
        if len(tokens) > len(self.names) and tokens[len(self.names) - 1][2].endswith(":"):
            tokens = tokens[: len(self.names)]  # behind the row stands a progress bar
        found = [] if "\t" in line else self._by_place(tokens)
        return found or ([text for *_, text in tokens] if len(tokens) == len(self.names) else [])

    def _by_place(self, tokens: Sequence[tuple[int, int, str]]) -> list[str]:
        """The cells by the names that they stand below; nothing where one stands below none, or below two."""
        cells = [""] * len(self.names)
        for begin, end, text in tokens:
            under = [i for i, (left, right) in enumerate(self.spans) if begin < right and left < end]
            if not under and begin == tokens[0][0] and text.isdigit():
                continue  # the rows are numbered, and that column has no name
            if len(under) != 1 or cells[under[0]]:
                return []
            cells[under[0]] = text
        return cells


def heading_of(line: str) -> Heading | None:
    """Return the heading that a line is; None where it is none: it names a loss or a metric, and what is counted."""
    if len(line) > _LONGEST or _NO_HEADING.search(line):
        return None
    found = [(one.start(), one.end(), one[0]) for one in _CELL.finditer(line)]
    if len(found) == 2 and meaning(found[0][2]).role in ("epoch", "step"):
        return _named(found) if is_metric(found[1][2]) else None
    if len(found) < _FEWEST:
        found = [(one.start(), one.end(), one[0]) for one in _TOKEN.finditer(line)]
        if len(found) < _FEWEST or meaning(found[0][2]).role not in ("epoch", "step"):
            return None
    names = [text for *_, text in found]
    if any(len(name) > _LONGEST_CELL or number(name) is not None for name in names):
        return None
    counted = any(meaning(name).role in ("epoch", "step") for name in names)
    told = sum(is_metric(name) or name.lower() in splits() for name in names)
    if told < (1 if counted else 2):
        return None
    return _named(found)


def counter(name: str, names: Sequence[str]) -> str:
    """Return the name of a column, which of batches beside epochs is that of steps."""
    return "step" if name.lower() in _OF_BATCHES and any(meaning(one).role == "epoch" for one in names) else name


_OF_BATCHES = ("batch", "batches", "it")


def _named(found: Sequence[tuple[int, int, str]]) -> Heading:
    return Heading(tuple(name for *_, name in found), tuple((begin, end) for begin, end, _ in found))


def is_rule(line: str) -> bool:
    """Whether a line is drawn between a heading and its rows."""
    return bool(_RULE.fullmatch(line))


def _value(text: str) -> str:
    """A cell that is a number or a count, as it is told; empty for any other."""
    text = text.strip(":,").removesuffix("%")
    return text if number(text) is not None or _COUNT.fullmatch(text) else ""
