"""The trace of a script: every call that reading it reaches, in order, with what is known about it; values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from .places import Place
from .values import Choice, Const, Derived, Instance, Items, Member, Table, Unknown, Value


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A condition that reading alone does not decide, under which a call stands."""

    text: str
    place: Place
    value: Value
    holds: bool
    """Whether the call is in the branch for which the condition is true."""


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop around a call."""

    place: Place
    over: Value | None
    """What is iterated; None for `while`."""
    condition: Value | None = None
    """Of `while`: what must be true for another round."""


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A `with` block or decorator around a call."""

    name: str
    value: Value
    place: Place


@dataclass(slots=True, eq=False)
class Call:
    """One call."""

    name: str
    """Full name: `torch.optim.AdamW`, `torch.optim.AdamW.step`, `torch.nn.CrossEntropyLoss.__call__`;
    of the project's own code `<module>.<function>`; `?.step` when the object is unknown."""
    place: Place
    arguments: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    receiver: Value | None = None
    """The object whose method is called."""
    result: Value | None = None
    complete: bool = True
    """False when `*args` or `**kwargs` could not be resolved, so that further arguments may be there."""
    stack: tuple[str, ...] = ()
    """Functions of the project around the call, outermost first; `<module>` names stand for module level."""
    callers: tuple[Place, ...] = ()
    """Where each function of the stack was called."""
    loops: tuple[Loop, ...] = ()
    guards: tuple[Guard, ...] = ()
    contexts: tuple[Context, ...] = ()
    order: int = 0
    main: bool = True
    """Whether the launch reaches it; False for code that only lies in the project."""
    hook: str = ""
    """The method that a framework calls and that leads here, such as `training_step`; empty outside hooks."""

    @property
    def attribute(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def argument(self, name: str, position: int | None = None) -> Value | None:
        """Return the argument called `name`, or at `position`; None when it is not given."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.arguments):
            return self.arguments[position]
        return None

    def values(self) -> tuple[Value, ...]:
        """Return every argument and the receiver."""
        return (*self.arguments, *self.keywords.values(), *((self.receiver,) if self.receiver is not None else ()))


@dataclass(slots=True)
class Trace:
    """All calls, in the order of execution as far as reading tells, those of unreached code last."""

    calls: list[Call] = field(default_factory=list)
    _by_name: dict[str, list[Call]] = field(default_factory=dict, repr=False)
    _indexed: int = 0

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def named(self, *names: str, main: bool | None = True) -> list[Call]:
        """Return calls named so; `*.step` stands for any object, `torch.optim.*` for any member.

        `main` limits to what the launch reaches (True), to the rest (False), or not at all (None).
        """
        wanted = _set_of(names)
        held = [calls for name, calls in self._index().items() if wanted.has(name)]
        found = [call for calls in held for call in calls if main is None or call.main is main]
        return found if len(held) < 2 else sorted(found, key=lambda call: call.order)

    def _index(self) -> dict[str, list[Call]]:
        """Return the calls by name: a script calls some hundred names some thousand times."""
        for call in self.calls[self._indexed :]:
            self._by_name.setdefault(call.name, []).append(call)
        self._indexed = len(self.calls)
        return self._by_name


class _Names:
    """A set of call names, each with at most one star."""

    def __init__(self, names: Iterable[str]) -> None:
        names = list(names)
        left_out = [name[1:] for name in names if name.startswith("!")]
        self._without = _Names(left_out) if left_out else None
        names = [name for name in names if not name.startswith("!")]
        self._exact = {name for name in names if "*" not in name}
        ends = [tuple(name.split("*", 1)) for name in names if "*" in name]
        self._starts = tuple(start for start, end in ends if not end)
        self._stops = tuple(end for start, end in ends if not start)
        self._ends = [(start, end) for start, end in ends if start and end]

    def has(self, name: str) -> bool:
        if self._without is not None and self._without.has(name):
            return False
        if name in self._exact or name.startswith(self._starts) or name.endswith(self._stops):
            return True
        return any(name.startswith(start) and name.endswith(end) for start, end in self._ends)


@lru_cache(maxsize=1024)
def _set_of(names: tuple[str, ...]) -> _Names:
    """Return a set that is asked for again and again, made once."""
    return _Names(names)


def sources(value: Value | None, *, deepest: int = 12) -> Iterator[Value]:
    """Return `value` and everything that it was computed from, nearest first, each once."""
    seen: set[int] = set()
    level: list[Value] = [value] if value is not None else []
    for _ in range(deepest):
        following: list[Value] = []
        for each in level:
            if id(each) in seen:
                continue
            seen.add(id(each))
            yield each
            following += _parts(each)
        level = following


def _parts(value: Value) -> list[Value]:
    if isinstance(value, Derived):
        return list(value.parts)
    if isinstance(value, Choice):
        return list(value.options)
    if isinstance(value, Items):
        return list(value.items)
    if isinstance(value, Table):
        return list(value.items.values())
    if isinstance(value, Member):
        return [value.owner]
    if isinstance(value, Instance) and value.call is not None:
        return list(value.call.values())
    return []


def comes_from(value: Value | None, *names: str, deepest: int = 12) -> Call | None:
    """Return the nearest call of one of `names` whose result `value` was computed from."""
    wanted = _Names(names)
    for each in sources(value, deepest=deepest):
        if isinstance(each, Instance) and each.call is not None and wanted.has(each.call.name):
            return each.call
    return None


def reasons(value: Value | None) -> tuple[str, ...]:
    """Return why parts of `value` are unknown."""
    return tuple(dict.fromkeys(each.reason for each in sources(value) if isinstance(each, Unknown)))


def texts(value: Value | None, *, deepest: int = 12) -> tuple[str, ...]:
    """Return every text that `value` was computed from, such as the pieces of a path."""
    return tuple(
        dict.fromkeys(
            each.value
            for each in sources(value, deepest=deepest)
            if isinstance(each, Const) and isinstance(each.value, str)
        )
    )
