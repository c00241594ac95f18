"""Every value that occurs in a trace, each once, and what is made of each; looks, and judges nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .calls import Call, sources
from .values import Derived, Instance, Items, Member, Value


@dataclass(slots=True)
class Uses:
    """For each value what it became part of."""

    values: dict[int, Value] = field(default_factory=dict)
    made_of: dict[int, list[Value]] = field(default_factory=lambda: defaultdict(list))
    handed_to: dict[int, list[Call]] = field(default_factory=lambda: defaultdict(list))

    def of(self, value: Value) -> list[Value]:
        """Return the values that `value` is a direct part of."""
        return self.made_of.get(id(value), [])

    def calls(self, value: Value) -> list[Call]:
        """Return the calls that get `value` as argument or in an argument, or as their object."""
        return self.handed_to.get(id(value), [])

    def __iter__(self) -> Iterator[Value]:
        return iter(self.values.values())


def uses_in(calls: Iterable[Call]) -> Uses:
    """Return what the calls are handed, and what that was made of."""
    found = Uses()
    for call in calls:
        for value in call.values():
            for each in sources(value, deepest=2):
                found.handed_to[id(each)].append(call)
            for each in sources(value, deepest=8):
                if id(each) in found.values:
                    continue
                found.values[id(each)] = each
                for part in _direct(each):
                    found.made_of[id(part)].append(each)
    return found


def _direct(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Derived):
        return value.parts
    if isinstance(value, Items):
        return tuple(value.items)
    if isinstance(value, Member):
        return (value.owner,)
    if isinstance(value, Instance) and value.call is not None:
        return value.call.values()
    return ()
