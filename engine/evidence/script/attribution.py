"""For which clips a call is made: those that are trained on, those that are held out, or both; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .calls import Call, Loop, sources
from .feeds import Feed, Use, dataset_of, feeds
from .places import Place
from .script import Script
from .values import Instance, Value

_MAKES_ITEMS = ("__getitem__", "__iter__", "__getitems__")
_CHANGES = ("map", "with_transform", "set_transform")
_DEEPEST = 14


@dataclass(frozen=True)
class _Marks:
    """By what a call is known to serve one feed."""

    use: Use
    made_of: frozenset[int]
    """Every value that the feed is made of."""
    changed: frozenset[Place]
    """Where a function is handed over that makes its items."""
    loop: Place


def uses_of(script: Script, call: Call) -> frozenset[Use]:
    """Return what the clips that a call sees are used for; nothing when reading does not tell."""
    return frozenset(each.use for each in _marks(script) if _serves(script, call, each))


def spared(script: Script, calls: Iterable[Call]) -> bool:
    """Return whether clips are held out that none of the calls sees."""
    known = list(calls)
    held = [each for each in _marks(script) if each.use == "held-out"]
    return any(not any(_serves(script, call, each) for call in known) for each in held)


def _marks(script: Script) -> list[_Marks]:
    if "marks_of_feeds" not in script.shelf:
        script.shelf["marks_of_feeds"] = [_marks_of(script, feed) for feed in feeds(script)]
    return list(script.shelf["marks_of_feeds"])


def _marks_of(script: Script, feed: Feed) -> _Marks:
    held = [*_behind(feed.value), *_behind(dataset_of(script, feed.value))]
    made = frozenset(id(each) for each in held)
    calls = [each.call for each in held if isinstance(each, Instance) and each.call is not None]
    changed = {call.place for call in calls if call.attribute in _CHANGES}
    changed |= {
        call.place for call in script.trace if call.main and call.attribute in _CHANGES and id(call.receiver) in made
    }
    return _Marks(feed.use, made, frozenset(changed), feed.place)


def _behind(value: Value) -> Iterator[Value]:
    return sources(value, deepest=_DEEPEST)


def _serves(script: Script, call: Call, marks: _Marks) -> bool:
    owner = _maker(script, call)
    if owner is not None:
        return id(owner) in marks.made_of
    if any(place in marks.changed for place in call.callers):
        return True
    over = [loop for loop in call.loops if _of_clips(script, loop)]
    if over:
        return over[-1].place == marks.loop
    return call.result is not None and id(call.result) in marks.made_of


def _of_clips(script: Script, loop: Loop) -> bool:
    return any(loop.place == each.loop for each in _marks(script))


def _maker(script: Script, call: Call) -> Value | None:
    """Return the data set in whose making of an item, or in whose own making, a call stands."""
    for depth in range(len(call.stack) - 1, -1, -1):
        name = call.stack[depth]
        if name.rpartition(".")[2] in (*_MAKES_ITEMS, "__init__"):
            entered = _entered(script, call, depth)
            if entered is not None and _is_data(entered.receiver):
                return entered.receiver
    return None


def _is_data(value: Value | None) -> bool:
    return isinstance(value, Instance) and value.cls is not None and any(map(value.cls.member, _MAKES_ITEMS))


def _entered(script: Script, call: Call, depth: int) -> Call | None:
    """Return the call that entered the function at one depth of another's stack."""
    calls, name = script.trace.calls, f":{call.stack[depth]}"
    for order in range(call.order - 1, -1, -1):
        each = calls[order]
        if len(each.stack) == depth and each.name.endswith(name) and each.place == call.callers[depth]:
            return each
    return None
