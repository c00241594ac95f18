"""Names that no file of the launch ever gives a value; claimed only where nothing else could define them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from knowledge.records import Evidence, Measured

from ..functions import reached_lines
from ..script import Script
from ..sources import Source
from .answers import there

_ALWAYS = {*dir(builtins), "__file__", "__name__", "__doc__", "__path__", "__package__", "__spec__", "__loader__",
           "__class__", "__module__", "__qualname__", "__annotations__", "reveal_type", "WindowsError", "unicode",
           "get_ipython", "display", "In", "Out", "exit", "quit", "__dict__", "__version__"}  # fmt: skip
"""Names that are there without being defined, in notebooks and in old Python too."""
_ANYWHERE = {"exec", "globals", "locals", "vars", "eval", "setattr", "__import__"}
"""Calls that may define names that reading does not see."""
_FIRST = 20


def measure_undefined(script: Script) -> Measured:
    """Return `script.undefined_names`: how many names on lines that the launch reaches nothing defines."""
    found: dict[str, Evidence] = {}
    for path, lines in reached_lines(script).items():
        source = script.project.sources.get(path)
        if source is not None:
            for node in _undefined(source):
                if node.lineno in lines:  # others may stand in code that never runs
                    found.setdefault(node.id, script.evidence(source.place(node), f"{node.id} is nowhere defined"))
    return there(script, "script.undefined_names", len(found), *list(found.values())[:_FIRST])


def _undefined(source: Source) -> Iterator[ast.Name]:
    """Yield names that are read in a file and bound in none of its scopes, whichever; none where code defines names."""
    loaded, bound = [], set(_ALWAYS)
    tried: set[int] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Try) and any(_catches(each) for each in node.handlers):
            tried.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                loaded.append(node)
                if node.id in _ANYWHERE:
                    return
            else:
                bound.add(node.id)
        elif isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
            return
        else:
            bound.update(_binds(node))
    yield from (node for node in loaded if node.id not in bound and node.lineno not in tried)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler catches what a name without a value raises."""
    return handler.type is None or bool({"NameError", "Exception", "BaseException"} & {
        each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)
    })  # fmt: skip


def _binds(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node gives a value other than by assignment."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (each.asname or each.name.partition(".")[0] for each in node.names)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names
    elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
