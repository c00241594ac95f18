"""Settings of the training loop that copied listings get wrong: scaler, half weights, coupled decay, clipping norm.

A fact is there only when what it is about is; what it means is not said here.
"""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call
from ..script import Script
from ..settings import settings
from ..training import training_of
from ..values import Instance, constant, truth
from .answers import there


def measure_traps(script: Script) -> Measured:
    """Return `script.clip_norm`, `script.loss_scaler`, `script.half_weights` and `script.coupled_decay`."""
    return _norm(script) + _scaler(script) + _half(script) + _coupled(script)


def _norm(script: Script) -> Measured:
    """Return the norm at which gradients are cut, where every call that cuts them says the same."""
    found = {}
    for call in script.trace.named("torch.nn.utils.clip_grad_norm_", "*.clip_grad_norm_"):
        found[call] = constant(call.argument("max_norm", 1))
    for setting in settings(script, "gradient-clip-norm"):
        if setting.given:
            found[setting.call] = constant(setting.value)
    values = set(found.values())
    value = values.pop() if len(values) == 1 else None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
        return Measured()
    return there(script, "script.clip_norm", float(value), *(script.of(call) for call in found))


def _scaler(script: Script) -> Measured:
    """Return whether a loop that computes in half precision on a GPU multiplies its loss; bfloat16 needs no scaler."""
    steps = [call for call in training_of(script).steps if not call.hook]
    casts = [call for call in script.calls("autocast") if _is_half(call)]
    if not steps or not casts or script.calls("wraps-precision"):
        return Measured()
    scaled = script.calls("loss-scaling")
    return there(script, "script.loss_scaler", bool(scaled), *(script.of(call) for call in scaled or casts))


def _is_half(call: Call) -> bool:
    """Return whether an autocast is in float16: it is on a GPU unless another type is named, and it is switched on."""
    enabled, kind = call.argument("enabled"), call.argument("dtype")
    if enabled is not None and truth(enabled) is not True:
        return False
    device = constant(call.argument("device_type", 0)) if call.name != "torch.cuda.amp.autocast" else "cuda"
    named = getattr(kind, "name", "")
    return device == "cuda" and (kind is None or named in ("torch.float16", "torch.half"))


def _half(script: Script) -> Measured:
    """Return whether the weights themselves are half precision when an optimizer of torch steps them."""
    steps = training_of(script).steps
    halves = [call for call in script.trace.named("torch.nn.Module.half", "transformers.*.half")
              if any(call.order < step.order for step in steps) and _is_network(call)]  # fmt: skip
    if not halves or script.calls("wraps-precision"):
        return Measured()
    return there(script, "script.half_weights", True, *(script.of(call) for call in halves))


def _is_network(call: Call) -> bool:
    return isinstance(call.receiver, Instance)


def _coupled(script: Script) -> Measured:
    """Return whether Adam is given a weight decay, which it mixes into the gradient."""
    held = script.trace.named("torch.optim.Adam")
    decays = {call: constant(call.argument("weight_decay", 4)) for call in held}
    coupled = [call for call, value in decays.items() if isinstance(value, (int, float)) and value > 0]
    if not coupled:
        return Measured()
    return there(script, "script.coupled_decay", True, *(script.of(call) for call in coupled))
