"""Command lines: what argparse, HfArgumentParser and click give when the script is launched as its project shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calls import Call
from .places import Place
from .values import (
    Class,
    Const,
    External,
    Function,
    Instance,
    Items,
    Unknown,
    Value,
    constant,
)  # fmt: skip

if TYPE_CHECKING:
    from .interpreter import Interpreter
    from .launches import Launch
    from .project import Project

_GROUPS = {"add_argument_group", "add_mutually_exclusive_group", "add_subparsers", "add_parser"}
_PARSES = {"parse_args", "parse_known_args", "parse_args_into_dataclasses", "parse_json_file", "parse_yaml_file",
           "parse_dict"}  # fmt: skip


class Parsers:
    """What each parser of a project was told."""

    def __init__(self, project: Project) -> None:
        self._launches = project.launches
        self._flags: dict[int, dict[str, Value]] = {}

    def result(self, it: Interpreter, call: Call) -> Value | None:
        """Return what a method of a parser gives, or None when it is none."""
        owner = call.receiver
        if not isinstance(owner, Instance) or not owner.type.endswith(("ArgumentParser", "ArgParser")):
            return None
        if owner.type.rpartition(".")[2] == "HfArgumentParser" and call.attribute in _PARSES:
            return self._dataclasses(it, owner, call)
        flags = self._flags.setdefault(id(owner), {})
        if call.attribute in _GROUPS:
            return owner
        if call.attribute == "add_argument":
            flags.update(self._flag(call))
            return Const(None)
        if call.attribute == "set_defaults":
            flags.update(call.keywords)
            return Const(None)
        if call.attribute in _PARSES:
            space = Instance("argparse.Namespace", attributes={**self._undeclared(), **flags}, call=call)
            return Items([space, Items([], open=True)]) if call.attribute == "parse_known_args" else space
        return None

    def _flag(self, call: Call) -> dict[str, Value]:
        names = [constant(value) for value in call.arguments]
        texts = [name for name in names if isinstance(name, str)]
        if not texts:
            return {}
        chosen = next((name for name in texts if name.startswith("--")), texts[0])
        stated = constant(call.keywords.get("dest"))
        name = str(stated) if isinstance(stated, str) else chosen.lstrip("-").replace("-", "_")
        launched = self._launched([name, *(text.lstrip("-").replace("-", "_") for text in texts)])
        action = constant(call.keywords.get("action"))
        kind = call.keywords.get("type")
        if launched is not None:
            value, place = launched
            if value is True and action == "store_false":
                value = False
            return {name: _typed(value, kind, place)}
        return {name: _default(call, chosen, action, kind)}

    def _undeclared(self) -> dict[str, Value]:
        """Return what the first launch command says: a framework may add flags that no line of the project names."""
        return {
            name: _typed(value, None, launch.place)
            for launch in self._launches[:1]
            for name, value in launch.flags.items()
            if name.isidentifier()
        }

    def _launched(self, names: list[str]) -> tuple[Any, Place] | None:
        """Return the value that the first launch command gives to a flag."""
        for launch in self._launches[:1]:
            for name in names:
                if name in launch.flags:
                    return launch.flags[name], launch.place
        return None

    def _dataclasses(self, it: Interpreter, parser: Instance, call: Call) -> Value:
        """Make an object of each class that HfArgumentParser fills."""
        assert parser.call is not None
        given = parser.call.argument("dataclass_types", 0)
        classes = given.items if isinstance(given, Items) else [given] if given is not None else []
        launch = self._launches[0] if self._launches else None
        made = Items([self._filled(it, each, launch, call) for each in classes])
        return made.items[0] if len(made.items) == 1 and call.attribute == "parse_json_file" else made

    def _filled(self, it: Interpreter, cls: Value, launch: Launch | None, call: Call) -> Value:
        from .invocation import call as make

        words: dict[str, Value] = (
            {name: _typed(value, None, launch.place) for name, value in launch.flags.items() if name} if launch else {}
        )
        if isinstance(cls, Class):
            return make(it, cls, [], words, call.place)
        if isinstance(cls, External):
            return make(it, cls, [], words, call.place, launch is not None)
        return Unknown("a class of arguments", call.place)

    def options(self, function: Function) -> dict[str, Value]:
        """Return the parameters that `@click.option` and `@click.argument` fill."""
        found: dict[str, Value] = {}
        for name, value in zip(function.decorators, function.decorated, strict=True):
            if name in ("click.option", "click.argument") and isinstance(value, Instance) and value.call is not None:
                found.update(self._flag(value.call))
        return found


def _default(call: Call, flag: str, action: Any, kind: Value | None) -> Value:
    default = call.keywords.get("default")
    if default is not None:
        plain = constant(default, ...)
        if plain is ...:
            return default
        return _typed(plain, kind if isinstance(plain, str) else None, call.place, "default")
    if action in ("store_true", "store_false"):
        return Const(action == "store_false", call.place, "default")
    if constant(call.keywords.get("required")) or not flag.startswith("-"):
        return Unknown(f"{flag} is given at launch, and no launch file of the project says it", call.place)
    return Const(None, call.place, "default")


def _typed(value: Any, kind: Value | None, place: Place, via: str = "config") -> Value:
    if isinstance(value, list):
        return Items([_typed(item, kind, place, via) for item in value])
    wanted = kind.name if isinstance(kind, External) else ""
    try:
        if isinstance(value, str) and wanted in ("int", "float"):
            value = int(value) if wanted == "int" else float(value)
        elif isinstance(value, str) and (not wanted or wanted in _TRUTH_READERS):
            value = _guessed(value)
        elif isinstance(value, str) and wanted == "bool":
            value = bool(value)  # as argparse does: any text is true
    except ValueError:
        return Unknown(f"{value!r} at {place}", place)
    return Const(value, place, "config" if via == "config" else "default")


_TRUTH_READERS = ("ast.literal_eval", "json.loads", "eval", "distutils.util.strtobool")
"""Functions that read what is written as Python or JSON would."""


def _guessed(text: str) -> Any:
    """Return the number or truth value that a text of a command line stands for."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text
