"""The text of a project's own code around a place, without comments; reads no names and judges nothing."""

from __future__ import annotations

import ast

from .places import Place
from .script import Script


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
    held = source.text.splitlines()[max(0, place.line - 1 - lines) : place.last + lines]
    return "\n".join(line.split("#")[0] for line in held)


def heads(script: Script, path: str) -> dict[int, ast.stmt]:
    """Return the statements of a file by their first line, the outermost of a line."""
    source = script.project.sources.get(path)
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(source.tree) if source is not None else ():
        if isinstance(node, ast.stmt):
            found.setdefault(node.lineno, node)
    return found
