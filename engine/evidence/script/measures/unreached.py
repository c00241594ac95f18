"""Slips in the listings of searches: a study behind a return, a stopper that answers nothing; read from the text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from knowledge.records import Evidence, Measured

from ..script import Script
from ..sources import Source
from .answers import there
from .searching import _falls_through

_ANSWERS = ("__call__", "stop_all")
"""The methods by which a stopper of Ray Tune answers."""


def measure_unreached(script: Script) -> Measured:
    """Return `script.unreachable_search` and `script.silent_stopper`, each only where it is so."""
    found = Measured()
    for name, shown in (("unreachable_search", list(_searches(script))), ("silent_stopper", list(_stoppers(script)))):
        if shown:
            found += there(script, f"script.{name}", True, *shown)
    return found


def _searches(script: Script) -> Iterator[Evidence]:
    """Yield what starts a search in statements that no run reaches, because the function has returned before."""
    starts = set(script.symbols["starts-search"])
    for source in _saying(script, starts):
        for node in ast.walk(source.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for call in _behind_return(node):
                    if isinstance(call.func, ast.Attribute) and call.func.attr in starts:
                        yield script.evidence(source.place(call), "never run: the function has returned before")


def _behind_return(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    ended = False
    for statement in function.body:
        if ended:
            yield from (node for node in ast.walk(statement) if isinstance(node, ast.Call))
        ended = ended or isinstance(statement, (ast.Return, ast.Raise))


def _stoppers(script: Script) -> Iterator[Evidence]:
    """Yield where a stopper of a search comes to the end of its answer without one."""
    bases = set(script.symbols["search-stopper"])
    for source in _saying(script, bases):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and bases & {_last(base) for base in node.bases}:
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name in _ANSWERS and _falls_through(method.body):
                        yield script.evidence(source.place(method), "comes to its end without an answer")


def _saying(script: Script, words: set[str]) -> list[Source]:
    """Return the files in whose text one of the words stands; most have none, and need no closer look."""
    return [source for source in script.project.sources.values() if any(word in source.text for word in words)]


def _last(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
