"""Reads statements: assignments, branches, loops, definitions; what expressions stand for is decided elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .calls import Context, Guard, Loop
from .frame import Frame
from .imports import bind_import, bind_import_from
from .values import (
    MOST_ITEMS,
    Class,
    Const,
    Derived,
    External,
    Function,
    Instance,
    Items,
    Member,
    Scope,
    Table,
    Value,
    constant,
    constants,
    either,
    options_of,
    truth,
)  # fmt: skip

if TYPE_CHECKING:
    from .interpreter import Interpreter

_EXITS = ("sys.exit", "exit", "quit", "os._exit")
_MOST_ITEMS = 6
"""A loop over a known list is read for each of that many members: lists of layers or of splits, not of clips."""


def run_block(it: Interpreter, frame: Frame, body: list[ast.stmt]) -> bool:
    """Read statements in order; return True when control does not come out at the end."""
    try:
        return any(it.step() and _run(it, frame, statement) for statement in body)
    except RecursionError:
        it.too_deep(frame.name)
        return False


def _run(it: Interpreter, frame: Frame, node: ast.stmt) -> bool:
    handler = _HANDLERS.get(type(node))
    return handler(it, frame, node) if handler is not None else False


def _expression(it: Interpreter, frame: Frame, node: ast.Expr) -> bool:
    value = it.evaluate(frame, node.value)
    name = value.call.name if isinstance(value, Instance) and value.call is not None else ""
    return name in _EXITS and not it.guards


def _assign(it: Interpreter, frame: Frame, node: ast.Assign) -> bool:
    value = it.evaluate(frame, node.value)
    for target in node.targets:
        bind(it, frame, target, value)
    return False


def _annotated(it: Interpreter, frame: Frame, node: ast.AnnAssign) -> bool:
    if node.value is not None:
        bind(it, frame, node.target, it.evaluate(frame, node.value))
    elif isinstance(node.target, ast.Name) and frame.owner is not None and frame.name == frame.owner.name:
        frame.owner.scope.setdefault("__fields__", Items([]))
    return False


def _augmented(it: Interpreter, frame: Frame, node: ast.AugAssign) -> bool:
    if it.loops:  # a counter: it has another value in each round
        parts = it.evaluate(frame, _loaded(node.target)), it.evaluate(frame, node.value)
        bind(it, frame, node.target, Derived("+=", parts))
        return False
    load = ast.copy_location(ast.BinOp(_loaded(node.target), node.op, node.value), node)
    bind(it, frame, node.target, it.evaluate(frame, load))
    return False


def _loaded(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


def bind(it: Interpreter, frame: Frame, target: ast.expr, value: Value) -> None:
    """Let a target of an assignment stand for a value."""
    if isinstance(target, ast.Name):
        frame.bind(target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(it, frame, target.elts, value)
    elif isinstance(target, ast.Starred):
        bind(it, frame, target.value, Derived("[:]", (value,)))
    elif isinstance(target, ast.Attribute):
        owner = it.evaluate(frame, target.value)
        _set_attribute(it, frame, owner, target, value)
    elif isinstance(target, ast.Subscript):
        owner = it.evaluate(frame, target.value)
        key = constant(it.evaluate(frame, target.slice), ...)
        if isinstance(owner, Table) and key is not ... and _hashable(key):
            owner.items[key] = _joined(it, owner.items.get(key), value)
        elif isinstance(owner, Table):
            _set_one_of(owner, constants(it.evaluate(frame, target.slice)), value)
        elif isinstance(owner, Instance) and owner.cls is None and isinstance(key, str):  # a dictionary of a package
            owner.attributes[key] = _joined(it, owner.attributes.get(key), value)
        elif isinstance(owner, Items) and len(owner.items) < MOST_ITEMS:
            owner.items.append(value)
            owner.open = True
        it.note("=[]", frame.source.place(target), [value], {}, receiver=owner)


def _set_attribute(it: Interpreter, frame: Frame, owner: Value, target: ast.Attribute, value: Value) -> None:
    if isinstance(owner, Instance):
        owner.attributes[target.attr] = _joined(it, owner.attributes.get(target.attr), value)
    elif isinstance(owner, Class):
        owner.scope[target.attr] = value
    it.note(f"=.{target.attr}", frame.source.place(target), [value], {}, receiver=owner)


def _set_one_of(owner: Table, keys: tuple[Any, ...] | None, value: Value) -> None:
    """Note an assignment whose key may be one of several, or any."""
    for key in keys or ():
        if _hashable(key):
            held = owner.items.get(key)
            owner.items[key] = value if held is None else either(held, value)
    owner.open |= not keys


def _joined(it: Interpreter, held: Value | None, value: Value) -> Value:
    """Return what is held after an assignment that may or may not have happened."""
    return value if held is None or not it.guards else either(held, value)


def _hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _unpack(it: Interpreter, frame: Frame, targets: list[ast.expr], value: Value) -> None:
    if isinstance(value, Items) and not value.open and len(value.items) == len(targets):
        for target, item in zip(targets, value.items, strict=True):
            bind(it, frame, target, item)
        return
    tuples = [option for option in options_of(value) if isinstance(option, Items) and len(option.items) == len(targets)]
    if len(tuples) > 1 and len(tuples) == len(options_of(value)):
        for number, target in enumerate(targets):
            found = tuples[0].items[number]
            for each in tuples[1:]:
                found = either(found, each.items[number])
            bind(it, frame, target, found)
        return
    for number, target in enumerate(targets):
        bind(it, frame, target, Derived(f"[{number}]", (value,)))


def _if(it: Interpreter, frame: Frame, node: ast.If) -> bool:
    condition = it.evaluate(frame, node.test)
    decided = truth(condition)
    if decided is not None and not _stops(it, frame, node, decided) and not _turns(it, node):
        return run_block(it, frame, node.body if decided else node.orelse)
    text, place = ast.unparse(node.test)[:120], frame.source.place(node)
    before = dict(frame.local)
    with it.guarded(Guard(text, place, condition, True)):
        left = run_block(it, frame, node.body)
    after = dict(frame.local)
    frame.local.clear()
    frame.local.update(before)
    with it.guarded(Guard(text, place, condition, False)):
        right = run_block(it, frame, node.orelse)
    if not left:
        _join(frame.local, after, replace=right)
    return left and right


def _turns(it: Interpreter, node: ast.If) -> bool:
    """Return whether what a condition asks of an object is set under it, so that later rounds go another way."""
    if not it.loops:
        return False
    asked = {ast.unparse(each) for each in ast.walk(node.test) if isinstance(each, ast.Attribute)}
    stored = (each for part in node.body for each in ast.walk(part) if isinstance(each, ast.Attribute))
    return any(isinstance(each.ctx, ast.Store) and ast.unparse(each) in asked for each in stored)


def _stops(it: Interpreter, frame: Frame, node: ast.If, decided: bool) -> bool:
    """Return whether the branch that the known values choose ends the program.

    A script that is read is one that runs: then the launch gives other values than those at hand, such as a flag that
    is None until someone sets it, and every branch of the chain is read.
    """
    if decided or not node.orelse:
        return decided and _raises(node.body)
    following = node.orelse[0]
    if len(node.orelse) > 1 or not isinstance(following, ast.If):
        return _raises(node.orelse)
    answer = truth(it.evaluate(frame, following.test))
    return answer is not None and _stops(it, frame, following, answer)


def _raises(body: list[ast.stmt]) -> bool:
    last = body[-1] if body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return ast.unparse(last.value.func) in _EXITS
    return isinstance(last, ast.Raise)


def _join(scope: Scope, other: Scope, *, replace: bool = False) -> None:
    """Merge what the other branch left; `replace` when this branch does not come out."""
    if replace:
        scope.clear()
    for name, value in other.items():
        held = scope.get(name)
        scope[name] = value if held is None or held is value else either(value, held)


def _for(it: Interpreter, frame: Frame, node: ast.For | ast.AsyncFor) -> bool:
    over = it.evaluate(frame, node.iter)
    place = frame.source.place(node)
    members = over.items if isinstance(over, Items) and not over.open and 0 < len(over.items) <= _MOST_ITEMS else None
    _widen(frame, node.body)
    for member in members or [it_element(it, over)]:
        bind(it, frame, node.target, member)
        with it.looping(Loop(place, over)):
            run_block(it, frame, node.body)
    run_block(it, frame, node.orelse)
    return False


def _widen(frame: Frame, body: list[ast.stmt]) -> None:
    """Take plain values that a loop changes for what they are in its first round only."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                held = frame.local.get(node.id)
                if isinstance(held, Const):
                    frame.local[node.id] = Derived("loop", (held,))


