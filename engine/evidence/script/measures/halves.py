"""Which half precision a training computes in, and what its framework keeps from the log; no judgement."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.records import Evidence, Measured

from ..calls import Call
from ..script import Script
from ..settings import settings
from ..training import training_of
from ..values import External, constant
from .answers import there
from .traps import _is_half

_FLOAT16 = ("16", 16, "16-mixed", "fp16", "float16", "16-true")
"""What frameworks call float16 where they take a text or a number."""


def measure_halves(script: Script) -> Measured:
    """Return `script.half_type` and `script.nan_filter`, each only where reading tells it."""
    return _kind(script) + _filter(script)


def _kind(script: Script) -> Measured:
    """Return float16 where it is asked for and no other place asks whether the card has bfloat16."""
    shown = list(dict.fromkeys(_float16(script)))
    if not shown or not training_of(script).found or script.calls("asks-for-bfloat16", main=None):
        return Measured()
    return there(script, "script.half_type", "float16", *shown)


def _float16(script: Script) -> Iterator[Evidence]:
    for setting in settings(script, "mixed-precision"):
        by_name = setting.given and constant(setting.value) in _FLOAT16 and "Arguments" not in setting.call.name
        if by_name or constant(setting.call.keywords.get("fp16")) is True:
            yield script.of(setting.call)
    for call in script.calls("autocast"):
        if call.guards:  # a switch that reading does not decide
            continue
        if _named_float16(call) or (call.argument("dtype") is None and _is_half(call)):
            yield script.of(call)


def _named_float16(call: Call) -> bool:
    kind = call.argument("dtype")
    return isinstance(kind, External) and kind.name in ("torch.float16", "torch.half") and _is_half(call)


def _filter(script: Script) -> Measured:
    """Return whether a loop keeps losses that are no number out of its log."""
    held = [each for each in settings(script, "nan-filter") if each.on is not None]
    if not held:
        return Measured()
    return there(script, "script.nan_filter", any(each.on for each in held), *(script.of(each.call) for each in held))
