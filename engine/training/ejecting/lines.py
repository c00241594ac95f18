"""Breaks lines of Python that are too long, at their brackets, as formatters do; it changes nothing that they say."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from contextlib import suppress

from .writing import LINE

_OPEN, _CLOSED = "([{", ")]}"


def broken(text: str) -> str:
    """Return a module whose lines are no longer than `LINE`, where brackets allow it."""
    short = "\n".join(part for line in text.split("\n") for part in _parts(line))
    with suppress(SyntaxError):
        if ast.dump(ast.parse(short)) == ast.dump(ast.parse(text)):
            return short
    return text


def _parts(line: str) -> Iterator[str]:
    if len(line) <= LINE:
        yield line
        return
    indent, code, remark = _taken_apart(line)
    if remark:
        yield indent + remark
        yield from _parts(indent + code)
        return
    pair = _widest(code)
    if pair is None:
        yield line
        return
    start, stop = pair
    yield indent + code[: start + 1]
    inner = code[start + 1 : stop].strip()
    whole = f"{indent}    {inner}"
    if len(whole) <= LINE:
        yield whole
    else:
        for part in _divided(inner):
            yield from _parts(f"{indent}    {part}")
    yield from _parts(indent + code[stop:])


def _taken_apart(line: str) -> tuple[str, str, str]:
    """Return the indent, the code, and the remark behind it."""
    code = line.lstrip()
    indent = line[: len(line) - len(code)]
    remark = next((one for one in _tokens(code) if one.type == tokenize.COMMENT), None)
    if remark is None or not remark.start[1]:
        return indent, code, ""
    return indent, code[: remark.start[1]].rstrip(), remark.string


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    found = []
    with suppress(tokenize.TokenError, SyntaxError):  # what begins or ends in the middle of brackets
        for one in tokenize.generate_tokens(io.StringIO(code).readline):
            found.append(one)  # noqa: PERF402 - those before the error are kept
    return [one for one in found if one.start[0] == 1]


def _widest(code: str) -> tuple[int, int] | None:
    """Return the places of the outermost brackets that hold most; None where there are none."""
    waiting: list[int] = []
    pairs = []
    for one in _tokens(code):
        if one.type == tokenize.OP and one.string in _OPEN:
            waiting.append(one.start[1])
        elif one.type == tokenize.OP and one.string in _CLOSED and waiting:
            start = waiting.pop()
            if not waiting:
                pairs.append((start, one.start[1]))
    return max((pair for pair in pairs if pair[1] - pair[0] > 1), key=lambda pair: pair[1] - pair[0], default=None)


def _divided(inner: str) -> list[str]:
    """Return what stands between brackets, an element or a clause of a comprehension on a line."""
    depth, commas, clauses = 0, [], []
    names: set[str] = set()
    for one in _tokens(inner):
        if one.type == tokenize.OP:
            depth += (one.string in _OPEN) - (one.string in _CLOSED)
        if depth == 0:
            names.add(one.string)
            commas += [one.start[1] + 1] if one.string == "," else []
            clauses += [one.start[1]] if one.string in ("for", "if") else []
    commas = [] if names & {"for", "lambda"} else commas  # those are no elements
    places = commas or (clauses if "for" in names else [])
    parts = [inner[start:stop].strip() for start, stop in zip([0, *places], [*places, len(inner)], strict=True)]
    parts = [part for part in parts if part]
    if commas and not parts[-1].endswith(","):
        parts[-1] += ","
    return parts
