"""Settings that a script takes from files and from its command line, as values with the line that holds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from .calls import Call, texts
from .flags import Parsers
from .patterns import files_matching, pattern_of
from .places import Place
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
)  # fmt: skip

if TYPE_CHECKING:
    from .interpreter import Interpreter
    from .project import Project

_LOADERS = {
    "yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.unsafe_load", "json.load", "json.loads", "toml.load",
    "omegaconf.OmegaConf.load", "hyperpyyaml.load_hyperpyyaml", "tomllib.load", "anyconfig.load", "hjson.load",
    "ruamel.yaml.safe_load", "commentjson.load", "mmcv.Config.fromfile", "mmengine.Config.fromfile",
}  # fmt: skip
_DICTIONARIES = {
    "easydict.EasyDict", "munch.munchify", "munch.Munch", "omegaconf.OmegaConf.create", "addict.Dict", "box.Box",
    "attrdict.AttrDict", "dotmap.DotMap", "omegaconf.OmegaConf.to_container", "ml_collections.ConfigDict",
    "omegaconf.OmegaConf.merge"
}  # fmt: skip
_NO_SETTINGS = re.compile(
    r"(^|/|_)(env|environment|docker|package|tokenizer|vocab|mkdocs|setup|labels?|classes)[^/]*$|\.lock"
)
"""Files of environments, packages and labels."""
_SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".cfg", ".ini", ".gin")
_DEEPEST_TARGETS = 6
_DEEPEST_SETTINGS = 100
_STEEP = re.compile(r"(?:[-?:][ \t]+){100}|^ {800}", re.MULTILINE)
_MOST_SETTINGS = 20_000
"""Values of one file, aliases written out: nine aliases in each of nine lines make a billion."""
_TARGETS = {"hydra.utils.instantiate", "hydra.utils.call", "hydra.instantiate"}
_NAMESPACES = {"argparse.Namespace", "types.SimpleNamespace"}
_ENVIRONMENT = {"os.getenv", "os.environ.get"}


class Configurations:
    """Reads the configuration files of one project, each once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files = list(project.configurations())
        self._read: dict[str, Value] = {}
        self._parsers = Parsers(project)
        self.used: list[str] = []
        """Files that were read, in order."""

    def result(self, it: Interpreter, call: Call) -> Value | None:
        """Return what a call gives that reads settings, or None when it is none of these."""
        if call.name in _LOADERS:
            return self._load(it, call)
        if call.name in _TARGETS and call.arguments:
            return _instantiated(it, call.arguments[0], dict(call.keywords), call)
        if call.name in _DICTIONARIES:
            inner = next((value for value in call.arguments if isinstance(value, (Table, Instance))), None)
            return inner or (Table(dict(call.keywords), not call.complete) if call.keywords else None)
        if call.name in _NAMESPACES:
            return Instance("argparse.Namespace", attributes=dict(call.keywords), call=call)
        if call.name in _ENVIRONMENT:
            default = call.argument("default", 1)
            return (
                default if default is not None else Unknown(f"environment variable {constant(call.argument('key', 0))}")
            )
        return self._parsers.result(it, call)

    def parameters(self, it: Interpreter, function: Function) -> dict[str, Value]:
        """Return the parameters that decorators of hydra or click fill."""
        for name, value in zip(function.decorators, function.decorated, strict=True):
            if name == "hydra.main" and isinstance(value, Instance) and value.call is not None:
                return self._hydra(it, function, value.call)
        return self._parsers.options(function)

    def _load(self, it: Interpreter, call: Call) -> Value:
        path = call.argument("stream", 0) or call.argument("fp", 0) or call.argument("f", 0)
        opened = _opened(path)
        kinds = (".json", ".cfg") if call.name.startswith("json.") else _SUFFIXES
        files = [path for path in self._files if path.endswith(kinds)]
        found = _written_down(files, opened) or (files_matching(files, opened) if opened is not None else [])
        if not found and opened is not None and pattern_of(opened) == ".*":
            found = self._presets((".json",) if call.name.startswith("json.") else (".yaml", ".yml"))
        if not found:
            if call.name.endswith("load_hyperpyyaml") and it.main:  # it makes objects: a seed, an optimizer, the data
                it.leave(f"the settings that {call.place} loads are in no file that reading finds")
            return Table({}, open=True, place=call.place)
        told = _overriding(call)
        values = [self.read(it, each, told) for each in found[:8]]
        if len(found) > 1:  # depending on the launch
            return Choice(tuple(values))
        return values[0]

    def _presets(self, suffixes: tuple[str, ...]) -> list[str]:
        """Return the settings that lie in the project for a launch whose file nobody names: those least deep."""
        fitting = [path for path in self._files if path.endswith(suffixes) and not _NO_SETTINGS.search(path)]
        least = min((path.count("/") for path in fitting), default=0)
        return [path for path in fitting if path.count("/") == least]

    def read(self, it: Interpreter, path: str, told: tuple[str, ...] = ()) -> Value:
        """Return the content of a configuration file, in which the launch writes what is `told` anew."""
        held = " ".join((path, *told))
        if held not in self._read:
            self.used += [path] if path not in self.used else []
            self._read[held] = Table({}, open=True, place=Place(path, 1))
            try:
                text = (self._project.root / path).read_text("utf-8", "replace")
                node = yaml.compose(text, yaml.CSafeLoader) if not _is_deep(text) else None
            except (OSError, yaml.YAMLError, RecursionError):
                return self._read[held]
            if node is not None:
                self._read[held] = _Document(it, path, told).value(node, 0)
        return self._read[held]

    def _hydra(self, it: Interpreter, function: Function, call: Call) -> dict[str, Value]:
        name = constant(call.argument("config_name", 1), "")
        folder = constant(call.argument("config_path", 0), "")
        names = function.node.args.args
        if not names:
            return {}
        file = f"{name}" if str(name).endswith((".yaml", ".yml")) else f"{name}.yaml"
        found = [path for path in self._files if path.endswith(f"{str(folder).strip('./')}/{file}".lstrip("/"))]
        merged = self._composed(it, found[0], 0) if found else Table({}, open=True, place=call.place)
        return {names[0].arg: merged}

    def _composed(self, it: Interpreter, path: str, depth: int) -> Value:
        """Return a hydra configuration with the files that its `defaults` list names."""
        value = self.read(it, path)
        if not isinstance(value, Table) or depth > 3:
            return value
        base = Table({}, value.open, value.place)
        chosen = value.items.get("defaults")
        for item in chosen.items if isinstance(chosen, Items) else []:
            pairs = item.items.items() if isinstance(item, Table) else [(None, item)]
            for group, name in pairs:
                file = "/".join(str(part) for part in (path.rpartition("/")[0], group, constant(name)) if part)
                inner = self._composed(it, f"{file}.yaml", depth + 1) if f"{file}.yaml" in self._files else None
                if isinstance(inner, Table):
                    base.items.update({str(group): inner} if group else inner.items)
        base.items.update({key: item for key, item in value.items.items() if key != "defaults"})
        return base