def it_element(it: Interpreter, over: Value) -> Value:
    """Return what a loop variable stands for, after whatever iterating sets off."""
    from .iteration import element

    return element(it, over)


def _while(it: Interpreter, frame: Frame, node: ast.While) -> bool:
    condition = it.evaluate(frame, node.test)
    if truth(condition) is False:
        return False
    _widen(frame, node.body)
    if isinstance(condition, Const) and not isinstance(node.test, ast.Constant):
        condition = it.evaluate(frame, node.test)  # it holds in the first round; what ends the loop changes in it
    with it.looping(Loop(frame.source.place(node), None, condition)):
        run_block(it, frame, node.body)
    run_block(it, frame, node.orelse)
    return False


def _with(it: Interpreter, frame: Frame, node: ast.With | ast.AsyncWith) -> bool:
    opened: list[Context] = []
    for item in node.items:
        value = it.evaluate(frame, item.context_expr)
        if item.optional_vars is not None:
            bind(it, frame, item.optional_vars, value)
        name = value.type if isinstance(value, Instance) else value.name if isinstance(value, External) else "?"
        opened.append(Context(name, value, frame.source.place(node)))
    it.contexts += opened
    try:
        return run_block(it, frame, node.body)
    finally:
        del it.contexts[len(it.contexts) - len(opened) :]


