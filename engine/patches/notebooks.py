"""Writes changed lines back into the cells of a notebook, and leaves every other byte of its JSON alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from engine.evidence.script.sources import lines_in

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class _Span:
    """One value in the text of the JSON."""

    key: str | int
    start: int
    end: int


def into_cells(raw: str, before: str, after: str, cells: Sequence[tuple[int, int]]) -> str | None:
    """Return the text of a notebook with the code cells that changed written anew.

    Args:
        raw: the file.
        before: its code cells as one text, a marker line before each.
        after: the same, patched.
        cells: (line of the marker, number of the cell) of each code cell, in order.

    Returns:
        None when a change stands outside any cell, or the file is laid out in a way that is not known.
    """
    changed = _changed_cells(lines_in(before.removesuffix("\n")), lines_in(after.removesuffix("\n")), cells)
    if not changed:
        return None
    spans = {int(span.key): span for span in _cells(raw)}
    for number in sorted(changed, reverse=True):  # from the back, so that what stands before keeps its place
        if number not in spans:
            return None
        held = next((span for span in _members(raw, spans[number].start) if span.key in ("source", "input")), None)
        written = _written(raw[held.start : held.end], changed[number]) if held is not None else None
        if held is None or written is None:
            return None
        raw = raw[: held.start] + written + raw[held.end :]
    return raw


def _changed_cells(
    old: list[str], new: list[str], cells: Sequence[tuple[int, int]]
) -> dict[int, list[tuple[int | None, str]]] | None:
    """Return, for each cell that changed, its new lines: the number of the old line that stays, or None, and a text."""
    found: dict[int, list[tuple[int | None, str]]] = {}
    touched: set[int] = set()
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for offset in range(max(i2 - i1, j2 - j1) if tag == "equal" else j2 - j1):
            line = i1 + offset if tag == "equal" else max(i1, 1) - 1 if i1 == i2 else i1
            place = _cell_at(line, cells)
            if place is None:
                return None
            first, number = place
            if tag == "equal" and line == first:
                continue  # the marker itself
            kept = line - first - 1 if tag == "equal" else None
            found.setdefault(number, []).append((kept, new[j1 + offset]))
            touched |= {number} if tag != "equal" else set()
        if tag == "delete":
            touched |= {place[1] for line in range(i1, i2) if (place := _cell_at(line, cells)) is not None}
    return {number: lines for number, lines in found.items() if number in touched}


def _cell_at(line: int, cells: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the marker's line, counted from 0, and the number of the cell that holds a line."""
    held = [(first - 1, number) for first, number in cells if first - 1 <= line]
    return held[-1] if held else None


def _written(token: str, lines: list[tuple[int | None, str]]) -> str | None:
    """Return the JSON of a cell's source: a text, or a list of lines that keeps its layout and its old lines."""
    read = json.loads(token)
    ended = ("".join(map(str, read)) if isinstance(read, list) else str(read)).endswith("\n")
    if token.startswith('"'):
        return json.dumps("\n".join(_originals(token, lines)) + "\n" * ended, ensure_ascii=False)
    ends = [text + "\n" for _, text in lines[:-1]] + [text + "\n" * ended for _, text in lines[-1:]]
    held = [token[span.start : span.end] for span in _elements(token)]
    one_each = all(json.loads(each).count("\n") <= 1 for each in held)
    if not token.startswith("[") or not held or not one_each:
        return None
    opening = _BLANK.match(token, 1)
    closing = re.search(r"[ \t\r\n]*\]$", token)
    assert opening is not None and closing is not None
    between = "," + (opening.group() or " ")
    made = [_line(held[kept] if kept is not None and kept < len(held) else "", text)
            for (kept, _), text in zip(lines, ends, strict=True)]  # fmt: skip
    return "[" + opening.group() + between.join(made) + closing.group()


def _line(old: str, text: str) -> str:
    """Return the JSON of one line: the old one where it stays, with an end where it is no longer the last one."""
    if not old:
        return json.dumps(text, ensure_ascii=False)
    said: str = json.loads(old)
    if said.endswith("\n") == text.endswith("\n"):
        return old
    return old[:-1] + '\\n"' if text.endswith("\n") else json.dumps(said.rstrip("\n"), ensure_ascii=False)


def _originals(token: str, lines: list[tuple[int | None, str]]) -> Iterator[str]:
    """Yield the lines of a source that is one text, the old ones as they were."""
    old = lines_in(json.loads(token))
    for kept, text in lines:
        yield old[kept] if kept is not None and kept < len(old) else text


def _cells(raw: str) -> Iterator[_Span]:
    """Yield the cells of a notebook, also of one of the third format."""
    for span in _members(raw, _skip(raw, 0)):
        if span.key == "cells":
            yield from _array(raw, span.start)
        elif span.key == "worksheets":
            first = next(_array(raw, span.start), None)
            for inner in _members(raw, first.start) if first is not None else ():
                if inner.key == "cells":
                    yield from _array(raw, inner.start)


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def _members(text: str, at: int) -> Iterator[_Span]:
    """Yield the members of the object that begins at a place."""
    if text[at : at + 1] != "{":
        return
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, end) + 1)
        _, stop = _DECODER.raw_decode(text, start)
        yield _Span(key, start, stop)
        at = _skip(text, stop)
        at = _skip(text, at + 1) if text[at] == "," else at


def _array(text: str, at: int) -> Iterator[_Span]:
    """Yield the elements of the list that begins at a place."""
    if text[at : at + 1] != "[":
        return
    at, number = _skip(text, at + 1), 0
    while text[at] != "]":
        _, stop = _DECODER.raw_decode(text, at)
        yield _Span(number, at, stop)
        number += 1
        at = _skip(text, stop)
        at = _skip(text, at + 1) if text[at] == "," else at


def _elements(token: str) -> list[_Span]:
    return list(_array(token, 0))
