"""The text of a project's own code around a place, without comments; reads no names and judges nothing."""

from __future__ import annotations

import ast

from .calls import Call
from .places import Place
from .script import Script
from .sources import Source


def code_of(script: Script, path: str, node: ast.AST) -> str:
    """Return the code of a function or class as it parses, so without comments."""
    if path not in script.project.sources:
        return ""
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def text_around(script: Script, place: Place, lines: int = 0) -> str:
    """Return the lines of a place, and `lines` more before and after, comments cut off."""
    source = script.project.sources.get(place.path)
    if source is None:
        return ""
    held = source.lines[max(0, place.line - 1 - lines) : place.last + lines]
    return "\n".join(line.split("#")[0] for line in held)


def reached_lines(script: Script) -> dict[str, set[int]]:
    """Return the lines of calls that the launch reaches, by file; worked out once."""
    if "reached_lines" not in script.shelf:
        script.shelf["reached_lines"] = _reached_lines(script)
    held: dict[str, set[int]] = script.shelf["reached_lines"]
    return held


def _reached_lines(script: Script) -> dict[str, set[int]]:
    lines: dict[str, set[int]] = {}
    for call in script.trace:
        for place in (call.place, *call.callers) if call.main else ():
            lines.setdefault(place.path, set()).add(place.line)
    return lines


def functions_of(
    source: Source,
) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.If | ast.For | ast.With | ast.While | ast.Try]:
    """Return the functions of a file, and the blocks that stand outside of any."""
    blocks = [node for node in source.tree.body if isinstance(node, (ast.If, ast.For, ast.With, ast.While, ast.Try))]
    return [*source.nodes(ast.FunctionDef, ast.AsyncFunctionDef), *blocks]


def nearby(script: Script, symbols: str) -> list[Call]:
    """Return calls in the files that the launch reaches: frameworks and settings classes call what it does not."""
    reached = {call.place.path for call in script.trace if call.main}
    return [call for call in script.calls(symbols, main=None) if call.main or call.place.path in reached]