def _instantiated(it: Interpreter, settings: Value, more: dict[str, Value], call: Call, depth: int = 0) -> Value | None:
    """Return what hydra makes of settings with a `_target_`, those within them first."""
    from .invocation import call as make

    if not isinstance(settings, Table) or depth > _DEEPEST_TARGETS:
        return None
    keywords: dict[str, Value] = {}
    for name, value in settings.items.items():
        if not str(name).startswith("_"):
            inner = _instantiated(it, value, {}, call, depth + 1) if isinstance(value, Table) else None
            keywords[str(name)] = inner if inner is not None else value
    target = constant(settings.items.get("_target_"))
    if not isinstance(target, str):
        return Table({**settings.items, **keywords}, settings.open, settings.place) if depth == 0 else None
    callee = _named(it, target)
    if constant(settings.items.get("_partial_")) is True:
        made = it.note("functools.partial", call.place, [callee], {**keywords, **more})
        made.result = Instance("functools.partial", call=made)
        return made.result
    return make(it, callee, [], {**keywords, **more}, call.place, not settings.open)


def _named(it: Interpreter, name: str) -> Value:
    """Return the class or function of the project, or of a package, that a full name stands for."""
    module, _, last = name.rpartition(".")
    path = it.project.find(module, it.project.entry) if module else None
    found = it.member_of_module(Code(path), last) if path is not None else None
    return found if found is not None else External(it.reading.canonical(name))


def _overriding(call: Call) -> tuple[str, ...]:
    """Return the names in a text that the script puts together to write settings of hyperpyyaml anew."""
    held = call.argument("overrides", 1) if call.name.endswith("load_hyperpyyaml") else None
    made = isinstance(held, Derived) or (isinstance(held, Instance) and held.call is not None)
    words = {word for text in texts(held) for word in re.findall(r"[A-Za-z_]\w*", text)} if made else set()
    return tuple(sorted(words))


