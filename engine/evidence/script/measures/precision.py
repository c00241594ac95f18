"""Whether the training computes in half precision where that is safe; says what is there, no more."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call
from ..script import Script
from ..settings import Setting
from ..training import Training, first_on, step_loops, training_of, within
from ..values import Const, constants
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold

NAME = "script.mixed_precision"
_FULL = {"32", "32-true", "64", "64-true", "fp32", "no", "False", "None", "0", "float32"}


def measure_precision(script: Script) -> Measured:
    """Return `script.mixed_precision`: whether the training loop computes in half precision."""
    training = training_of(script)
    if not training.found:
        return unknown(script, NAME, NO_TRAINING, TRAINING_FILE)
    on, _, open_ones = first_on(script, "mixed-precision")
    on = [each for each in on if not _full(each)]
    calls = [call for call in _in_training(script, training) if not _disabled(call)]
    calls += script.calls("mixed-precision-everywhere")
    if open_ones and all(call.guards for call in calls) and not on:
        return untold(script, NAME, open_ones[0])
    if on or calls:
        return there(
            script, NAME, True, *(script.of(call) for call in calls), *(of_setting(script, each) for each in on)
        )
    backward = [call for call in script.calls("backward") if within(call, step_loops(training))]
    return absent(script, NAME, False, "full precision", (*backward, *training.step_anchor))


def _full(setting: Setting) -> bool:
    return setting.options is not None and all(str(option) in _FULL for option in setting.options)


def _in_training(script: Script, training: Training) -> list[Call]:
    """Return what switches half precision on in the loop of the training, or is scaled there."""
    loops = step_loops(training)
    found = script.calls("mixed-precision")
    scalers = [call for call in found if "Scaler" in call.name or "initialize" in call.name]
    around = [call for call in found if call not in scalers and (within(call, loops) or call.hook or not loops)]
    held = {id(context.value) for step in (*training.steps, *script.calls("backward")) for context in step.contexts}
    used = [call for call in scalers if _scales(script, call)]
    return [*around, *used, *(call for call in found if id(call.result) in held)]


def _scales(script: Script, scaler: Call) -> bool:
    return any(call.main and call.attribute in ("scale", "step", "scale_loss") for call in script.trace
               if call.receiver is scaler.result) or "initialize" in scaler.name  # fmt: skip


def _disabled(call: Call) -> bool:
    enabled = call.argument("enabled", 1 if call.name == "torch.cuda.amp.autocast" else None)
    if enabled is None and call.name == "torch.cuda.amp.autocast" and call.arguments:
        enabled = call.arguments[0]
    known = constants(enabled) if isinstance(enabled, Const) else None
    return known is not None and not any(known)
