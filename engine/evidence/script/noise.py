"""Finds arithmetic that changes clips at random, such as `wave + 0.001 * torch.randn_like(wave)`; judges nothing."""

from __future__ import annotations

from collections.abc import Iterator

from .calls import Call, _Names, sources
from .script import Script
from .values import Choice, Const, Derived, Instance, Items, Member, Table, Value

_ARITHMETIC = frozenset({"Add", "Sub", "Mult", "Div", "+="})
_DEEPEST = 12
_WEIGHTS = (".Parameter", "init.normal_")
"""What is drawn once to begin with, and learned from there."""


def noises(script: Script) -> list[Call]:
    """Return the calls whose random numbers are added to, or multiplied with, what a project's own function returns.

    What a network adds to its own features, such as the sampling of a variational one, is left out.
    """
    random = _Names(script.symbols["random-values"])
    if not any(random.has(call.name) for call in script.trace if call.main):
        return []
    found: dict[int, Call] = {}
    for value in _changed(script):
        for call in _behind(value, random):
            if not _in_network(script, call.stack):
                found.setdefault(call.order, call)
    return [found[order] for order in sorted(found)]


def _in_network(script: Script, stack: tuple[str, ...]) -> bool:
    """Return whether a network is at work; an object that is called may as well prepare clips."""
    networks = set(script.reading.callable_methods) - {"__call__"}
    return any(name.rpartition(".")[2].rpartition(":")[2] in networks for name in stack)


def _changed(script: Script) -> Iterator[Value]:
    """Yield what functions return that prepare clips, and what networks are given in loops."""
    for call in script.trace:
        own = not _in_network(script, (*call.stack, call.name))
        if call.main and own and ":" in call.name and call.result is not None:
            yield call.result
        elif call.main and own and call.name == "=[]":
            yield from call.arguments
        elif call.main and call.loops and call.attribute == "__call__" and isinstance(call.receiver, Instance):
            yield from call.arguments[:1]


def _behind(value: Value, random: _Names) -> Iterator[Call]:
    """Yield the random calls in arithmetic on the way back from a value; the bounds of a cut are not on it."""
    level, seen = [value], set[int]()
    for _ in range(_DEEPEST):
        following: list[Value] = []
        for each in level:
            if id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, Derived) and each.operation in _ARITHMETIC:
                yield from _drawn(each, random)
            following += _before(each)
        level = following


def _before(value: Value) -> list[Value]:
    if isinstance(value, Derived):
        return list(value.parts[:1] if value.operation.startswith("[") else value.parts)
    if isinstance(value, Choice):
        return list(value.options)
    if isinstance(value, Items):
        return value.items[:8]
    if isinstance(value, Table):
        return list(value.items.values())[:8]
    if isinstance(value, Member):
        return [value.owner]
    if isinstance(value, Instance) and value.call is not None:
        if value.type.endswith(_WEIGHTS):
            return []
        return [each for each in (value.call.receiver, *value.call.arguments[:1]) if each is not None]
    return []


def _drawn(value: Derived, random: _Names) -> Iterator[Call]:
    """Yield the random calls of one side, where the other is something that was there."""
    for part, others in ((part, [each for each in value.parts if each is not part]) for part in value.parts):
        if all(isinstance(other, Const) for other in others):
            continue
        drawn = list(sources(part, deepest=4))
        if any(isinstance(each, Instance) and each.type.endswith(_WEIGHTS) for each in drawn):
            continue
        for each in drawn:
            if isinstance(each, Instance) and each.call is not None and random.has(each.call.name):
                yield each.call
