"""Finds where a script's own loop keeps the best so far: a comparison, the new best, and what is saved for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .calls import Call
from .functions import reached_lines
from .places import Place
from .script import Script
from .sources import Source
from .values import Value


@dataclass(frozen=True)
class Best:
    """One place where the best so far is kept."""

    place: Place
    text: str
    """The comparison, as code."""
    falls: bool
    """Whether less is better."""
    values: tuple[Value, ...]
    """What is compared, as far as the trace tells."""
    saves: tuple[Call, ...]
    """What is saved on that condition."""
    saved: bool
    """Whether a model goes to disk under that condition or a path that says so."""


def bests(script: Script) -> list[Best]:
    """Return where the best so far is kept, in the code that the launch reaches; worked out once."""
    if "bests" not in script.shelf:
        script.shelf["bests"] = _bests(script)
    return list(script.shelf["bests"])


def _bests(script: Script) -> list[Best]:
    reached = reached_lines(script)
    found = []
    for path, source in script.project.sources.items():
        if path not in reached:
            continue
        flags = _flags(source)
        for node in source.nodes(ast.If):
            if _is_reached(node, source, reached[path]):
                best = _of_if(script, path, node, flags)
                if best is not None:
                    found.append(best)
    return found


def _is_reached(node: ast.If, source: Source, lines: set[int]) -> bool:
    """Return whether the launch reaches a branch: a call in it, or, where it calls nothing, the function around it."""
    held: ast.AST = node
    if not any(isinstance(each, ast.Call) for each in ast.walk(node)):
        functions = source.nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        around = [each for each in functions if each.lineno <= node.lineno <= (each.end_lineno or 0)]
        held = max(around, key=lambda each: each.lineno) if around else source.tree
    first, last = getattr(held, "lineno", 1), getattr(held, "end_lineno", None) or 1 << 30
    return any(first <= line <= last for line in lines)


def _flags(source: Source) -> dict[str, ast.expr]:
    """Return the names that hold a comparison, such as `is_best = score > best`."""
    found: dict[str, ast.expr] = {}
    for node in source.nodes(ast.Assign):
        if len(node.targets) == 1 and _compares(node.value):
            found[ast.unparse(node.targets[0])] = node.value
    return found


def _compares(node: ast.expr) -> list[ast.Compare]:
    return [
        each
        for each in ast.walk(node)
        if isinstance(each, ast.Compare) and isinstance(each.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    ]


def _of_if(script: Script, path: str, node: ast.If, flags: dict[str, ast.expr]) -> Best | None:
    test = flags.get(ast.unparse(node.test), node.test)
    assigned = {ast.unparse(target): each.value for each in _assignments(node.body) for target in _targets(each)}
    for compare in _compares(test):
        left, right = (ast.unparse(each) for each in _sides(compare))
        for new, old, turned in ((left, right, False), (right, left, True)):
            kept = test is not node.test and new not in assigned and script.says("best-so-far", old)
            takes = old in assigned or kept
            if not takes or _is_count(compare, assigned.get(old)):
                continue
            falls = isinstance(compare.ops[0], (ast.Lt, ast.LtE)) is not turned and not _either_way(test, old)
            place = script.project.sources[path].place(node)
            whole = Place(path, node.lineno, max(node.lineno, node.body[-1].end_lineno or 0), place.cell)
            values = tuple(
                guard.value for call in script.trace if call.main for guard in call.guards[-2:] if guard.place == place
            )
            saves = tuple(_saves(script, whole))
            named = _says_best(script, node.body)
            return Best(whole, f"{new} {old}", falls, values[:4], saves, bool(saves) or named or _later(script, node))
    return None


def _sides(compare: ast.Compare) -> tuple[ast.expr, ast.expr]:
    """Return what is compared; of `abs(new) - abs(old) > margin`, the new and the old."""
    left = compare.left
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub):
        return _bare(left.left), _bare(left.right)
    return left, compare.comparators[0]


def _bare(node: ast.expr) -> ast.expr:
    called = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("abs") and len(node.args) == 1
    return node.args[0] if called and isinstance(node, ast.Call) else node


def _either_way(test: ast.expr, old: str) -> bool:
    """Return whether the direction is a setting: the same thing is compared both ways."""
    against = [each for each in _compares(test) if old in (ast.unparse(each.left), ast.unparse(each.comparators[0]))]
    return len({isinstance(each.ops[0], (ast.Lt, ast.LtE)) for each in against}) > 1


def _assignments(body: list[ast.stmt]) -> Iterator[ast.Assign | ast.AugAssign]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign):
                yield node


def _targets(node: ast.Assign | ast.AugAssign) -> list[ast.expr]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]


def _is_count(compare: ast.Compare, value: ast.expr | None) -> bool:
    """Return whether a counter is set back, rather than a best value kept."""
    return isinstance(value, ast.Constant) or isinstance(compare.comparators[0], ast.Constant)


def _saves(script: Script, whole: Place) -> Iterator[Call]:
    """Yield what is saved by code that stands in, or is called from, the lines of `whole`."""
    for call in script.calls("weights-saved"):
        places = (call.place, *call.callers)
        if any(place.path == whole.path and whole.line <= place.line <= whole.last for place in places):
            yield call


def _says_best(script: Script, body: list[ast.stmt]) -> bool:
    """Return whether a text in the block names a file for the best, which is then written elsewhere."""
    texts = [
        node.value
        for each in body
        for node in ast.walk(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return any(script.says("best-file", text) for text in texts)


def _later(script: Script, node: ast.If) -> bool:
    """Return whether something set in the block, such as a flag or a copy of the weights, leads to a save."""
    names = {ast.unparse(target) for each in _assignments(node.body) for target in _targets(each)}
    plain = {name.rpartition(".")[2] for name in names}
    for call in script.calls("weights-saved"):
        for guard in call.guards:
            if any(re.search(rf"\b{re.escape(name)}\b", guard.text) for name in plain):
                return True
        if any(script.says("best", name) and name in _argument_names(script, call) for name in plain):
            return True
        if any(script.says("best", guard.text) for guard in call.guards):
            return True
    return False


def _argument_names(script: Script, call: Call) -> str:
    source = script.project.sources.get(call.place.path)
    return "\n".join(source.lines[call.place.line - 1 : call.place.last]) if source else ""
