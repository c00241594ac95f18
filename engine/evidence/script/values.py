"""What an expression may stand for when a script is read without running it; values only, no evaluation."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from .places import Place, Via

if TYPE_CHECKING:
    from .calls import Call

Scope: TypeAlias = "dict[str, Value]"


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A known number, text, truth value or None, and who said so."""

    value: Any
    place: Place | None = None
    via: Via = "explicit"


@dataclass(slots=True, eq=False)
class Items:
    """A list, tuple or set whose members are known, or of which `open` says that there may be more."""

    items: list[Value]
    open: bool = False


@dataclass(slots=True, eq=False)
class Table:
    """A dictionary; `open` when further keys may be there."""

    items: dict[Any, Value]
    open: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True, eq=False)
class External:
    """Something of a package that is not the project's, by its full name, such as `torch.optim.AdamW`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """A module of the project."""

    module: str


@dataclass(slots=True, eq=False)
class Function:
    """A function or lambda of the project."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    module: str
    name: str
    closure: tuple[Scope, ...] = ()
    owner: Class | None = None
    decorators: tuple[str, ...] = ()
    decorated: tuple[Value, ...] = ()


@dataclass(slots=True, eq=False)
class Class:
    """A class of the project."""

    node: ast.ClassDef
    module: str
    name: str
    bases: tuple[Value, ...] = ()
    scope: Scope = field(default_factory=dict)
    decorators: tuple[str, ...] = ()

    def lineage(self) -> Iterator[Class]:
        """Return this class and its bases of the project, nearest first, each once."""
        seen: set[int] = set()
        waiting: list[Class] = [self]
        while waiting:
            cls = waiting.pop()
            if id(cls) not in seen:
                seen.add(id(cls))
                yield cls
                waiting += [base for base in reversed(cls.bases) if isinstance(base, Class)]

    def outside(self) -> tuple[str, ...]:
        """Return the names of bases that are not the project's; "?" for one that is unknown."""
        found = []
        for each in self.lineage():
            for base in each.bases:
                if isinstance(base, External):
                    found.append(base.name)
                elif not isinstance(base, Class):
                    found.append("?")
        return tuple(found)

    def member(self, name: str) -> Value | None:
        """Return a method or class attribute."""
        return next((each.scope[name] for each in self.lineage() if name in each.scope), None)


@dataclass(slots=True, eq=False)
class Instance:
    """An object: of a class of the project, or what a call of something external returned."""

    type: str
    """Full name of the class, or of what was called: `torch.optim.AdamW`, `torchaudio.load`."""
    cls: Class | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    call: Call | None = None
    """The call that made it."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """An attribute of something that is not a class of the project, or a method bound to an object."""

    owner: Value
    name: str
    function: Value | None = None
    """The method of the project, where it is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """The result of an operation on known or unknown parts."""

    operation: str
    """`+`, `[]`, `.loss`, `for`, `format`, `compare`, `not`, ..."""
    parts: tuple[Value, ...]
    place: Place | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """Something that no file of the project fixes."""

    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of several, depending on what reading alone does not tell."""

    options: tuple[Value, ...]


Value: TypeAlias = (
    Const | Items | Table | External | Code | Function | Class | Instance | Member | Derived | Unknown | Choice
)


MOST_ITEMS = 10_000
"""Members of a list that are told apart: a person writes no longer one, and `x = x + x` sixty times makes one."""


def gathered(items: Iterable[Value], is_open: bool = False) -> Items:
    """Return a list of members, open where there are too many to hold."""
    held = list(islice(items, MOST_ITEMS + 1))
    return Items(held[:MOST_ITEMS], is_open or len(held) > MOST_ITEMS)


def either(first: Value, second: Value) -> Value:
    """Return what may be `first` or `second`."""
    options: list[Value] = []
    for value in (*options_of(first), *options_of(second)):
        if not any(value is known or _same(value, known) for known in options):
            options.append(value)
    return options[0] if len(options) == 1 else Choice(tuple(options[:8]))


def options_of(value: Value) -> tuple[Value, ...]:
    """Return all that `value` may be."""
    return value.options if isinstance(value, Choice) else (value,)


def _same(first: Value, second: Value) -> bool:
    if isinstance(first, Const) and isinstance(second, Const):
        return type(first.value) is type(second.value) and first.value == second.value
    return isinstance(first, External) and isinstance(second, External) and first.name == second.name


def truth(value: Value) -> bool | None:
    """Return whether `value` counts as true in a condition, or None when reading does not tell."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, (Items, Table)):
        return bool(value.items) or (None if value.open else False)
    if isinstance(value, Choice):
        answers = {truth(option) for option in value.options}
        return answers.pop() if len(answers) == 1 else None
    if isinstance(value, Derived) and value.operation == "not":
        inner = truth(value.parts[0])
        return None if inner is None else not inner
    if isinstance(value, (Function, Class, Code)) or (isinstance(value, Instance) and value.cls is not None):
        return True
    return None


def constants(value: Value) -> tuple[Any, ...] | None:
    """Return every plain value that `value` may have, or None unless all its options are constants."""
    options = options_of(value)
    if not all(isinstance(option, Const) for option in options):
        return None
    return tuple(option.value for option in options if isinstance(option, Const))


def constant(value: Value | None, default: Any = None) -> Any:
    """Return the one plain value of `value`, or `default` when it has none or several."""
    known = constants(value) if value is not None else None
    return known[0] if known is not None and len(known) == 1 else default
