"""Whether training clips are changed at random, and whether that spares the others; says what is there, no more."""

from __future__ import annotations

import re

from knowledge.records import Measured

from ..attribution import spared, uses_of
from ..calls import Call, Guard, _Names, sources
from ..feeds import feeds
from ..items import items_made
from ..noise import noises
from ..places import Place
from ..script import Script
from ..values import Const, Derived, Instance, Member, Value, constants, truth

NAME, WHERE = "script.augmentation", "script.augmentation_reach"
_MASKS = ("mask_time_prob", "mask_feature_prob", "apply_spec_augment")


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
        reach = script.fact(WHERE, "nothing-to-reach", script.of(network))  # a network stops it when it is evaluated
        return Measured((reach,), (script.unknown(NAME, why, "the checkpoint's configuration"),))
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
    working = {call.name for call in found if not _hands_back(script, call)}  # at some of its calls, not at all
    return [call for call in found if call.name not in working or not _hands_back(script, call)] or noises(script)


def _hands_back(script: Script, call: Call) -> bool:
    """Return whether a function of the project hands back what it was given, and did nothing with it."""
    following = script.trace.calls[call.order + 1 : call.order + 2]
    worked = any(len(each.stack) > len(call.stack) for each in following)
    return not worked and call.result is not None and any(value is call.result for value in call.values())


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
    quiet = [call for call in passes if any(script.says("without-gradients", each.name) for each in call.contexts)]
    return bool(passes) and len(quiet) == len(passes)


def _reach(script: Script, calls: list[Call]) -> Measured:
    """Return whether what changes clips depends on whether they are trained on."""
    applied = [each for each in _applied(script, calls) if not _stops_itself(script, each)]
    if not applied:
        return Measured((script.fact(WHERE, "training-only", *(script.of(call) for call in calls)),))
    shared = _shared(script, applied)
    open_ones = [call for call in applied if not any(_for_training(script, guard, shared) for guard in call.guards)]
    uses = {id(call): uses_of(script, call) for call in open_ones}
    too = [call for call in open_ones if "held-out" in uses[id(call)]]
    if too and not spared(script, too):  # a robustness test changes clips on purpose, beside those left as they are
        return Measured((script.fact(WHERE, "held-out-too", *(script.of(call) for call in too)),))
    sure = all(uses[id(call)] for call in open_ones)
    chance = any(script.says("says-by-chance", guard.text) for call in open_ones for guard in call.guards)
    if sure or len(open_ones) < len(applied) or chance:
        return Measured((script.fact(WHERE, "training-only", *(script.of(call) for call in applied)),))
    why = f"reading does not tell which clips the augmentation at {open_ones[0].place} changes"
    return Measured((), (script.unknown(WHERE, why, "a run"),))


def _for_training(script: Script, guard: Guard, shared: set[object]) -> bool:
    return script.says("says-training", guard.text) and _switch(guard) not in shared


def _shared(script: Script, applied: list[Call]) -> set[object]:
    """Return the switches that are one and the same thing for clips that are trained on and for those held out."""
    met: dict[object, set[str]] = {}
    for call in applied:
        for guard in call.guards:
            met.setdefault(_switch(guard), set()).update(uses_of(script, call))
    return {switch for switch, uses in met.items() if len(uses) > 1}


def _switch(guard: Guard) -> object:
    """Return what tells one switch from another: an entry of the settings is the same wherever it is read."""
    return guard.place, guard.holds, _identity(guard.value)


def _identity(value: Value) -> object:
    if isinstance(value, Const):
        return value.value
    if isinstance(value, Derived):
        return value.operation, *map(_identity, value.parts)
    return (value.name, _identity(value.owner)) if isinstance(value, Member) else id(value)


def _applied(script: Script, calls: list[Call]) -> list[Call]:
    """Return where what changes clips is put to use; where it is made, if nothing shows any use of it."""
    makers = {id(call.result): call for call in calls if call.result is not None}
    used: list[Call] = []
    seen: set[Place] = set()
    for each in script.trace:
        if each.main and each.attribute == "__call__" and isinstance(each.receiver, Instance):
            made_of = [makers[id(part)] for part in sources(each.receiver, deepest=5) if id(part) in makers]
            used += [each] if made_of else []
            seen |= {call.place for call in made_of}
    return [*used, *(call for call in calls if call.place not in seen)]


def _stops_itself(script: Script, call: Call) -> bool:
    """Return whether a layer of a network changes clips, that stops when the network is evaluated."""
    stops = _Names(each for name in script.symbols["augmentation-stops-itself"] for each in (name, f"{name}.__call__"))
    return stops.has(call.name) and any(
        name.rpartition(".")[2] in script.reading.callable_methods for name in call.stack
    )
