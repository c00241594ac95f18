"""What Python's own functions and methods return on what is known; calls of packages are left to the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .calls import Call
from .expressions import attribute
from .folding import is_wide
from .patterns import modules_matching
from .values import (
    MOST_ITEMS,
    Choice,
    Class,
    Code,
    Const,
    Derived,
    External,
    Function,
    Instance,
    Items,
    Table,
    Unknown,
    Value,
    constant,
    constants,
    either,
    options_of,
)  # fmt: skip

if TYPE_CHECKING:
    from .interpreter import Interpreter

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "int": int, "float": float, "str": str, "bool": bool, "abs": abs, "round": round, "len": len,
}  # fmt: skip
_EXTREMES: dict[str, Callable[[Any], Any]] = {"max": max, "min": min, "sum": sum}
_JOINING = ("os.path.join", "posixpath.join")
_PATHS = ("pathlib.Path", "str", "os.path.abspath", "os.path.expanduser", "os.path.realpath", "os.fspath", "open")
_COPIES = ("copy.copy", "copy.deepcopy", "list", "tuple", "dict", "set", "sorted", "reversed", "iter")
_LARGEST_WORK = 1_000_000
_TEXT_METHODS = {"lower", "upper", "strip", "replace", "split", "format", "startswith", "endswith", "rstrip", "lstrip"}


def result(it: Interpreter, call: Call) -> Value | None:
    """Return what a call of one of Python's own functions gives, or None when nothing is known."""
    name, arguments = call.name, call.arguments
    if name in _CONVERSIONS and len(arguments) == 1:
        return _converted(name, arguments[0])
    if name in _EXTREMES and arguments:
        return _extreme(name, arguments)
    if name in _JOINING and arguments:
        plain = [constant(value, ...) for value in arguments]
        if any(not isinstance(value, str) for value in plain):
            return Derived("join", tuple(arguments), call.place)
        last = arguments[-1]
        via = last.via if isinstance(last, Const) else "explicit"
        return Const(
            "/".join(value.rstrip("/") for value in plain[:-1]) + "/" * (len(plain) > 1) + plain[-1], call.place, via
        )
    if name == "pathlib.Path" and arguments:
        return arguments[0] if len(arguments) == 1 else Derived("join", tuple(arguments), call.place)
    if name == "dict" and not arguments and call.complete:
        return Table(dict(call.keywords), place=call.place)
    if name in _COPIES and arguments:
        return _copied(arguments[0])
    if name in ("getattr", "hasattr", "setattr"):
        return _by_name(it, call)
    if name in ("importlib.import_module", "__import__") and arguments:
        return _imported(it, arguments[0])
    if name == "vars" and arguments and isinstance(arguments[0], Instance):
        return Table(arguments[0].attributes, open=True)
    if name == "iter" and arguments:
        return arguments[0]
    if name == "next" and arguments:
        from .iteration import element

        return element(it, arguments[0])
    return None


def _converted(name: str, value: Value) -> Value | None:
    if name == "len" and isinstance(value, (Items, Table)):
        return None if value.open else Const(len(value.items))
    known = constants(value)
    if known is None:
        return Derived(name, (value,)) if name != "len" else None
    try:
        made = [_CONVERSIONS[name](each) for each in known]
    except (TypeError, ValueError, OverflowError):
        return None
    origin = value if isinstance(value, Const) else value.options[0] if isinstance(value, Choice) else value
    assert isinstance(origin, Const)
    found = tuple(Const(each, origin.place, origin.via) for each in made)
    return found[0] if len(found) == 1 else Choice(found)


def _extreme(name: str, arguments: tuple[Value, ...]) -> Value | None:
    values = arguments[0].items if len(arguments) == 1 and isinstance(arguments[0], Items) else list(arguments)
    plain = [constant(value, ...) for value in values]
    if not plain or any(not isinstance(value, (int, float)) for value in plain):
        return None
    return Const(_EXTREMES[name](plain))


def _copied(value: Value) -> Value:
    if isinstance(value, Items):
        return Items(list(value.items), value.open)
    if isinstance(value, Table):
        return Table(dict(value.items), value.open, value.place)
    return merged(value) if isinstance(value, Choice) else value


def merged(value: Choice) -> Value:
    """Return one dictionary for several of which one is meant: under each key, what any of them holds."""
    tables = [option for option in value.options if isinstance(option, Table)]
    if len(tables) != len(value.options):
        return value
    made = Table({}, any(table.open for table in tables), tables[0].place)
    for table in tables:
        for key, item in table.items.items():
            made.items[key] = either(made.items[key], item) if key in made.items else item
    return made


