"""Takes definitions out of this package's own source, with everything that they use, so that a script can carry them.

A script that is written this way computes what the trainer computes, because it is the same text. Nothing is run here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_ENGINE = Path(__file__).parents[2]
_SETTINGS = ("engine.plan", "engine.plan_sections")
"""Modules whose models the script replaces by plain namespaces: it was checked when it was written."""
_ERRORS = "knowledge.errors"
_FAULT = '''class {name}(ValueError):
    """What is asked for cannot be done."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{{message}} {{hint}}".strip())'''
_REMARKS = re.compile(r"  # (type: ignore|noqa)\S*( - .*)?$| \(training\.md [\d.]+\)", re.MULTILINE)
"""Notes to our own tools, and to a page that the reader of a script does not have."""
Place = tuple[Path, str]
"""A module and a name that it defines."""


@dataclass
class TakenOver:
    """What was found so far."""

    imports: set[str] = field(default_factory=set)
    """Lines that import from elsewhere."""
    settings: set[str] = field(default_factory=set)
    """Names of plan sections that annotations use."""
    definitions: dict[Place, str] = field(default_factory=dict)
    """In an order in which each stands before what uses it."""

    @property
    def text(self) -> str:
        """Return all definitions."""
        parts = [
            *([f"{' = '.join(sorted(self.settings))} = SimpleNamespace"] if self.settings else []),
            *self._told_apart(),
        ]
        return "".join(_gap(before, part) + part for before, part in zip(["", *parts], parts, strict=False)) + "\n"

    def _told_apart(self) -> Iterator[str]:
        """Yield the definitions; where two modules use one name, the later one's is made longer."""
        owners: dict[str, Path] = {}
        renamed: dict[Path, list[str]] = {}
        for module, name in self.definitions:
            if owners.setdefault(name, module) != module:
                renamed.setdefault(module, []).append(name)
        for (module, _), text in self.definitions.items():
            for name in renamed.get(module, []):
                text = re.sub(rf"\b{name}\b", f"{name}2", text)
            yield text


def _gap(before: str, text: str) -> str:
    if not before:
        return ""
    blocks = ("def ", "class ", "@")
    return "\n\n\n" if text.startswith(blocks) or before.startswith(blocks) else "\n"


def take_over(wanted: Iterable[tuple[str, str]]) -> TakenOver:
    """Return the definitions of `wanted` and all that they use.

    Args:
        wanted: module below `engine`, such as `training.pooling`, and a name that it defines.
    """
    taken = TakenOver()
    for module, name in wanted:
        _take(_ENGINE.joinpath(*module.split(".")).with_suffix(".py"), name, taken, ())
    return taken


def _take(module: Path, name: str, taken: TakenOver, above: tuple[Place, ...]) -> None:
    place = (module, name)
    if place in taken.definitions or place in above:
        return
    source = _source(module)
    if name in source.imported:
        _take_imported(source, name, taken, (*above, place))
        return
    if name not in source.defined:
        return  # a name of Python itself
    for used in source.uses(name):
        _take(module, used, taken, (*above, place))
    text = source.text_of(name)
    for section in re.findall(r"plan_sections\.(\w+)", text):
        taken.settings.add(section)
    text = text.replace("plan_sections.", "")
    taken.definitions[place] = _REMARKS.sub("", text)


def _take_imported(source: _Source, name: str, taken: TakenOver, above: tuple[Place, ...]) -> None:
    origin, line = source.imported[name]
    if isinstance(origin, Path):
        _take(origin, name, taken, above)
    elif origin in _SETTINGS:
        taken.settings.add(name)
    elif origin == _ERRORS:
        taken.definitions[Path(_ERRORS), name] = _FAULT.format(name=name)
    elif origin.startswith("engine."):
        _take(_ENGINE.joinpath(*origin.split(".")[1:]).with_suffix(".py"), name, taken, above)
    elif name != "plan_sections":
        taken.imports.add(line)


@cache
def _source(module: Path) -> _Source:
    return _Source(module)


class _Source:
    """One module, read and not run."""

    def __init__(self, module: Path) -> None:
        self._text = module.read_text("utf-8")
        self._body = ast.parse(self._text).body
        self.imported = dict(_imports(self._body, module))
        self.defined = dict(_definitions(self._body))

    def uses(self, name: str) -> Iterator[str]:
        """Yield the names that a definition uses, annotations included, as they come."""
        for node in self.defined[name]:
            for part in ast.walk(node):
                if isinstance(part, ast.Name):
                    yield part.id

    def text_of(self, name: str) -> str:
        """Return a definition with its decorators and the line that documents it."""
        nodes = self.defined[name]
        first = min([nodes[0].lineno, *(d.lineno for d in getattr(nodes[0], "decorator_list", []))])
        lines = self._text.splitlines()[first - 1 : nodes[-1].end_lineno]
        return "\n".join(lines)


def _definitions(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    for number, node in enumerate(body):
        following = body[number + 1 : number + 2]
        documented = following if following and _is_text(following[0]) else []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, [node]
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name):
                        yield part.id, [node, *documented]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, [node, *documented]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports(body: list[ast.stmt], module: Path) -> Iterator[tuple[str, tuple[Path | str, str]]]:
    """Yield each imported name with the file or module that it is from, and the line that imports it alone."""
    for node in body:
        if isinstance(node, ast.Import):
            for one in node.names:
                line = f"import {one.name}" + (f" as {one.asname}" if one.asname else "")
                yield one.asname or one.name.partition(".")[0], (one.name, line)
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                origin: Path | str = node.module or ""
                if node.level:
                    origin = module.parents[node.level - 1].joinpath(*(node.module or "").split(".")).with_suffix(".py")
                yield one.asname or one.name, (origin, f"from {node.module} import {one.name}")
