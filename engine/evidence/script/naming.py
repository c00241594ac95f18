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
_WORDS: tuple[tuple[Role, frozenset[str]], ...] = (
    ("train", frozenset({"train", "training", "trn", "tr"})),
    ("dev", frozenset({"val", "valid", "validation", "validate", "dev", "devel", "development", "vali", "cv",
                       "validset", "devset", "valset", "valdata", "valloader", "devloader", "validloader"})),
    ("test", frozenset({"test", "testing", "tst", "testset", "testloader", "testdata"})),
)  # fmt: skip
_FILE_WORDS = frozenset({"eval", "evaluation"})
"""In the name of a file or of a published split these are the test part; in a variable they say nothing."""


def words(text: str, *, file: bool = False) -> list[Role]:
    """Return the roles that a text names, in order."""
    tokens = [each.lower() for each in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)]
    found: list[Role] = []
    for token in tokens:
        for role, names in _WORDS:
            if token in names or (file and role == "test" and token in _FILE_WORDS):
                found.append(role)
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