def _try(it: Interpreter, frame: Frame, node: ast.Try) -> bool:
    ended = run_block(it, frame, node.body)
    after = dict(frame.local)
    for handler in node.handlers:
        guard = Guard("an exception was raised", frame.source.place(node), Derived("except", ()), True)
        with it.guarded(guard):
            run_block(it, frame, handler.body)
    _join(frame.local, after)
    if not ended:
        ended = run_block(it, frame, node.orelse)
    return run_block(it, frame, node.finalbody) or (ended and all(_ends(each.body) for each in node.handlers))


def _ends(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))


def _match(it: Interpreter, frame: Frame, node: ast.Match) -> bool:
    subject = it.evaluate(frame, node.subject)
    for case in node.cases:
        guard = Guard(ast.unparse(case.pattern)[:120], frame.source.place(node), subject, True)
        with it.guarded(guard):
            run_block(it, frame, case.body)
    return False


def _return(it: Interpreter, frame: Frame, node: ast.Return) -> bool:
    frame.give(it.evaluate(frame, node.value) if node.value is not None else Const(None))
    return True


def _leave(it: Interpreter, frame: Frame, node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise) and node.exc is not None:
        it.evaluate(frame, node.exc)
    if isinstance(node, ast.Break):
        it.note("break", frame.source.place(node), [], {})
    return True


def _global(_it: Interpreter, frame: Frame, node: ast.Global | ast.Nonlocal) -> bool:
    if frame.outer:
        frame.shared.update(node.names)
    return False


def _function(it: Interpreter, frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    made = frame.local[node.name] = make_function(it, frame, node)
    _decorate(it, frame, node, made.decorated, made)
    return False


def _decorate(it: Interpreter, frame: Frame, node: ast.stmt, decorators: tuple[Value, ...], made: Value) -> None:
    """Read what decorators of the project do with what they get, such as writing it into a registry."""
    for each in decorators:
        if isinstance(each, Function) or (isinstance(each, Member) and each.function is not None):
            it.call(frame, each, [made], {}, node)


def make_function(it: Interpreter, frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    """Return the function that a definition makes."""
    inner = frame.owner is not None and frame.name == frame.owner.name
    name = f"{frame.owner.name}.{node.name}" if inner and frame.owner is not None else node.name
    values = tuple(it.evaluate(frame, each) for each in node.decorator_list)
    names = tuple(_name(value) for value in values)
    closure = frame.outer if inner else (frame.local, *frame.outer)
    return Function(node, frame.source.path, name, closure, frame.owner if inner else None, names, values)


def _name(value: Value) -> str:
    if isinstance(value, External):
        return value.name
    if isinstance(value, Instance):
        return value.type
    return value.name if isinstance(value, Function) else "?"


def _class(it: Interpreter, frame: Frame, node: ast.ClassDef) -> bool:
    bases = tuple(it.evaluate(frame, base) for base in node.bases)
    decorated = tuple(it.evaluate(frame, each) for each in node.decorator_list)
    made = Class(node, frame.source.path, node.name, bases, {}, tuple(_name(each) for each in decorated))
    body = Frame(frame.source, node.name, made.scope, (frame.local, *frame.outer), made)
    run_block(it, body, node.body)
    frame.local[node.name] = made
    _decorate(it, frame, node, decorated, made)
    return False


def _delete(_it: Interpreter, frame: Frame, node: ast.Delete) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Name):
            frame.local.pop(target.id, None)
    return False


def _assert(it: Interpreter, frame: Frame, node: ast.Assert) -> bool:
    value = it.evaluate(frame, node.test)
    it.note("assert", frame.source.place(node), [value], {})
    return False


_HANDLERS: dict[type[ast.stmt], Callable[[Any, Frame, Any], bool]] = {
    ast.Expr: _expression, ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented, ast.If: _if,
    ast.For: _for, ast.AsyncFor: _for, ast.While: _while, ast.With: _with, ast.AsyncWith: _with, ast.Try: _try,
    ast.TryStar: _try, ast.Match: _match, ast.Return: _return, ast.Raise: _leave, ast.Break: _leave,
    ast.Continue: _leave, ast.Global: _global, ast.Nonlocal: _global, ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function, ast.ClassDef: _class, ast.Delete: _delete, ast.Assert: _assert,
    ast.Import: bind_import, ast.ImportFrom: bind_import_from,
}  # fmt: skip
