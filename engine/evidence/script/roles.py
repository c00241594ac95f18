"""Which part of the data a feed is: what files, split names and variables call it, and where it was divided.

Says what is called how; whether that is well done is not said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from .calls import Call
from .feeds import Feed, dataset_of, feeds, loaders_of
from .naming import Role, assigned, functions, words
from .places import Place
from .script import Script
from .values import Choice, Const, Derived, Instance, Items, Member, Table, Value, constant

_DEEPEST = 14


@dataclass(frozen=True)
class Division:
    """One place where data is divided, and which part was taken."""

    call: Call | None
    """The call that divides; None for a slice."""
    place: Place | None
    part: str


@dataclass
class Origin:
    """Where the clips of a feed come from."""

    named: set[Role] = field(default_factory=set)
    """Roles that files and split names give, nearest first."""
    divisions: list[Division] = field(default_factory=list)
    roots: set[object] = field(default_factory=set)
    """What it is made of in the end: plain paths and objects."""
    merged: bool = False
    """Whether several parts were put together."""
    places: list[Place] = field(default_factory=list)
    """Where the texts that name it stand."""
    told: set[str] = field(default_factory=set)
    """Columns, attributes and other names on the way, in lower case."""


def _of_text(script: Script, text: str) -> Role | None:
    """Return the role that a path or split name gives: its last word counts, and `train+validation` is for training."""
    if len(text) > 300 or text.count(" ") > 2:
        return None
    if "+" in text:
        roles = [words(script, part, file=True) for part in text.split("+")]
        return next((role for each in roles for role in each), None)
    found = words(script, text, file=True)
    return found[-1] if found else None


class _Walk:
    """One walk from a feed to what it was made from."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: set[int] = set()
        self.origin = Origin()
        self.splits = set(script.symbols["clip-split"]) | set(script.symbols["group-split"])

    def go(self, start: Value) -> Origin:
        level = [(start, False)]
        for _ in range(_DEEPEST):
            following: list[tuple[Value, bool]] = []
            found: set[Role] = set()
            for value, divided in level:
                if id(value) not in self.seen:
                    self.seen.add(id(value))
                    following += self._step(value, divided, found)
            if found and not self.origin.named and not self.origin.divisions:
                self.origin.named |= found
            level = following
        return self.origin

    def _step(self, value: Value, divided: bool, found: set[Role]) -> list[tuple[Value, bool]]:
        if isinstance(value, Const):
            if isinstance(value.value, str):
                self._text(value, divided, found)
            return []
        if isinstance(value, Derived):
            return self._derived(value, divided, found)
        if isinstance(value, Choice):
            return [(each, divided) for each in value.options]
        if isinstance(value, Items):
            return [(each, divided) for each in value.items[:8]]
        if isinstance(value, Member):
            self.origin.told.add(value.name.lower())
            return [(value.owner, divided)]
        if isinstance(value, Instance):
            return self._instance(value, divided)
        return []

    def _text(self, value: Const, divided: bool, found: set[Role]) -> None:
        role = _of_text(self.script, value.value)
        self.origin.roots.add(value.value)
        self.origin.told.add(value.value.lower())
        if role is not None and not divided:
            found.add(role)
            if value.place is not None:
                self.origin.places.append(value.place)

    def _derived(self, value: Derived, divided: bool, found: set[Role]) -> list[tuple[Value, bool]]:
        parts = list(value.parts)
        if not parts:
            return []
        split = _split_call(parts[0], self.splits)
        if split is not None and value.operation.startswith("["):
            part = value.operation if len(parts) < 2 else str(constant(parts[1], "?"))
            self.origin.divisions.append(Division(split, value.place or split.place, part))
            return [(each, True) for each in split.values()]
        if value.operation == "[:]" and len(parts) > 1:
            self.origin.divisions.append(Division(None, value.place, "slice"))
            return [(parts[0], True)]
        if value.operation == "[]" and isinstance(parts[1], Const) and isinstance(parts[1].value, str):
            named = _entry(parts[0], parts[1].value)
            return [(named, divided)] if named is not None else [(parts[1], divided), (parts[0], True)]
        if value.operation == "join":  # the file, not the folder
            return [(each, divided) for each in reversed(parts)]
        if value.operation in ("index", "count"):
            return []
        return [(each, divided) for each in parts]

    def _instance(self, value: Instance, divided: bool) -> list[tuple[Value, bool]]:
        if value.call is None:
            self.origin.roots.add(id(value))
            return []
        call = value.call
        if call.attribute in ("concatenate_datasets", "ConcatDataset", "concat", "concatenate", "interleave_datasets"):
            self.origin.merged = True
        self.origin.roots.add((call.name, call.place)) if not call.values() else None
        return [(each, divided) for each in call.values() if not isinstance(each, Table)]


