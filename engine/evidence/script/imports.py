"""Binds what import statements bring: modules of the project by their file, everything else by its full name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .frame import STARS, Frame
from .values import Code, External, Value

if TYPE_CHECKING:
    from .interpreter import Interpreter


def bind_import(it: Interpreter, frame: Frame, node: ast.Import) -> bool:
    """Read `import a.b as c`."""
    for alias in node.names:
        path = it.project.find(alias.name, frame.source.path)
        if path is None:
            first = alias.name.partition(".")[0]
            frame.bind(alias.asname or first, External(it.reading.canonical(alias.name if alias.asname else first)))
            continue
        _read(it, path)
        if alias.asname or "." not in alias.name:
            frame.bind(alias.asname or alias.name, Code(path))
        else:
            first = alias.name.partition(".")[0]
            folder = it.project.find(first, frame.source.path)
            frame.bind(first, Code(folder) if folder else External(first))
    return False


def bind_import_from(it: Interpreter, frame: Frame, node: ast.ImportFrom) -> bool:
    """Read `from a.b import c as d` and `from a import *`."""
    name = node.module or ""
    path = it.project.find(name, frame.source.path, node.level)
    if path is None and node.level and not name:
        path = frame.source.path.rpartition("/")[0] + "/"
    for alias in node.names:
        if path is None:
            _bind_external(it, frame, name, alias)
        elif alias.name == "*":
            _read(it, path)
            given = it.module(path)
            frame.local.update({key: value for key, value in given.items() if not key.startswith("_")})
        else:
            frame.bind(alias.asname or alias.name, _member(it, path, name, alias.name))
    return False


def _bind_external(it: Interpreter, frame: Frame, package: str, alias: ast.alias) -> None:
    if alias.name == "*":
        frame.module[STARS] = External(package)
    else:
        frame.bind(alias.asname or alias.name, External(it.reading.canonical(f"{package}.{alias.name}")))


def _member(it: Interpreter, path: str, package: str, name: str) -> Value:
    _read(it, path)
    found = it.member_of_module(Code(path), name)
    if found is None:
        below = it.project.find(f"{package}.{name}" if package else name, path)
        found = Code(below) if below is not None else External(f"{package}.{name}")
    if isinstance(found, Code):
        _read(it, found.module)
    return found


def _read(it: Interpreter, path: str) -> None:
    if not path.endswith("/"):
        it.module(path)
