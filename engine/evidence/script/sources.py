"""Reads Python files and notebooks into syntax trees; executes nothing, and a broken file is no error here."""

from __future__ import annotations

import ast
import json
import re
import tokenize
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, overload

from .places import Place, lines_of

MOST_BYTES = 2_000_000
"""A longer file is data or generated: a person writes forty thousand lines of training script in no project."""
MOST_NOTEBOOK_BYTES = 60_000_000
"""A notebook holds its pictures and logs beside its code; its code alone is held to the limit of a script."""
MOST_LINES = 40_000
"""The same limit in lines: three hundred thousand short statements fit into the bytes, and into no one's script."""
DEEPEST = 180
"""Nesting of brackets beyond which the parser of CPython itself may exhaust its stack."""
_FORMATTED = re.compile(r"""\b[fF](["']).*\1""")
_MOST_REPAIRS = 30
_MAGIC = re.compile(r"^(\s*)(?:%|!|\?)")
_CAUGHT = re.compile(r"^(\s*[A-Za-z_][\w, ]*=\s*)[!%].*$")
"""What a command gives, kept in a name: `files = !ls`."""
_OTHER_LANGUAGE = re.compile(
    r"^\s*%%(?:bash|sh|script|html|javascript|js|writefile|file|latex|markdown|svg|perl|ruby|cmd|R|sql)\b"
)
_OLDER = (
    (re.compile(r"\basync(?=\s*=[^=])"), "async_"),
    (re.compile(r"^([ \t]*)print[ \t]+([^\s(=.,\[].*?)[ \t]*$", re.MULTILINE), r"\1print(\2)"),
    (re.compile(r"^([ \t]*except[ \t]+[\w.() ,]+?),[ \t]*(\w+)[ \t]*:", re.MULTILINE), r"\1 as \2:"),
)
"""What older versions of Python understood, and how it is written since: the lines stay where they are."""
_NEWLINE = re.compile(r"\r\n|\r|\n")
Node = TypeVar("Node", bound=ast.AST)
Other = TypeVar("Other", bound=ast.AST)
Third = TypeVar("Third", bound=ast.AST)
Fourth = TypeVar("Fourth", bound=ast.AST)


def lines_in(text: str) -> list[str]:
    """Return the lines of a text as Python counts them: a form feed or a Unicode separator ends none."""
    return _NEWLINE.split(text)