def _written_down(files: list[str], path: Value | None) -> list[str]:
    """Return the files that a path names in full, where it may also be something that reading does not know."""
    options = path.options if isinstance(path, Choice) else ()
    return [file for each in options if isinstance(each, Const) and each.value is not None
            for file in files_matching(files, each)]  # fmt: skip


def _opened(value: Value | None) -> Value | None:
    """Return the path behind an open file or the text read from it."""
    for _ in range(6):
        if isinstance(value, Instance) and value.call is not None and (value.call.arguments or value.call.receiver):
            value = value.call.receiver if value.call.receiver is not None else value.call.arguments[0]
        elif isinstance(value, Member):
            value = value.owner
        else:
            break
    return value


class _Document:
    """Turns the nodes of one YAML or JSON file into values that know their line."""

    def __init__(self, it: Interpreter, path: str, told: tuple[str, ...]) -> None:
        self._it = it
        self._path = path
        self._told = told
        self._loader = yaml.SafeLoader("")
        self._references: dict[str, Value] = {}
        self._left = _MOST_SETTINGS

    def value(self, node: yaml.Node, depth: int) -> Value:
        place = Place(self._path, node.start_mark.line + 1)
        self._left -= 1
        if depth > 20 or self._left < 0:
            return Unknown("settings that are nested too deep, or too many", place)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        if isinstance(node, yaml.SequenceNode):
            items = [self.value(item, depth + 1) for item in node.value]
            return self._tagged(node.tag, Table({}, place=place), place, items) if node.tag[:1] == "!" else Items(items)
        table = Table({}, place=place)
        for key, item in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            again = depth == 0 and name in self._told
            table.items[name] = (
                Unknown(f"{name} in {place} is written anew at the launch", place)
                if again
                else self.value(item, depth + 1)
            )
            if depth == 0:
                self._references[name] = table.items[name]
        return self._tagged(node.tag, table, place)

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Value:
        if node.tag == "!ref":
            return self._reference(node.value, place)
        if node.tag.startswith(("!name:", "!new:", "!apply:", "!module:")):
            return self._tagged(node.tag, Table({}, place=place), place)
        if not node.tag.startswith("tag:yaml.org,2002:"):
            return Unknown(f"{node.value} in {place}", place)
        try:
            return Const(_numeric(self._loader.construct_object(node)), place, "config")
        except (yaml.YAMLError, ValueError):
            return Const(node.value, place, "config")

    def _reference(self, text: str, place: Place) -> Value:
        """Return what `!ref <key>` stands for; a term of several stays open."""
        if text.startswith("<") and text.endswith(">") and text.count("<") == 1:
            value: Value | None = None
            for part in text[1:-1].replace("]", "").replace("[", ".").split("."):
                value = self._references.get(part) if value is None else _below(value, part)
            return value or Unknown(f"{text} in {place}", place)
        keys = [part.partition(">")[0] for part in text.split("<")[1:]]
        return Derived("format", tuple(self._references.get(key, Unknown(key, place)) for key in keys), place)

    def _tagged(self, tag: str, table: Table, place: Place, arguments: list[Value] | None = None) -> Value:
        """Return what hyperpyyaml makes of `!new:`, `!apply:` (an object) and `!name:` (a function)."""
        kind, _, name = tag.partition(":")
        if kind in ("!new", "!apply") and name:
            made = self._it.note(
                self._it.reading.canonical(name), place, arguments or [], {str(k): v for k, v in table.items.items()}
            )
            made.result = Instance(made.name, attributes={}, call=made)
            return made.result
        if kind == "!name" and name:
            made = self._it.note(
                "functools.partial", place, [External(name)], {str(k): v for k, v in table.items.items()}
            )
            made.result = Instance("functools.partial", call=made)
            return made.result
        return table


def _is_deep(text: str) -> bool:
    """Return whether settings may nest so deep that the parser, which is written in C, exhausts its stack."""
    depth = deepest = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if sign in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest > _DEEPEST_SETTINGS or _STEEP.search(text) is not None


def _below(value: Value, name: str) -> Value | None:
    if isinstance(value, Table):
        return value.items.get(name)
    if isinstance(value, Class):
        return value.member(name)
    return None


def _numeric(value: Any) -> Any:
    """Return the number of a text such as `1e-4`, which YAML 1.1 takes for a text and scripts convert."""
    if isinstance(value, str) and value[:1] in "0123456789-.+" and "e" in value.lower():
        try:
            return float(value)
        except ValueError:
            return value
    return value
