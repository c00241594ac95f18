"""What each expression stands for; calls are made in `invocation`, known operations are computed in `folding`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from . import folding
from .calls import Guard
from .frame import Frame
from .iteration import element
from .patterns import pattern_of
from .places import Via
from .values import (
    Choice,
    Class,
    Code,
    Const,
    Derived,
    External,
    Function,
    Instance,
    Items,
    Member,
    Table,
    Unknown,
    Value,
    constant,
    either,
    gathered,
    options_of,
    truth,
)  # fmt: skip

if TYPE_CHECKING:
    from .interpreter import Interpreter


_LONGEST_EXPRESSION = 500
_MOST_ARGUMENTS = 500
BETWEEN = ":"
"""A stretch between two known places of one of several axes, as in `x[:, :2]`."""


def evaluate(it: Interpreter, frame: Frame, node: ast.expr | None) -> Value:
    """Return what an expression stands for."""
    if node is None:
        return Const(None)
    handler = _HANDLERS.get(type(node))
    if handler is None or not it.step():
        return Unknown("an expression that is not read", frame.source.place(node))
    return handler(it, frame, node)


def _constant(it: Interpreter, frame: Frame, node: ast.Constant) -> Value:
    via: Via = "explicit" if frame.source.path == it.project.entry else "helper"
    return Const(node.value, frame.source.place(node), via)


def _name(_it: Interpreter, frame: Frame, node: ast.Name) -> Value:
    found = frame.lookup(node.id)
    return found if found is not None else External(node.id)


def _attribute(it: Interpreter, frame: Frame, node: ast.Attribute) -> Value:
    return attribute(it, it.evaluate(frame, node.value), node.attr)


def attribute(it: Interpreter, owner: Value, name: str) -> Value:
    """Return what `owner.name` stands for."""
    if isinstance(owner, Choice):
        found = attribute(it, owner.options[0], name)
        for option in owner.options[1:]:
            found = either(found, attribute(it, option, name))
        return found
    if isinstance(owner, External):
        return External(it.reading.canonical(f"{owner.name}.{name}"))
    if isinstance(owner, Code) and name in ("__getattribute__", "__getattr__"):
        return Member(owner, name)
    if isinstance(owner, Code):
        found_name = it.member_of_module(owner, name)
        if found_name is None and owner.module.endswith("/"):  # a folder hides no package of the same name
            package = owner.module.strip("/").rpartition("/")[2]
            return External(it.reading.canonical(f"{package}.{name}"))
        return found_name if found_name is not None else Unknown(f"{name} of {owner.module}")
    if isinstance(owner, Table) and name in owner.items and name not in ("get", "items", "keys", "values", "update"):
        return owner.items[name]  # dictionaries whose keys are attributes, such as EasyDict and OmegaConf
    if isinstance(owner, Class):
        return _of_class(owner, name)
    if isinstance(owner, Instance):
        return _of_instance(it, owner, name)
    return Member(owner, name)


def _of_class(owner: Class, name: str) -> Value:
    member = owner.member(name)
    if isinstance(member, Function) and any(each in ("classmethod",) for each in member.decorators):
        return Member(owner, name, member)
    return member if member is not None else Member(owner, name)


def _of_instance(it: Interpreter, owner: Instance, name: str) -> Value:
    if name in owner.attributes:
        return owner.attributes[name]
    if name == "__dict__":
        return Table(owner.attributes, open=True)
    member = owner.cls.member(name) if owner.cls is not None else None
    if isinstance(member, Function):
        if any(each in ("property", "functools.cached_property", "cached_property") for each in member.decorators):
            place = it.project.sources[member.module].place(member.node)
            from .invocation import call

            return call(it, Member(owner, name, member), [], {}, place, True)
        return member if "staticmethod" in member.decorators else Member(owner, name, member)
    if member is None and name in it.reading.unwraps:
        return owner
    return member if member is not None else Member(owner, name)


def _subscript(it: Interpreter, frame: Frame, node: ast.Subscript) -> Value:
    owner = it.evaluate(frame, node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [it.evaluate(frame, each) for each in (node.slice.lower, node.slice.upper, node.slice.step) if each]
        return folding.sliced(owner, node.slice, bounds) or Derived("[:]", (owner, *bounds), frame.source.place(node))
    key = it.evaluate(frame, node.slice)
    found: Value | None = None
    for option in options_of(owner):
        part = _item(it, option, key) or Derived("[]", (option, key), frame.source.place(node))
        found = part if found is None else either(found, part)
    return found or Unknown("an empty choice")


def _item(it: Interpreter, owner: Value, key: Value) -> Value | None:
    plain = constant(key, ...)
    if isinstance(owner, Table):
        if plain is not ... and _is_hashable(plain) and plain in owner.items:
            return owner.items[plain]
        if plain is ... and owner.items and not owner.open:
            return Choice(tuple(owner.items.values())[:8])
        if owner.open or plain is ...:
            return None
        return Unknown(f"key {plain!r}, which nothing sets", owner.place)
    if isinstance(owner, Items) and isinstance(plain, int) and -len(owner.items) <= plain < len(owner.items):
        return None if owner.open else owner.items[plain]
    if isinstance(owner, Instance) and owner.cls is not None:
        method = owner.cls.member("__getitem__")
        if isinstance(method, Function):
            from .iteration import run_method

            return run_method(it, owner, method, [key])
    if isinstance(owner, Instance) and isinstance(plain, str) and plain in owner.attributes:
        return owner.attributes[plain]
    return owner if isinstance(owner, (External, Class)) else None  # a type with parameters, such as `list[int]`


def _is_hashable(value: object) -> bool:
    return isinstance(value, (str, int, float, bool, bytes, type(None), complex))


def _call(it: Interpreter, frame: Frame, node: ast.Call) -> Value:
    if isinstance(node.func, ast.Name) and node.func.id == "super":
        return Member(frame.this, "super()") if frame.this is not None else Unknown("super() outside a method")
    callee = it.evaluate(frame, node.func)
    arguments: list[Value] = []
    keywords: dict[str, Value] = {}
    complete = True
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = it.evaluate(frame, argument.value)
            if isinstance(value, Items) and not value.open and len(value.items) <= _MOST_ARGUMENTS:
                arguments += value.items
            else:
                complete = False
        else:
            arguments.append(it.evaluate(frame, argument))
    for keyword in node.keywords:
        value = it.evaluate(frame, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        else:
            complete = _spread(value, keywords) and complete
    if isinstance(callee, External) and callee.name == "eval" and arguments:
        return _evaluated(it, frame, arguments[0], node)
    if isinstance(callee, Member) and isinstance(callee.owner, Member) and callee.owner.name == "super()":
        from .invocation import call_above

        return call_above(it, frame, callee.owner.owner, callee.name, arguments, keywords, frame.source.place(node))
    return it.call(frame, callee, arguments, keywords, node, complete)


def _evaluated(it: Interpreter, frame: Frame, text: Value, node: ast.expr) -> Value:
    """Return what `eval(text)` stands for; of a text with unknown parts, any name in sight that fits."""
    place = frame.source.place(node)
    plain = constant(text)
    if isinstance(plain, str) and len(plain) < _LONGEST_EXPRESSION:
        try:
            tree = ast.parse(plain, mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return Unknown("a text that is evaluated", place)
        for each in ast.walk(tree):
            ast.copy_location(each, node)
        return it.evaluate(frame, tree)
    first = constant(text.parts[0]) if isinstance(text, Derived) and text.parts else None
    if isinstance(first, str) and first.endswith(".") and first[:-1].isidentifier():
        from .builtin import members_of

        members = members_of(it, frame.lookup(first[:-1]) or Unknown(first, place))
        return Choice(members[:8]) if members else Unknown("a text that is evaluated", place)
    pattern = pattern_of(text)
    if not re.search(r"\w", pattern.replace(".*", "")):
        return Unknown("a text that is evaluated", place)
    named = [pair for scope in (frame.local, *frame.outer) for pair in scope.items()]
    found = [value for name, value in named if re.fullmatch(pattern, name)]
    return Choice(tuple(found[:8])) if found else Unknown("a text that is evaluated", place)


def _spread(value: Value, keywords: dict[str, Value]) -> bool:
    """Add the entries of `**value`; False when there may be more."""
    from .builtin import merged

    if isinstance(value, Instance) and value.cls is None and value.attributes:
        keywords.update(value.attributes)
        return False
    if isinstance(value, Choice):
        value = merged(value)
    if not isinstance(value, Table):
        return False
    keywords.update({str(key): item for key, item in value.items.items()})
    return not value.open


def _binary(it: Interpreter, frame: Frame, node: ast.BinOp) -> Value:
    left, right = it.evaluate(frame, node.left), it.evaluate(frame, node.right)
    operation = type(node.op).__name__
    return folding.binary(operation, left, right) or Derived(operation, (left, right), frame.source.place(node))


def _unary(it: Interpreter, frame: Frame, node: ast.UnaryOp) -> Value:
    value = it.evaluate(frame, node.operand)
    if isinstance(node.op, ast.Not):
        decided = truth(value)
        return Const(not decided) if decided is not None else Derived("not", (value,), frame.source.place(node))
    return folding.unary(type(node.op).__name__, value) or Derived(type(node.op).__name__, (value,))


def _boolean(it: Interpreter, frame: Frame, node: ast.BoolOp) -> Value:
    stops_at = isinstance(node.op, ast.Or)
    open_parts: list[Value] = []
    for part in node.values:
        value = it.evaluate(frame, part)
        decided = truth(value)
        if decided is stops_at:
            return value if not open_parts else Derived("or" if stops_at else "and", (*open_parts, value))
        if decided is None:
            open_parts.append(value)
        elif part is node.values[-1] and not open_parts:
            return value
    if stops_at and len(open_parts) == 1:
        return open_parts[0]
    return Derived("or" if stops_at else "and", tuple(open_parts), frame.source.place(node))


def _compare(it: Interpreter, frame: Frame, node: ast.Compare) -> Value:
    left = it.evaluate(frame, node.left)
    rights = [it.evaluate(frame, each) for each in node.comparators]
    answers: list[bool | None] = []
    before = left
    for operator, right in zip(node.ops, rights, strict=True):
        answers.append(folding.compare(type(operator).__name__, before, right))
        before = right
    if all(answer is not None for answer in answers):
        return Const(all(answers))
    if any(answer is False for answer in answers):
        return Const(False)
    return Derived(f"compare {type(node.ops[0]).__name__}", (left, *rights), frame.source.place(node))


def _conditional(it: Interpreter, frame: Frame, node: ast.IfExp) -> Value:
    condition = it.evaluate(frame, node.test)
    decided = truth(condition)
    if decided is not None:
        return it.evaluate(frame, node.body if decided else node.orelse)
    text, place = ast.unparse(node.test)[:120], frame.source.place(node)
    with it.guarded(Guard(text, place, condition, True)):
        left = it.evaluate(frame, node.body)
    with it.guarded(Guard(text, place, condition, False)):
        right = it.evaluate(frame, node.orelse)
    return either(left, right)


def _stretch(it: Interpreter, frame: Frame, node: ast.Slice) -> Value:
    """Return a stretch of one of several axes; where its ends are no plain numbers, it is not read."""
    bounds = [it.evaluate(frame, each) for each in (node.lower, node.upper)]
    place = frame.source.place(node)
    if all(isinstance(bound, Const) for bound in bounds) and any(constant(bound) is not None for bound in bounds):
        return Derived(BETWEEN, tuple(bounds), place)
    return Unknown("an expression that is not read", place)


def _sequence(it: Interpreter, frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    made = Items([])
    for part in node.elts:
        value = it.evaluate(frame, part.value if isinstance(part, ast.Starred) else part)
        if not isinstance(part, ast.Starred):
            made.items.append(value)
        elif isinstance(value, Items) and not value.open:
            made = gathered(chain(made.items, value.items), made.open)
        else:
            made.items.append(value)
            made.open = True
    return made


def _dictionary(it: Interpreter, frame: Frame, node: ast.Dict) -> Value:
    from .builtin import merged

    made = Table({}, place=frame.source.place(node))
    for key, part in zip(node.keys, node.values, strict=True):
        value = it.evaluate(frame, part)
        if key is None:
            value = merged(value) if isinstance(value, Choice) else value
            if isinstance(value, Table):
                made.items.update(value.items)
            made.open |= not isinstance(value, Table) or value.open
            continue
        plain = constant(it.evaluate(frame, key), ...)
        if plain is ... or not _is_hashable(plain):
            made.open = True
            made.items[f"?{len(made.items)}"] = value
        else:
            made.items[plain] = value
    return made


def _text(it: Interpreter, frame: Frame, node: ast.JoinedStr) -> Value:
    parts = [it.evaluate(frame, part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
    return folding.joined(parts) or Derived("format", tuple(parts), frame.source.place(node))


def _comprehension(
    it: Interpreter, frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
) -> Value:
    from .statements import bind

    inner = Frame(frame.source, frame.name, {}, (frame.local, *frame.outer), frame.owner, frame.this)
    overs: list[Value] = []
    for generator in node.generators:
        over = it.evaluate(inner, generator.iter)
        overs.append(over)
        single = len(node.generators) == 1 and not generator.ifs and not isinstance(node, ast.DictComp)
        if single and isinstance(over, Items) and not over.open and len(over.items) <= 8:
            made = Items([])
            for item in over.items:
                bind(it, inner, generator.target, item)
                made.items.append(it.evaluate(inner, node.elt))  # type: ignore[union-attr]
            return made
        bind(it, inner, generator.target, element(it, over))
        for condition in generator.ifs:
            it.evaluate(inner, condition)
    if isinstance(node, ast.DictComp):
        key = it.evaluate(inner, node.key)
        return Derived("dictionary", (it.evaluate(inner, node.value), key, *overs), frame.source.place(node))
    return Derived("list", (it.evaluate(inner, node.elt), *overs), frame.source.place(node))


def _lambda(_it: Interpreter, frame: Frame, node: ast.Lambda) -> Value:
    return Function(node, frame.source.path, "<lambda>", (frame.local, *frame.outer))


def _await(it: Interpreter, frame: Frame, node: ast.Await) -> Value:
    return it.evaluate(frame, node.value)


def _yield(it: Interpreter, frame: Frame, node: ast.Yield | ast.YieldFrom) -> Value:
    frame.give(Items([it.evaluate(frame, node.value)], open=True))
    return Unknown("what is sent into a generator")


def _named(it: Interpreter, frame: Frame, node: ast.NamedExpr) -> Value:
    value = it.evaluate(frame, node.value)
    frame.bind(node.target.id, value)
    return value


_HANDLERS: dict[type[ast.expr], Callable[[Any, Frame, Any], Value]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.Call: _call,
    ast.BinOp: _binary, ast.UnaryOp: _unary, ast.BoolOp: _boolean, ast.Compare: _compare, ast.IfExp: _conditional,
    ast.List: _sequence, ast.Tuple: _sequence, ast.Set: _sequence, ast.Dict: _dictionary, ast.JoinedStr: _text,
    ast.ListComp: _comprehension, ast.SetComp: _comprehension, ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension, ast.Lambda: _lambda, ast.Await: _await, ast.Yield: _yield, ast.YieldFrom: _yield,
    ast.NamedExpr: _named, ast.Slice: _stretch,
}  # fmt: skip
