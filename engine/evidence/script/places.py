"""Where something stands in a project: file, lines, notebook cell; the smallest vocabulary that all readers share."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

Via = Literal["explicit", "helper", "config", "default", "framework"]
"""How something is provided: by the entry file, another file, a configuration file, a default or a framework."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Lines of one file; of a notebook, lines of its cells written one after the other (`sources.flatten`)."""

    path: str
    """Relative to the project's folder, with forward slashes."""
    line: int
    end_line: int = 0
    cell: int = 0
    """Of a notebook: the cell's number as Jupyter counts all cells, from 0, plus 1; 0 for a plain file."""

    @property
    def last(self) -> int:
        """The last line."""
        return max(self.line, self.end_line)

    def __str__(self) -> str:
        lines = f"{self.line}" if self.last == self.line else f"{self.line}-{self.last}"
        return f"{self.path}:{lines}"


def lines_of(node: ast.AST) -> tuple[int, int]:
    """Return the first and last line of a node; of a compound statement, of its head alone."""
    first = getattr(node, "lineno", 1)
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return first, max(first, body[0].lineno - 1)
    return first, getattr(node, "end_lineno", None) or first
