"""Whether a mean or maximum leaves the moments of a clip apart, so that it is no pooling over time; decides no more."""

from __future__ import annotations

from ..calls import Call
from ..expressions import BETWEEN
from ..values import Derived, Instance, Items, Value, constant


def keeps_moments(call: Call, value: Value | None) -> bool:
    """Return whether a mean or maximum is over something else than the moments of a clip.

    `x.unflatten(1, (-1, bands)).mean(2)` is over the bands of each moment, and `x[:, :2].mean(1)` over two tokens.
    """
    first = call.arguments[0] if call.arguments else None
    along = constant(call.argument("dim") or call.argument("axis") or first)
    if not isinstance(along, int):
        return False
    if isinstance(value, Instance) and value.call is not None and value.call.attribute == "unflatten":
        divided = constant(value.call.argument("dim", 0))
        return isinstance(divided, int) and along > divided >= 0
    return _takes_a_few(value, along)


def _takes_a_few(value: Value | None, axis: int) -> bool:
    """Return whether of this axis a stretch is taken whose both ends are numbers, or one end from the start."""
    if not isinstance(value, Derived) or value.operation != "[]" or len(value.parts) < 2:
        return False
    key = value.parts[1]
    if not isinstance(key, Items) or not 0 <= axis < len(key.items):
        return False
    taken = key.items[axis]
    if not isinstance(taken, Derived) or taken.operation != BETWEEN:
        return False
    low, high = (constant(bound) for bound in taken.parts)
    return isinstance(high, int) and high > (low if isinstance(low, int) else 0) >= 0
