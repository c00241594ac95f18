"""Computes operations on known plain values: arithmetic, comparison, text, paths; anything else is left open."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from itertools import chain
from typing import Any

from .places import Via
from .values import Choice, Class, Code, Const, Function, Instance, Items, Table, Value, constant, constants, gathered

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv,
    "FloorDiv": operator.floordiv, "Mod": operator.mod, "BitOr": operator.or_, "BitAnd": operator.and_,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "Is": lambda a, b: a is b if a is None or b is None else a == b,
    "IsNot": lambda a, b: a is not b if a is None or b is None else a != b,
}  # fmt: skip
_LONGEST_TEXT = 2000
_LARGEST_POWER = 64
_LARGEST_INTEGER = 1 << 128
"""Squared sixty times, three fills any memory."""
_WIDE = re.compile(r"\d{4}|\*")
_ORDER: tuple[Via, ...] = ("explicit", "helper", "default", "config", "framework")


def binary(operation: str, left: Value, right: Value) -> Value | None:
    """Return the result of an operator on known values, or None."""
    if isinstance(left, Items) and isinstance(right, Items) and operation == "Add":
        return gathered(chain(left.items, right.items), left.open or right.open)
    if isinstance(left, Items) and operation == "Mult":  # `[None] * n`, to be filled by number
        return Items(list(left.items), open=True)
    firsts, seconds = constants(left), constants(right)
    if firsts is None or seconds is None or len(firsts) * len(seconds) > 8:
        return None
    found = [_binary(operation, a, b) for a in firsts for b in seconds]
    if any(value is ... for value in found):
        return None
    via, place = _origin(left, right)
    made = tuple(Const(value, place, via) for value in found)
    return made[0] if len(made) == 1 else Choice(made)


def _binary(operation: str, a: Any, b: Any) -> Any:
    if operation == "Pow":
        small = isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(b) <= _LARGEST_POWER
        function: Callable[[Any, Any], Any] | None = operator.pow if small and abs(a) <= 1e6 else None
    elif isinstance(a, (str, bytes)) or isinstance(b, (str, bytes)):
        filled = operation == "Mod" and isinstance(a, (str, bytes)) and not is_wide(a)
        function = _BINARY.get(operation) if operation != "Mult" and (operation != "Mod" or filled) else None
    else:
        function = _BINARY.get(operation)
    if function is None:
        return ...
    try:
        value = function(a, b)
    except (TypeError, ValueError, ArithmeticError):
        return ...
    long = isinstance(value, (str, bytes)) and len(value) > _LONGEST_TEXT
    return ... if long or (isinstance(value, int) and abs(value) > _LARGEST_INTEGER) else value


def is_wide(template: str | bytes) -> bool:
    """Return whether a text with places to fill asks for more blanks than any name or path has."""
    return _WIDE.search(template if isinstance(template, str) else template.decode("latin-1")) is not None


def _origin(*values: Value) -> tuple[Via, Any]:
    """Return the farthest origin among constants: a sum with a number of a configuration file comes from there."""
    held = [option for value in values for option in (value.options if isinstance(value, Choice) else (value,))]
    known = [value for value in held if isinstance(value, Const)]
    best = max(known, key=lambda value: _ORDER.index(value.via))
    return best.via, best.place


def unary(operation: str, value: Value) -> Value | None:
    """Return the result of `-x`, `+x` or `~x`."""
    plain = constant(value, ...)
    if plain is ... or not isinstance(plain, (int, float)) or not isinstance(value, Const):
        return None
    if operation == "USub":
        return Const(-plain, value.place, value.via)
    return value if operation == "UAdd" else None


def compare(operation: str, left: Value, right: Value) -> bool | None:
    """Return the answer of a comparison, or None when reading does not tell."""
    if operation in ("In", "NotIn"):
        held = _contains(right, left)
        return held if held is None or operation == "In" else not held
    if operation in ("Is", "IsNot", "Eq", "NotEq") and _never_none(left) and constant(right, ...) is None:
        return operation in ("IsNot", "NotEq")
    firsts, seconds = constants(left), constants(right)
    function = _COMPARE.get(operation)
    if firsts is None or seconds is None or function is None:
        return None
    try:
        answers = {bool(function(a, b)) for a in firsts for b in seconds}
    except (TypeError, ValueError):
        return None
    return answers.pop() if len(answers) == 1 else None


def _never_none(value: Value) -> bool:
    made = isinstance(value, Instance) and (value.cls is not None or value.type[:1].isupper() or "." in value.type)
    named = made and isinstance(value, Instance) and value.type.rpartition(".")[2][:1].isupper()
    return isinstance(value, (Items, Table, Function, Class, Code)) or named


def _contains(container: Value, item: Value) -> bool | None:
    plain = constants(item)
    if plain is None:
        return None
    if isinstance(container, Table):
        known: list[Any] = list(container.items)
        is_open = container.open
    elif isinstance(container, Items):
        members = [constants(each) for each in container.items]
        known = [value for each in members if each is not None for value in each]
        is_open = container.open or any(each is None or len(each) > 1 for each in members)
    else:
        text = constant(container)
        if not isinstance(text, str) or not all(isinstance(value, str) for value in plain):
            return None
        answers = {value in text for value in plain}
        return answers.pop() if len(answers) == 1 else None
    answers = {value in known for value in plain}
    if answers == {True}:
        return True
    return False if answers == {False} and not is_open else None


def joined(parts: list[Value]) -> Value | None:
    """Return the text of an f-string whose parts are all known.

    None is taken for a flag that the launch gives: nobody writes "None" into a path or a name on purpose.
    """
    plain = [constant(part, ...) for part in parts]
    if any(value is ... or value is None for value in plain) or not parts:
        return Const("") if not parts else None
    via, place = _origin(*parts)
    return Const("".join(str(value) for value in plain), place, via)


def sliced(owner: Value, node: ast.Slice, bounds: list[Value]) -> Value | None:
    """Return a slice of a known list or text with known bounds."""
    plain = [constant(value, ...) for value in bounds]
    if any(not isinstance(value, int) for value in plain):
        return None
    given = iter(plain)
    cut = slice(*(next(given) if each is not None else None for each in (node.lower, node.upper, node.step)))
    if isinstance(owner, Items) and not owner.open:
        return gathered(owner.items[cut])
    text = constant(owner)
    return Const(text[cut], owner.place, owner.via) if isinstance(text, str) and isinstance(owner, Const) else None
