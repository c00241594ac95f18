"""Follows a value back through what does not change its meaning, such as reshaping; to the layer that made it."""

from __future__ import annotations

from collections.abc import Iterator

from .values import Choice, Const, Derived, Instance, Items, Member, Value

SHAPING = frozenset({
    "squeeze", "unsqueeze", "view", "reshape", "flatten", "float", "double", "half", "to", "contiguous", "transpose",
    "permute", "cpu", "cuda", "type", "clone", "expand", "expand_as", "view_as", "numpy", "Squeeze", "detach",
})  # fmt: skip
"""Methods that change the shape or the type of a tensor, not its values."""
_NEUTRAL = frozenset({"dropout", "Dropout", "DropPath", "Identity", "Flatten"})


def producers(value: Value | None, deepest: int = 10, *, scaled: bool = False) -> Iterator[Instance]:
    """Yield the results of calls that a value may be, reshaping and picking undone; the layer itself, not its input.

    With `scaled`, adding a known number and multiplying with one is undone as well, as in `1 + 4 * sigmoid(x)`.
    """
    level = [value] if value is not None else []
    seen: set[int] = set()
    for _ in range(deepest):
        following: list[Value] = []
        for each in level:
            if id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, Choice):
                following += each.options
            elif isinstance(each, (Derived, Member, Items)):
                following += _through(each) or (_unscaled(each) if scaled else [])
            elif isinstance(each, Instance):
                inner = _behind(each)
                if inner is None:
                    yield each
                else:
                    following.append(inner)
        level = following


def _through(value: Derived | Member | Items) -> list[Value]:
    if isinstance(value, Derived):
        picks = value.operation.startswith(("[", "."))
        return list(value.parts[:1]) if picks else []
    return [value.owner] if isinstance(value, Member) else []


def _unscaled(value: Derived | Member | Items) -> list[Value]:
    """Return the one part of some arithmetic that is no known number, or nothing where several are not."""
    if not isinstance(value, Derived) or value.operation not in _SCALES:
        return []
    open_parts: list[Value] = [part for part in value.parts if not isinstance(part, Const)]
    return open_parts if len(open_parts) == 1 else []


_SCALES = ("Add", "Sub", "Mult", "Div")


def _behind(value: Instance) -> Value | None:
    """Return what a reshaping call was made on, or None when the call makes something new."""
    call = value.call
    if call is None:
        return None
    if call.attribute in SHAPING:
        return call.receiver if call.receiver is not None else next(iter(call.arguments), None)
    if call.attribute == "__call__" and isinstance(call.receiver, Instance):
        kind = call.receiver.type.rpartition(".")[2]
        if kind in _NEUTRAL and call.arguments:
            return call.arguments[0]
        if kind == "Sequential":
            return last_layer(call.receiver)
        head = _own_head(call.receiver)
        if head is not None:
            return head
    if call.name in ("torch.squeeze", "torch.flatten", "torch.nn.functional.dropout", "torch.reshape"):
        return next(iter(call.arguments), None)
    return None


_HEADS = ("fc", "classifier", "head", "heads", "last_linear")
"""Where networks of torchvision and timm hold their last layer."""


def _own_head(network: Instance) -> Value | None:
    """Return the layer that a script put in place of a packaged network's last one."""
    if network.cls is not None or not network.type.startswith(("torchvision.models.", "timm.")):
        return None
    made = next((network.attributes[name] for name in _HEADS if name in network.attributes), None)
    return last_layer(made) if isinstance(made, Instance) and made.type.endswith(".Sequential") else made


def last_layer(chain: Instance) -> Value | None:
    """Return the last layer of a chain, as if it had been called."""
    if chain.call is None:
        return None
    layers = [part for value in chain.call.arguments for part in (value.items if isinstance(value, Items) else [value])]
    kept = [part for part in layers if not (isinstance(part, Instance) and part.type.rpartition(".")[2] in _NEUTRAL)]
    return kept[-1] if kept else None


def kind(made: Instance) -> str:
    """Return what made a value, without whether it is the layer or its result: `torch.nn.Linear`, `torch.softmax`."""
    return made.type.removesuffix(".__call__")
