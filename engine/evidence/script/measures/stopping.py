"""Whether the training ends by itself when it no longer improves; a limit on its length is not that."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from knowledge.records import Measured

from ..functions import code_of
from ..loops import rounds_of
from ..places import Place
from ..script import Script
from ..settings import profiles_of
from ..training import Training, step_loops, training_of, within
from .answers import NO_TRAINING, TRAINING_FILE, absent, there, unknown

NAME = "script.early_stopping"


def measure_stopping(script: Script) -> Measured:
    """Return `script.early_stopping`: whether patience with a metric ends the training."""
    training = training_of(script)
    if not training.found:
        return unknown(script, NAME, NO_TRAINING, TRAINING_FILE)
    stoppers = [call for _, call in profiles_of(script, "stops-early")]
    stoppers += [call for call in script.trace if call.main and script.says("early-stopper", call.attribute)]
    if stoppers:
        return there(script, NAME, True, *(script.of(call) for call in stoppers))
    loops = _loop_nodes(script, training)
    taken = {call.place for call in script.trace.named("break")}
    for path, loop in loops:
        for leave in _patient(script, path, loop):
            place = script.project.sources[path].place(leave)
            if isinstance(leave, ast.Break) and place not in taken and not script.cut:
                continue  # behind a switch that is off
            return there(script, NAME, True, script.evidence(place, "leaves the loop after patience with a metric"))
    if loops and not script.cut:
        places = [place for path, loop in loops[:2] for place in _head_and_end(script, path, loop)]
        caps = [call for call in script.trace.named("break", main=True) if within(call, step_loops(training))]
        found = [script.evidence(place, "a loop that runs to its end") for place in places]
        found += [script.of(call, "a limit on its length") for call in caps]
        return there(script, NAME, False, *found, *(script.of(call) for call in training.arguments))
    return absent(script, NAME, False, "a training that runs to its end", training.settings_anchor)


def _head_and_end(script: Script, path: str, loop: ast.stmt) -> list[Place]:
    """Return the head of a loop, and the last statement in it, after which a stop would stand."""
    assert isinstance(loop, (ast.For, ast.While, ast.AsyncFor))
    place, last = script.project.sources[path].place(loop), loop.body[-1]
    return [place, Place(path, last.lineno, last.end_lineno or last.lineno, place.cell)]


def _loop_nodes(script: Script, training: Training) -> list[tuple[str, ast.stmt]]:
    """Return the loops around the steps in the project's files, the one over epochs first."""
    rounds = rounds_of(script, training)
    places = [rounds.loop.place] if rounds.loop else []
    places += [loop.place for step in training.steps for loop in step.loops]
    found: list[tuple[str, ast.stmt]] = []
    for place in dict.fromkeys(places):
        source = script.project.sources.get(place.path)
        found += [
            (place.path, node)
            for node in (source.nodes(ast.For, ast.While, ast.AsyncFor) if source else ())
            if node.lineno == place.line
        ]
    return found


def _patient(script: Script, path: str, loop: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what leaves the loop under a condition on something that counts up and is set back."""
    tree = script.project.sources[path].tree
    for condition, leave in _leaves(script, loop, []):
        plain = {each.id for each in ast.walk(condition) if isinstance(each, ast.Name)}
        fields = {each.attr for each in ast.walk(condition) if isinstance(each, ast.Attribute)}
        asked = _asked(tree, condition) - {"step", "float", "int", "len"}
        counted = any(_counts_and_resets(loop, name) for name in plain)
        counted = counted or any(_counts_and_resets(tree, name) for name in fields)
        if counted or any(_elsewhere(script, name) for name in asked):
            yield leave


def _leaves(
    script: Script, node: ast.AST, conditions: list[ast.expr], depth: int = 0
) -> Iterator[tuple[ast.expr, ast.stmt]]:
    """Yield each statement that leaves the loop, with the conditions above it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        breaks = isinstance(child, ast.Break) and depth == 0
        if breaks or isinstance(child, (ast.Return, ast.Raise)) or _exits(script, child):
            for condition in conditions[-2:]:
                yield condition, child  # type: ignore[misc]
        held = [*conditions, child.test] if isinstance(child, ast.If) else conditions
        inner = depth + isinstance(child, (ast.For, ast.While, ast.AsyncFor))
        yield from _leaves(script, child, held, inner)


def _exits(script: Script, node: ast.AST) -> bool:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is True:
        return any(script.says("stops", ast.unparse(target)) for target in node.targets)
    called = node.value if isinstance(node, ast.Expr) else None
    return isinstance(called, ast.Call) and ast.unparse(called.func) in ("sys.exit", "exit", "quit")


def _asked(tree: ast.AST, condition: ast.expr) -> set[str]:
    """Return the attributes, methods and functions that answer a condition, through the names that hold them."""
    found = {each.attr for each in ast.walk(condition) if isinstance(each, ast.Attribute)}
    names = {each.id for each in ast.walk(condition) if isinstance(each, ast.Name)}
    for _ in range(2):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and any(_called(each) in names for each in node.targets)
            ):
                called = node.value.func
                names |= {each.id for each in ast.walk(called) if isinstance(each, ast.Name)}
                found |= {_called(called)}
    return found


def _names(condition: ast.expr) -> set[str]:
    """Return the plain and attribute names that a condition reads."""
    found = {each.id for each in ast.walk(condition) if isinstance(each, ast.Name)}
    return found | {each.attr for each in ast.walk(condition) if isinstance(each, ast.Attribute)}


def _counts_and_resets(tree: ast.AST, name: str) -> bool:
    """Return whether something by that name counts by ones, and is set back under a condition."""
    steps = [each for each in ast.walk(tree) if isinstance(each, ast.AugAssign) and _called(each.target) == name]
    counts = any(isinstance(each.op, (ast.Add, ast.Sub)) for each in steps)
    resets = False
    for each in (inner for node in ast.walk(tree) if isinstance(node, ast.If) for inner in ast.walk(node)):
        if isinstance(each, ast.Assign) and any(_called(target) == name for target in _targets(each)):
            adds = isinstance(each.value, ast.BinOp) and name in _names(each.value)
            counts, resets = counts or adds, resets or not adds
    return counts and resets


def _targets(node: ast.Assign) -> list[ast.expr]:
    return [part for each in node.targets for part in (each.elts if isinstance(each, ast.Tuple) else [each])]


def _called(target: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


def _elsewhere(script: Script, name: str) -> bool:
    """Return whether a class or function of the project sets or returns `name` out of patience."""
    if len(name) < 4:
        return False
    for source in script.project.sources.values():
        if name not in source.text:
            continue
        for node in source.nodes(ast.ClassDef, ast.FunctionDef):
            if node.name == name or _defines(node, name):
                text = code_of(script, source.path, node).lower()
                counters = {_called(each.target) for each in ast.walk(node) if isinstance(each, ast.AugAssign)}
                if any(_counts_and_resets(node, counter) for counter in counters) and script.says("patience", text):
                    return True
    return False


def _defines(node: ast.ClassDef | ast.FunctionDef, name: str) -> bool:
    if isinstance(node, ast.FunctionDef):
        return False
    return any(
        (isinstance(each, ast.FunctionDef) and each.name == name)
        or (isinstance(each, ast.Assign) and any(_called(target) == name for target in each.targets))
        for each in ast.walk(node)
    )
