"""What variables, functions and texts call a part of the data: training, development or test; no data flow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from .calls import Call
from .places import Place
from .script import Script

Role = Literal["train", "dev", "test"]
_PARTS: tuple[tuple[Role, str], ...] = (("train", "training-part"), ("dev", "development-part"), ("test", "test-part"))


def words(script: Script, text: str, *, file: bool = False) -> list[Role]:
    """Return the roles that a text names, in order."""
    tokens = [each.lower() for each in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)]
    found: list[Role] = []
    for token in tokens:
        found += [role for role, called in _PARTS if script.says(called, token)]
        if file and script.says("test-part-of-a-file", token):
            found.append("test")
    return found


def functions(call: Call) -> Iterator[str]:
    """Yield the names of the functions around a call, nearest first."""
    yield from (name.rpartition(".")[2] for name in reversed(call.stack) if not name.startswith("<"))


def assigned(script: Script, place: Place) -> Iterator[str]:
    """Yield the names that the statement at a place assigns to, iterates over or hands on."""
    source = script.project.sources.get(place.path)
    if source is None:
        return
    for node in source.nodes(ast.Assign, ast.For):
        if not node.lineno <= place.line <= (node.end_lineno or node.lineno):
            continue
        if isinstance(node, ast.Assign):
            yield from (ast.unparse(target) for target in node.targets)
        elif node.lineno == place.line:
            yield ast.unparse(node.iter)
