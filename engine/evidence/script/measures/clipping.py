"""Whether gradients are clipped before each step of the optimizer; says what is there, not what it is worth."""

from __future__ import annotations

from knowledge.records import Measured

from ..script import Script


def measure_clipping(script: Script) -> Measured:
    """Return `script.gradient_clipping`: whether a norm or a value limits the gradients."""
    steps = script.calls("optimizer-step")
    clips = script.calls("gradient-clipping")
    if clips:
        return Measured((script.fact("script.gradient_clipping", True, *(script.of(call) for call in clips)),))
    if steps and not script.cut:
        found = (script.of(call, "a step without a limit on its gradients") for call in steps)
        return Measured((script.fact("script.gradient_clipping", False, *found),))
    why = script.cut[0] if script.cut else "no step of an optimizer was found in what the launch reaches"
    return Measured((), (script.unknown("script.gradient_clipping", why, "the file that runs the training loop"),))