def _by_name(it: Interpreter, call: Call) -> Value | None:
    """Return `getattr(owner, name)`; of a module of the project with an unknown name, any of its classes."""
    if len(call.arguments) < 2:
        return None
    owner, name = call.arguments[0], constant(call.arguments[1], ...)
    if call.name == "setattr":
        if isinstance(owner, Instance) and isinstance(name, str) and len(call.arguments) == 3:
            before = owner.attributes.get(name)
            value = call.arguments[2]
            owner.attributes[name] = either(before, value) if before is not None and it.guards else value
        return Const(None)
    names = constants(call.arguments[1])
    if call.name == "getattr" and name is ... and names and all(isinstance(each, str) for each in names):
        return Choice(tuple(attribute(it, owner, each) for each in names[:8]))
    if isinstance(name, str):
        if call.name == "hasattr":
            held = isinstance(owner, Instance) and name in owner.attributes
            return Const(True) if held else None
        default = call.arguments[2] if len(call.arguments) == 3 else None
        if isinstance(owner, Instance) and default is not None and name not in owner.attributes:
            return default if owner.type == "argparse.Namespace" else None
        return attribute(it, owner, name)
    if call.name == "getattr" and (members := members_of(it, owner)):
        return one_of(members)
    if call.name == "getattr" and isinstance(owner, External):
        return External(f"{owner.name}.?")
    return Unknown(f"a name that is put together at {call.place}", call.place) if call.name == "getattr" else None


def one_of(values: tuple[Value, ...]) -> Value:
    """Return what may be any of `values`."""
    found = values[0]
    for value in values[1:]:
        found = either(found, value)
    return found


def members_of(it: Interpreter, owner: Value) -> tuple[Value, ...]:
    """Return what an unknown name of a module or object of the project may mean: its classes, functions, methods."""
    if isinstance(owner, Code):
        return tuple(value for value in it.module(owner.module).values() if isinstance(value, (Class, Function)))
    spaces = [option for option in options_of(owner) if isinstance(option, Instance) and "Namespace" in option.type]
    if spaces:
        return tuple(spaces[0].attributes.values())
    if isinstance(owner, Instance) and owner.cls is not None:
        names = [name for name, value in owner.cls.scope.items() if isinstance(value, Function) and name[:1] != "_"]
        return tuple(attribute(it, owner, name) for name in names)
    return ()


def _imported(it: Interpreter, name: Value) -> Value:
    paths = modules_matching(it.project, name)
    for path in paths:
        it.module(path)
    plain = constant(name)
    if not paths:
        return External(plain) if isinstance(plain, str) else Unknown("a module whose name is put together")
    return Code(paths[0]) if len(paths) == 1 else Choice(tuple(Code(path) for path in paths[:8]))


def method(
    it: Interpreter, owner: Value, name: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value | None:
    """Return what a method of a list, dictionary or text gives, or None when nothing is known."""
    if name in ("__getattribute__", "__getattr__") and len(arguments) == 1:
        named = constant(arguments[0])
        return attribute(it, owner, named) if isinstance(named, str) else None
    if isinstance(owner, Items):
        return _of_list(it, owner, name, arguments)
    if isinstance(owner, Table):
        return _of_dictionary(owner, name, arguments, keywords)
    text = constant(owner)
    if isinstance(owner, Const) and isinstance(text, str):
        return _of_text(owner, text, name, arguments, keywords)
    return None


def _of_list(it: Interpreter, owner: Items, name: str, arguments: list[Value]) -> Value | None:
    if name == "append" and arguments and len(owner.items) < MOST_ITEMS:
        owner.items.append(arguments[0])
    elif name == "extend" and arguments:
        more = arguments[0]
        room = max(0, MOST_ITEMS - len(owner.items))
        added = more.items if isinstance(more, Items) else [more]
        owner.items += added[:room]
        owner.open |= not isinstance(more, Items) or more.open or len(added) > room
    elif name == "copy":
        return Items(list(owner.items), owner.open)
    else:
        return None
    owner.open |= bool(it.loops)
    return Const(None)


def _of_dictionary(owner: Table, name: str, arguments: list[Value], keywords: dict[str, Value]) -> Value | None:
    if name in ("get", "pop", "setdefault") and arguments:
        key = constant(arguments[0], ...)
        if isinstance(key, (str, int)) and key in owner.items:
            return owner.items[key]
        default = arguments[1] if len(arguments) > 1 else Const(None, owner.place, "default")
        return default if not owner.open and key is not ... else Derived("get", (owner, arguments[0], default))
    if name == "update":
        for value in arguments:
            if isinstance(value, Table):
                owner.items.update(value.items)
            owner.open |= not isinstance(value, Table) or value.open
        owner.items.update(keywords)
        return Const(None)
    if name == "items":
        return Items([Items([Const(key), value]) for key, value in owner.items.items()], owner.open)
    if name == "values":
        return Items(list(owner.items.values()), owner.open)
    if name == "keys":
        return Items([Const(key) for key in owner.items], owner.open)
    return Table(dict(owner.items), owner.open, owner.place) if name == "copy" else None


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 1


def _of_text(owner: Const, text: str, name: str, arguments: list[Value], keywords: dict[str, Value]) -> Value | None:
    plain: list[Any] = [constant(value, ...) for value in arguments]
    if name not in _TEXT_METHODS or keywords or any(value is ... for value in plain):
        return Derived("format", (owner, *arguments, *keywords.values())) if name in ("format", "join") else None
    if is_wide(text) if name == "format" else len(text) * max(map(_length, plain), default=1) > _LARGEST_WORK:
        return None
    try:
        made = getattr(text, name)(*plain)
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    if isinstance(made, list):
        return Items([Const(part, owner.place, owner.via) for part in made])
    return Const(made, owner.place, owner.via) if len(str(made)) < 10_000 else None
