"""Finds a loss that compares a column with a row: (B, 1) predictions against (B) labels, which broadcast to (B, B)."""

from __future__ import annotations

from .calls import Call
from .flow import last_layer
from .script import Script
from .values import Choice, Const, Derived, Instance, Items, Value, constant

_DEEPEST = 8
_TENSORS = ("torch.tensor", "torch.as_tensor", "torch.Tensor", "torch.FloatTensor")
_KEEPING = frozenset(
    {"float", "double", "half", "to", "cuda", "cpu", "type", "clone", "detach", "contiguous", "astype"}
)
"""Methods that leave the shape alone."""


def column_against_row(script: Script, loss: Call) -> bool:
    """Return whether a loss surely gets one column of predictions and labels without a second axis."""
    prediction = loss.argument("input", 0)
    labels = loss.argument("target", 1)
    return _is_column(script, prediction) and _is_scalar_each(labels)


def _is_column(script: Script, value: Value | None) -> bool:
    """Return whether a value comes straight out of a layer with one output, with nothing that reshapes after it."""
    for _ in range(_DEEPEST):
        if not isinstance(value, Instance) or value.call is None:
            return False
        call = value.call
        if call.attribute in _KEEPING:
            value = call.receiver
        elif call.name in script.symbols["bounding"] and call.arguments:
            value = call.arguments[0]
        elif call.attribute == "__call__" and isinstance(call.receiver, Instance):
            layer = last_layer(call.receiver) if call.receiver.type.endswith(".Sequential") else call.receiver
            if not isinstance(layer, Instance):
                return False
            if layer.type in ("torch.nn.Linear", "torch.nn.LazyLinear") and layer.call is not None:
                return bool(constant(layer.call.argument("out_features", 0 if "Lazy" in layer.type else 1)) == 1)
            if layer.type not in script.symbols["bounding"] or not call.arguments or layer is not call.receiver:
                return False
            value = call.arguments[0]
        else:
            return False
    return False


def _is_scalar_each(value: Value | None) -> bool:
    """Return whether each clip's label is one number, so that a batch of them has one axis."""
    for _ in range(_DEEPEST):
        if isinstance(value, Const):
            return isinstance(value.value, (int, float))
        if isinstance(value, Derived):
            return value.operation in ("float", "int")
        if isinstance(value, Choice):
            return all(_is_scalar_each(each) for each in value.options)
        if not isinstance(value, Instance) or value.call is None or isinstance(value, Items):
            return False
        call = value.call
        if call.attribute in _KEEPING and call.receiver is not None:
            value = call.receiver
        elif call.name in _TENSORS and call.arguments:
            value = call.arguments[0]
        else:
            return False
    return False
