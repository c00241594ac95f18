"""Whether training clips are changed at random, and whether that spares the others; says what is there, no more."""

from __future__ import annotations

import re

from knowledge.records import Measured

from ..calls import Call, sources
from ..feeds import feeds
from ..items import items_made
from ..noise import noises
from ..script import Script
from ..values import Const, constants, truth

NAME, WHERE = "script.augmentation", "script.augmentation_reach"
_MASKS = ("mask_time_prob", "mask_feature_prob", "apply_spec_augment")
_TRAINS = re.compile(r"train|augment|\baug|mode|phase|split|subset|stage|is_test|eval|random|prob", re.I)
_UNTRAINED = re.compile(r"no_?grad|inference_mode")


def measure_augmenting(script: Script) -> Measured:
    """Return `script.augmentation` and `script.augmentation_reach`."""
    calls = _calls(script)
    if calls:
        fact = script.fact(NAME, "there", *(script.of(call) for call in calls))
        return Measured((fact,)) + _reach(script, calls)
    masks = [call for call in script.trace if call.main and _masks(call) is True]
    if masks:
        fact = script.fact(NAME, "in-the-network", *(script.of(call) for call in masks))
        return Measured((fact, script.fact(WHERE, "nothing-to-reach")))
    train = [feed for feed in feeds(script) if feed.use == "train"]
    if not train or script.cut:
        why = script.cut[0] if script.cut else "what the training reads was not found"
        return Measured((), (script.unknown(NAME, why, "the file that runs the training loop"),))
    named, aside = script.calls("makes-by-name"), script.calls("augmentation", main=False)
    if named and aside:
        why = f"the augmentation at {aside[0].place} may be made by name at {named[0].place}"
        return Measured((), (script.unknown(NAME, why, "the configuration of the launch"),))
    network = _checkpoint_decides(script)
    if network is not None:
        why = f"the configuration of the checkpoint of {network.name} ({network.place}) may mask features"
        return Measured((), (script.unknown(NAME, why, "the checkpoint's configuration"),))
    places = [place for feed in train for place in items_made(script, feed.value)]
    places += [script.evidence(feed.place, "trained on clips as they are") for feed in train]
    return Measured((script.fact(NAME, "none", *places), script.fact(WHERE, "nothing-to-reach")))


def _calls(script: Script) -> list[Call]:
    """Return what changes clips at random in what the launch reaches."""
    found = [call for call in script.calls("augmentation") if "__init__" not in call.name]
    words = script.symbols["augmentation-words"]
    for call in script.trace:
        if not call.main or (":" not in call.name and "." in call.name) or call.name in ("?", "assert"):
            continue
        name = call.name.rpartition(":")[2].lower()
        if any(word in name for word in words) and not _is_off(call):
            found.append(call)
    return found or noises(script)


def _is_off(call: Call) -> bool:
    """Return whether the object that is called was made with nothing to do, such as `Augment(None)`."""
    given = (*call.arguments, *call.keywords.values())
    return bool(given) and all(isinstance(value, Const) and value.value in (None, False, 0) for value in given)


def _masks(call: Call) -> bool | None:
    """Return whether a call turns on the masking of features inside the network."""
    for name in _MASKS:
        value = call.keywords.get(name)
        if value is not None:
            known = constants(value)
            if known and any(isinstance(each, (int, float)) and each > 0 for each in known):
                return True
    return None


def _checkpoint_decides(script: Script) -> Call | None:
    """Return the network whose checkpoint says whether features are masked, unless it is frozen or told."""
    for call in script.calls("spec-augment-models"):
        loads = call.attribute in ("from_pretrained", "from_config")
        if not loads or re.search("Processor|Extractor|Tokenizer|Config", call.name):
            continue
        told = call.keywords.get("apply_spec_augment")
        if told is not None and truth(told) is False:
            continue
        if not _without_gradient(script, call):
            return call
    return None


def _without_gradient(script: Script, network: Call) -> bool:
    """Return whether every pass of a network is without gradients."""
    called = [call for call in script.trace if call.main and call.attribute == "__call__"]
    passes = [call for call in called if call.receiver is network.result]
    return bool(passes) and all(any(_UNTRAINED.search(each.name) for each in call.contexts) for call in passes)


def _reach(script: Script, calls: list[Call]) -> Measured:
    """Return whether what changes clips depends on whether they are trained on."""
    places = tuple(script.of(call) for call in calls)
    if any(_TRAINS.search(guard.text) for call in calls for guard in call.guards):
        return Measured((script.fact(WHERE, "training-only", *places),))
    held = [feed for feed in feeds(script) if feed.use == "held-out"]
    reached = {id(each) for feed in held for each in sources(feed.value)}
    if held and any(id(call.result) in reached for call in calls if call.result is not None):
        return Measured((script.fact(WHERE, "held-out-too", *places),))
    why = "reading does not tell which clips the augmentation changes"
    return Measured((), (script.unknown(WHERE, why, "a run"),))
