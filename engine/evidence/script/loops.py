"""Loops around the steps of a training: which one counts epochs, and how many rounds it makes; no judgement."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Loop, sources
from .functions import text_around
from .places import Place
from .script import Script
from .training import Training, step_loops
from .values import Const, Derived, Instance, Items, Value, constants


@dataclass(frozen=True)
class Rounds:
    """The loop that counts epochs, or that none does."""

    loop: Loop | None
    count: tuple[float, ...] = ()
    """How many rounds it may make; nothing when no file says."""
    budget: bool = False
    """Whether the training counts steps instead."""
    why: Value | None = None
    """Of an unknown count: the value that is not known."""
    places: tuple[Place, ...] = ()
    """Where the count is said."""


def rounds_of(script: Script, training: Training) -> Rounds:
    """Return the loop over epochs of a training in the script's own code."""
    loops = step_loops(training)
    named = [loop for loop in loops if script.says("counts-epochs", _head(script, loop))]
    if named:
        chosen = named[0] if len(named) == 1 or _counts(named[0]) else named[-1]
        return rounds_in(chosen)
    if not loops:
        return Rounds(None)
    stepped = [
        loop
        for loop in loops
        if (_counts(loop) or loop.condition is not None) and script.says("counts-steps", _head(script, loop))
    ]
    if stepped or len(loops) == 1:
        return Rounds(loops[0], budget=True)
    return rounds_in(loops[-2]) if _counts(loops[-2]) else Rounds(loops[0], budget=True)


def _head(script: Script, loop: Loop) -> str:
    return text_around(script, loop.place)


def _counts(loop: Loop) -> bool:
    return loop.over is not None and _range(loop.over) is not None


def _range(over: Value) -> Instance | None:
    """Return the call of `range` (or the like) that a loop runs over, also through a progress bar."""
    for each in sources(over, deepest=3):
        if (
            isinstance(each, Instance)
            and each.call is not None
            and each.type.rpartition(".")[2] in ("range", "trange", "arange", "count")
        ):
            return each
    return None


def around_one_epoch(script: Script, loops: tuple[Loop, ...]) -> Rounds | None:
    """Return the rounds of a loop over epochs in which a framework trains one epoch at a time; folds are no epochs."""
    named = [loop for loop in loops if _counts(loop) and script.says("counts-epochs", _head(script, loop))]
    return rounds_in(named[-1]) if named else None


def rounds_in(loop: Loop) -> Rounds:
    """Return how many rounds a loop makes."""
    if loop.condition is not None:
        return _of_while(loop)
    if isinstance(loop.over, Items) and not loop.over.open:
        return Rounds(loop, (float(len(loop.over.items)),))
    counted = _range(loop.over) if loop.over is not None else None
    if counted is None or counted.call is None or not counted.call.arguments:
        return Rounds(loop, why=loop.over)
    bounds = counted.call.arguments
    start, stop = (bounds[0], bounds[1]) if len(bounds) > 1 else (None, bounds[0])
    firsts = _numbers(start) if start is not None else (0.0,)
    lasts = _numbers(stop)
    if lasts is None:
        return Rounds(loop, why=stop)
    low = min(firsts) if firsts else 0.0  # where a resumed run begins is no matter of the budget
    places = [each.place for each in sources(stop, deepest=3) if isinstance(each, Const) and each.place is not None]
    return Rounds(loop, tuple(last - low for last in lasts), places=tuple(places[:4]))


def _of_while(loop: Loop) -> Rounds:
    assert loop.condition is not None
    if isinstance(loop.condition, Derived) and loop.condition.operation.startswith("compare"):
        numbers = [_numbers(part) for part in loop.condition.parts]
        known = [found for found in numbers if found]
        starts = [
            constants(part.parts[0])
            for part in loop.condition.parts
            if isinstance(part, Derived) and part.operation == "loop"
        ]
        first = max((min(found) for found in starts if found), default=0)
        if known:
            return Rounds(loop, (max(max(found) for found in known) - first,))
    return Rounds(loop, budget=not isinstance(loop.condition, Derived), why=loop.condition)


def _numbers(value: Value) -> tuple[float, ...] | None:
    known = constants(value)
    if known is None and isinstance(value, Derived) and value.operation in ("Add", "Sub"):
        return _shifted(value)
    if not known or not all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in known):
        return None
    return tuple(float(each) for each in known)


def _shifted(value: Derived) -> tuple[float, ...] | None:
    """Return what `start + epochs` comes to where the start is not known; one more than unknown stays unknown."""
    known = [found for part in value.parts if (found := _numbers(part)) is not None]
    return known[0] if len(known) == 1 and min(known[0]) > 1 else None