def _split_call(value: Value, names: set[str]) -> Call | None:
    """Return the call that divides clips behind a value that was indexed or unpacked."""
    for _ in range(3):
        if isinstance(value, Instance) and value.call is not None:
            name = value.call.name
            known = name in names or value.call.attribute in ("train_test_split", "random_split")
            if (known or _divides(value.call)) and not isinstance(value.call.receiver, Const):
                return value.call
            return None
        if isinstance(value, Derived) and value.operation in ("for",) and value.parts:
            value = value.parts[0]
            continue
        return None
    return None


def _divides(call: Call) -> bool:
    """Return whether a method called `split` divides clips, not a text: its object says so, or it is the project's."""
    owner, _, last = call.name.rpartition(".")
    return last == "split" and (":" in call.name or bool(re.search("(?i)fold|split", owner)))


def _entry(owner: Value, key: str) -> Value | None:
    """Return what stands behind one entry of a dictionary of parts.

    That is a file of `load_dataset(..., data_files={...})`, or what the script put there itself; a method such as `map`
    or `cast_column` hands every entry on.
    """
    for _ in range(_DEEPEST):
        if not isinstance(owner, Instance) or owner.call is None:
            return None
        if key in owner.attributes:
            return owner.attributes[key]
        files = owner.call.argument("data_files")
        if isinstance(files, Table) and key in files.items and constant(files.items[key]) is not None:
            return files.items[key]
        given = next((each for each in owner.call.arguments if isinstance(each, Table) and key in each.items), None)
        if given is not None:
            return given.items[key]
        if owner.call.receiver is None:
            return None
        owner = owner.call.receiver
    return None


def origin(script: Script, value: Value) -> Origin:
    """Return where the clips behind a value come from."""
    return _Walk(script).go(value)


@dataclass(frozen=True)
class Part:
    """A feed with what it is called."""

    feed: Feed
    origin: Origin
    role: Role | None
    """What it is called by files and splits, else by variables; None when nothing names it."""
    by: Literal["files", "names", "slot", ""]


def watches(script: Script) -> Call | None:
    """Return a call of the project's own code that by its name evaluates on held-out clips."""
    for call in script.trace:
        name = call.name.rpartition(":")[2].rpartition(".")[2].lower()
        if call.main and ":" in call.name and script.says("evaluates", name):
            return call
    return None


def parts(script: Script) -> list[Part]:
    """Return each feed of the script with its name."""
    if "parts" not in script.shelf:
        script.shelf["parts"] = [_part(script, feed) for feed in feeds(script)]
    return list(script.shelf["parts"])


def _part(script: Script, feed: Feed) -> Part:
    made = origin(script, dataset_of(script, feed.value))
    roles = made.named if feed.use == "train" else made.named - {"train"}
    if len(roles) == 1:
        return Part(feed, made, next(iter(roles)), "files")
    named = [role for name in _names(script, feed, made) for role in words(script, name)[:1]]
    kept = [role for role in named if role != "train"] if feed.use == "held-out" else named
    if kept:
        return Part(feed, made, kept[0], "names")
    slot = words(script, feed.slot)
    return Part(feed, made, slot[0], "slot") if slot else Part(feed, made, None, "")


def _names(script: Script, feed: Feed, made: Origin) -> Iterator[str]:
    """Yield the variables around where a feed was divided, made and used: what its data are called counts first."""
    held = dataset_of(script, feed.value)
    for division in made.divisions:
        if division.place is not None:
            yield from _target(script, division)
    for option in held.options if isinstance(held, Choice) else (held,):
        if isinstance(option, Instance) and option.call is not None:
            yield from assigned(script, option.call.place)
            yield from functions(option.call)
    yield from assigned(script, feed.place)
    for call in loaders_of(script, feed.value):
        yield from assigned(script, call.place)
        yield from functions(call)
        yield from (name for place in reversed(call.callers) for name in assigned(script, place))


def _target(script: Script, division: Division) -> Iterator[str]:
    """Yield the name that one part of a division is bound to."""
    assert division.place is not None
    place = division.place if division.call is None else division.call.place
    number = re.fullmatch(r"\[(\d+)\]", division.part)
    for name in assigned(script, place):
        several = name.strip("()").split(", ")
        if number and len(several) > int(number.group(1)):
            yield several[int(number.group(1))]
        elif not number:
            yield name