@dataclass(frozen=True)
class Source:
    """One file that parses."""

    path: str
    """Relative to the project's folder, with forward slashes."""
    text: str
    tree: ast.Module
    cells: tuple[tuple[int, int], ...] = ()
    """Of a notebook: (first line, cell number) of each code cell, in order."""
    unread: tuple[Broken, ...] = ()
    """What of it does not parse: a cell, or lines for an older Python, which were read as such."""

    @overload
    def nodes(self, first: type[Node], /) -> list[Node]: ...
    @overload
    def nodes(self, first: type[Node], second: type[Other], /) -> list[Node | Other]: ...
    @overload
    def nodes(self, first: type[Node], second: type[Other], third: type[Third], /) -> list[Node | Other | Third]: ...
    @overload
    def nodes(
        self, first: type[Node], second: type[Other], third: type[Third], fourth: type[Fourth], /
    ) -> list[Node | Other | Third | Fourth]: ...

    def nodes(self, *kinds: type[ast.AST]) -> list[Any]:
        """Return every node of some kinds, the outer before the inner as `ast.walk` gives them."""
        held = [self._nodes.get(kind, []) for kind in kinds]
        found = (
            held[0] if len(held) == 1 else sorted((pair for each in held for pair in each), key=lambda pair: pair[0])
        )
        return [node for _, node in found]

    @cached_property
    def _nodes(self) -> dict[type[ast.AST], list[tuple[int, ast.AST]]]:
        """Nodes with their number in the order of `ast.walk`, by kind: one walk serves everyone who asks."""
        found: dict[type[ast.AST], list[tuple[int, ast.AST]]] = {}
        every: list[ast.AST] = [self.tree]
        for number, node in enumerate(every):
            found.setdefault(type(node), []).append((number, node))
            for value in vars(node).values():
                if isinstance(value, list):
                    every += [each for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                    every.append(value)
        return found

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return lines_in(self.text)

    def place(self, node: ast.AST) -> Place:
        """Return where a node of this file stands."""
        first, last = lines_of(node)
        return Place(self.path, first, last, self.cell_of(first))

    def cell_of(self, line: int) -> int:
        """Return the notebook cell that holds `line`, plus 1, or 0 in a plain file."""
        if not self.cells:
            return 0
        return self.cells[max(0, bisect_right(self.cells, (line, 1 << 30)) - 1)][1] + 1


@dataclass(frozen=True, slots=True)
class Broken:
    """One file that could not be read."""

    place: Place
    reason: str


def read_source(path: Path, relative: str) -> Source | Broken:
    """Read one `.py` or `.ipynb` file."""
    try:
        if path.stat().st_size > (MOST_NOTEBOOK_BYTES if path.suffix == ".ipynb" else MOST_BYTES):
            return Broken(Place(relative, 1), f"{path.stat().st_size / 1e6:.0f} MB are more than a script")
        data = path.read_bytes()
    except OSError as error:
        return Broken(Place(relative, 1), error.strerror or "cannot be opened")
    if path.suffix == ".ipynb":
        return parse_notebook(data, relative)
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        return Broken(Place(relative, 1), f"not text in a known encoding ({error})")
    return parse_source(text, relative)


def parse_notebook(data: bytes | str, relative: str) -> Source | Broken:
    """Return the code of a notebook's cells as one tree."""
    try:
        content = json.loads(data)
        cells = content.get("cells") or content["worksheets"][0]["cells"]
        text, starts = flatten(cells)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        return Broken(Place(relative, 1), f"not a notebook ({type(error).__name__})")
    if len(text) > MOST_BYTES:
        return Broken(Place(relative, 1), f"{len(text) / 1e6:.0f} MB of code are more than a script")
    return parse_source(text, relative, starts)


def flatten(cells: list[dict[str, object]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the code cells as one text, a marker line before each, and (first line, cell number) of each.

    Lines for IPython (`%pip`, `!ls`) become comments, so that line numbers stay; a cell in another language does too.
    """
    lines: list[str] = []
    starts: list[tuple[int, int]] = []
    for number, cell in enumerate(cells):
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        source = "".join(str(line) for line in source) if isinstance(source, list) else str(source)
        starts.append((len(lines) + 1, number))
        lines.append(f"# %% [cell {number}]")
        foreign = _OTHER_LANGUAGE.match(source) is not None
        lines += [f"#! {line}" if foreign else _plain(line) for line in _dedented(_lines_of_cell(source))]
    return "\n".join(lines) + "\n", tuple(starts)


def _lines_of_cell(source: str) -> list[str]:
    """Return the lines of a cell as an editor numbers them: after a last line's end there is no further line."""
    lines = lines_in(source)
    return lines if lines[-1] else lines[:-1]


def _dedented(lines: list[str]) -> list[str]:
    """Return the lines of a cell without the indent of its first one, as IPython reads them."""
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines] if indent else lines


def _plain(line: str) -> str:
    """Return a line of a cell without what only IPython understands."""
    if found := _MAGIC.match(line):
        blank = found.group(1)
        return f"{blank}pass  #! {line}" if blank else f"#! {line}"
    return _CAUGHT.sub(r"\1None", line)


def parse_source(text: str, relative: str, cells: tuple[tuple[int, int], ...] = ()) -> Source | Broken:
    """Return the tree of a text that was read, or why there is none."""
    if (lines := text.count("\n")) > MOST_LINES:
        return Broken(Place(relative, 1), f"{lines} lines are more than a script")
    if (line := _too_deep(text)) is not None:
        return Broken(Place(relative, line), f"brackets are nested more than {DEEPEST} deep")
    try:
        return Source(relative, text, _tree(text), cells)
    except (SyntaxError, ValueError) as error:
        reason = getattr(error, "msg", None) or str(error)
        return _mended(text, relative, cells, Broken(Place(relative, getattr(error, "lineno", None) or 1), reason))
    except (RecursionError, MemoryError):
        return Broken(Place(relative, 1), "nested deeper than Python can parse")


def _mended(text: str, relative: str, cells: tuple[tuple[int, int], ...], broken: Broken) -> Source | Broken:
    """Return what can be read of a text that does not parse: as an older Python read it, without its broken cells."""
    older = _as_older(text)
    try:
        why = f"{broken.reason}; it was read as an older Python, or a notebook's export, would be"
        return Source(relative, text, _tree(older), cells, (Broken(broken.place, why),))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (_without_cells(text, relative, cells) if cells else None) or broken


def _as_older(text: str) -> str:
    """Return a text with what only older versions of Python, or IPython, read written as Python does, line for line."""
    for pattern, instead in _OLDER:
        text = pattern.sub(instead, text)
    return "\n".join(map(_plain, lines_in(text.expandtabs(8))))


def _without_cells(text: str, relative: str, cells: tuple[tuple[int, int], ...]) -> Source | None:
    """Return a notebook without the cells that do not parse."""
    lines = lines_in(text)
    starts = [first - 1 for first, _ in cells]
    unread: list[Broken] = []
    for first, last in zip(starts, [*starts[1:], len(lines)], strict=True):
        try:
            _tree("\n".join(lines[first:last]) + "\n")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = first + (getattr(error, "lineno", None) or 1)
            reason = getattr(error, "msg", None) or "cannot be parsed"
            unread.append(Broken(Place(relative, line), f"{reason}; this cell was left out"))
            lines[first + 1 : last] = [f"#! {each}" for each in lines[first + 1 : last]]
    if not unread or len(unread) == len(cells):
        return None
    kept = "\n".join(lines)
    try:
        return Source(relative, kept, _tree(kept), cells, tuple(unread))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _tree(text: str) -> ast.Module:
    """Parse; an f-string of Python 3.12 with quotes inside its braces, which 3.11 cannot parse, is read as empty."""
    for _ in range(_MOST_REPAIRS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in the user's strings
                return ast.parse(text)
        except SyntaxError as error:
            lines = text.split("\n")
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines) or (found := _FORMATTED.search(lines[number])) is None:
                raise
            lines[number] = lines[number][: found.start()] + '""' + lines[number][found.end() :]
            text = "\n".join(lines)
    return ast.parse(text)


def _too_deep(text: str) -> int | None:
    """Return the line on which brackets nest too deep; strings count as well, which only makes it stricter."""
    depth = 0
    for number, line in enumerate(lines_in(text), 1):
        depth = max(0, depth + sum(map(line.count, "([{")) - sum(map(line.count, ")]}")))
        if depth > DEEPEST or line.count("(") > DEEPEST or line.count("[") > DEEPEST:
            return number
    return None
