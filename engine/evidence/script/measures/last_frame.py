"""Where a recurrent layer's last frame or final state stands for all frames; says where, not whether that is good."""

from __future__ import annotations

from collections.abc import Iterator

from ..calls import Call, _Names, sources
from ..script import Script
from ..values import Const, Derived, Instance, Items, Value, constant, options_of, truth
from ..values_used import Uses

_STATE = "[1]"
"""A recurrent layer of torch returns its frames and its final state."""


def last_frames(script: Script, uses: Uses) -> Iterator[tuple[Call, Value]]:
    """Yield where the last frame is handed on, and what it is; of Keras, where the layer itself gives only that."""
    recurrent = _Names(script.symbols["recurrent-layer"])
    for value in uses:
        if isinstance(value, Derived) and any(_gives(part, recurrent) for part in value.parts[:1]):
            if value.operation == _STATE and (taken := _handed_on(value, uses)):
                yield taken, value
            elif _takes_last(value) and (calls := uses.calls(value)):
                yield calls[0], value
    yield from ((call, call.result) for call in _single(script) if call.result is not None)


def _gives(value: Value, recurrent: _Names) -> bool:
    """Return whether a value is what a recurrent layer returns, or the frames of that."""
    if isinstance(value, Derived) and value.operation == "[0]" and value.parts:
        value = value.parts[0]
    return any(
        isinstance(option, Instance) and option.call is not None and recurrent.has(option.call.name)
        for option in options_of(value)
    )


def _handed_on(state: Derived, uses: Uses) -> Call | None:
    """Return the call that gets the final state, or a part of it; a network that throws it away has none."""
    level: list[Value] = [state]
    for _ in range(4):
        for value in level:
            calls = [call for call in uses.calls(value) if not _only_receives(call, value)]
            if calls:
                return calls[0]
        level = [user for value in level for user in uses.of(value)]
    return None


def _only_receives(call: Call, value: Value) -> bool:
    """Return whether a call takes a state beside what it works on: a layer that goes on, an attention that asks."""
    first = [*call.arguments[:1], *([call.receiver] if call.receiver is not None else [])]
    return not any(each is value for one in first for each in sources(one, deepest=3))


def _takes_last(value: Derived) -> bool:
    """Return whether `frames[-1]`, or `frames[rows, lengths - 1]`, takes one frame of each clip."""
    if value.operation != "[]" or len(value.parts) < 2:
        return False
    key = value.parts[1]
    if isinstance(key, Items) and len(key.items) > 1:
        return isinstance(key.items[1], Derived) and key.items[1].operation == "Sub"
    return isinstance(key, Const) and constant(key) == -1 and isinstance(value.parts[0], Derived)


def _single(script: Script) -> list[Call]:
    """Return where a recurrent layer of Keras gives its last frame alone: it does so unless it is told otherwise."""
    made = _Names(script.symbols["recurrent-keras-layer"])
    found = []
    for call in script.calls("recurrent-keras-layer-called"):
        layer = call.receiver.call if isinstance(call.receiver, Instance) else None
        if layer is not None and layer.arguments and isinstance(layer.arguments[0], Instance):
            layer = layer.arguments[0].call if layer.arguments[0].call is not None else layer  # Bidirectional(LSTM(8))
        if layer is not None and made.has(layer.name) and layer.complete:
            asked = layer.argument("return_sequences")
            if asked is None or truth(asked) is False:
                found.append(call)
    return found
