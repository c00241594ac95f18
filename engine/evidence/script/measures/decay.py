"""What each optimizer is told: weight decay, and learning rates of its groups; says what is there, no more."""

from __future__ import annotations

import re

from knowledge.records import Measured

from ..calls import Call, sources
from ..functions import nearby
from ..script import Script
from ..settings import OFF, Setting
from ..training import first_on, training_of
from ..values import Member, Table, Value, constant, constants
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold

_NO_NETWORK = re.compile(
    r"(Processor|Tokenizer|TokenizerFast|FeatureExtractor|Config|Pipeline|CTCTokenizer)\.from_pretrained|^datasets"
)
_COMPLETE = re.compile(r"ForCTC|ForConditionalGeneration|Seq2Seq|Whisper(?!Model|ForAudio)")
"""Networks whose head was trained with them, or belongs to the vocabulary."""


def measure_decay(script: Script) -> Measured:
    """Return `script.weight_decay`: whether weights are kept small."""
    name = "script.weight_decay"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    grouped = [call for call in training.optimizers if _grouped(call, "weight_decay")]
    found_so = first_on(script, "weight-decay")
    own = {id(each) for each in _own_first([each for part in found_so for each in part])}
    on, off, open_ones = ([each for each in part if id(each) in own] for part in found_so)
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
    tables = [each for each in sources(first, deepest=5) if isinstance(each, Table) and "params" in each.items]
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
    files = {call.place.path for call in training.optimizers}
    several = any(len(_rates([call for call in training.optimizers if call.place.path == path])) > 1 for path in files)
    if apart or several:
        return there(script, name, "several", *(script.of(call) for call in (apart or training.optimizers)))
    backbones = trained_backbones(script)
    if not backbones:
        return there(script, name, "nothing-to-tell-apart", *(script.of(call) for call in training.optimizer_anchor))
    return absent(script, name, "one", "one learning rate for everything", training.optimizer_anchor)


def _rates(optimizers: list[Call]) -> set[object]:
    """Return the different rates of optimizers that are made one beside the other, not one instead of the other."""
    beside = [call for call in optimizers if not call.guards]
    rates = [constants(value) for call in beside if (value := call.argument("lr", 1)) is not None]
    return {known[0] for known in rates if known and len(known) == 1}


def trained_backbones(script: Script) -> list[Call]:
    """Return the pretrained networks that the training changes together with a head that is new."""
    held = [call for call in nearby(script, "pretrained-network") if _is_asked(call)]
    if script.calls("adapters") or any(_COMPLETE.search(call.name) for call in held):
        return []
    frozen = [call for call in nearby(script, "frozen") if _freezes(script, call)]
    return [] if frozen or _without_gradient(script, held) else held


def _is_asked(call: Call) -> bool:
    """Return whether a call loads weights, not settings, text or features."""
    if _NO_NETWORK.search(call.name):
        return False
    asked = call.argument("pretrained") or call.argument("weights")
    return not call.name.startswith(("timm.", "torchvision.")) or (
        asked is not None and constant(asked, True) not in OFF
    )


def _freezes(script: Script, call: Call) -> bool:
    """Return whether a call freezes more than the convolutions at the entrance."""
    if call.name.startswith("=.") or call.attribute == "requires_grad_":
        value = call.arguments[0] if call.arguments else None
        if constant(value, ...) is not False:
            return False
    words = " ".join(each.name for each in sources(call.receiver) if isinstance(each, Member)).lower()
    return not script.says("entrance-of-a-network", words + call.name)


def _without_gradient(script: Script, held: list[Call]) -> bool:
    """Return whether pretrained networks are always called without gradients."""
    results = {id(call.result) for call in held}
    uses = [call for call in script.trace if call.attribute == "__call__" and id(call.receiver) in results]
    quiet = [call for call in uses if any(script.says("without-gradients", each.name) for each in call.contexts)]
    return bool(uses) and len(quiet) == len(uses)
