"""What each optimizer is told: weight decay, and learning rates of its groups; says what is there, no more."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import Call, sources
from ..script import Script
from ..settings import Setting
from ..training import first_on, training_of
from ..values import Table, Value, constants
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold


def measure_decay(script: Script) -> Measured:
    """Return `script.weight_decay`: whether weights are kept small."""
    name = "script.weight_decay"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    grouped = [call for call in training.optimizers if _grouped(call, "weight_decay")]
    on, off, open_ones = (_own_first(each) for each in first_on(script, "weight-decay"))
    off = [each for each in off if each.call not in grouped]
    penalties = script.calls("weight-penalty")
    if penalties or grouped or (on and not off):
        found = [script.of(call) for call in (*grouped, *penalties)] + [of_setting(script, each) for each in on]
        return there(script, name, True, *found)
    if open_ones or (on and off):
        return untold(script, name, (*open_ones, *on)[0])
    anchors = [each.call for each in off] or training.optimizer_anchor
    return absent(script, name, False, "no weight decay", anchors)


def _own_first(found: list[Setting]) -> list[Setting]:
    """Return the settings of optimizers that the script makes; those of a Trainer only when it makes none."""
    own = [each for each in found if each.profile.does & {"optimizes", "optimizes-keras"}]
    return own or found


def _grouped(call: Call, key: str) -> list[Value]:
    """Return what the groups of parameters of an optimizer say under `key`, when it is not nothing."""
    first = call.argument("params", 0)
    tables = [each for each in sources(first, deepest=5) if isinstance(each, Table)]
    values = [each.items[key] for each in tables if key in each.items]
    return [value for value in values if constants(value) is None or any(constants(value) or ())]


def measure_rates(script: Script) -> Measured:
    """Return `script.learning_rates`: whether parts of the network learn at rates of their own."""
    name = "script.learning_rates"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    apart = [call for call in training.optimizers if _grouped(call, "lr")]
    apart += script.trace.named("*.add_param_group", "*.get_layer_params_groups", main=True)
    several = _rates(training.optimizers)
    if apart or len(several) > 1:
        return there(script, name, "several", *(script.of(call) for call in (apart or training.optimizers)))
    return absent(script, name, "one", "one learning rate for everything", training.optimizer_anchor)


def _rates(optimizers: tuple[Call, ...]) -> set[object]:
    """Return the different rates of optimizers that are made one beside the other, not one instead of the other."""
    beside = [call for call in optimizers if not call.guards]
    rates = [constants(value) for call in beside if (value := call.argument("lr", 1)) is not None]
    return {rate for known in rates if known for rate in known}
