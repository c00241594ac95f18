"""Whether gradients are clipped before each step of the optimizer; says what is there, not what it is worth."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call
from ..script import Script
from ..settings import OFF, profiles_of
from ..training import first_on, training_of
from ..values import constants
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold

NAME = "script.gradient_clipping"


def measure_clipping(script: Script) -> Measured:
    """Return `script.gradient_clipping`: whether a norm or a value limits the gradients."""
    training = training_of(script)
    clips = [call for call in script.calls("gradient-clipping") if not _without_effect(call)]
    on, _, open_ones = first_on(script, "gradient-clip-norm")
    if clips or on:
        found = [script.of(call) for call in clips] + [of_setting(script, each) for each in on]
        return there(script, NAME, True, *found)
    if open_ones:
        return untold(script, NAME, open_ones[0])
    by_default = [call for _, call in profiles_of(script, "clips-by-setting")]
    if by_default and not training.arguments:
        return there(script, NAME, True, *(script.of(call, via="default") for call in by_default))
    if not training.found:
        return unknown(script, NAME, NO_TRAINING, TRAINING_FILE)
    return absent(script, NAME, False, "a step without a limit on its gradients", training.step_anchor)


def _without_effect(call: Call) -> bool:
    """Return whether the limit is switched off: none, or infinite, as to measure the norm alone."""
    limit = next((value for name, value in call.keywords.items() if "max" in name or "clip" in name), None)
    if limit is None and len(call.arguments) > 1:
        limit = call.arguments[1]
    known = constants(limit) if limit is not None else None
    return known is not None and all(value in OFF or value == float("inf") for value in known)
