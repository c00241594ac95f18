"""Whether audio is brought to one rate before the network sees it; says what is there, not what it is worth."""

from __future__ import annotations

import re

from knowledge.records import Measured

from ..calls import Call, sources
from ..places import Place
from ..script import Script
from ..values import Const, Derived, Instance, Member, Value, constant

NAME = "script.sampling_rate"


def measure_rate(script: Script) -> Measured:
    """Return `script.sampling_rate`: resampled, checked, native, or by-the-extractor."""
    for main in (True, None):
        found = _state(script, main)
        if found is not None:
            return found
    why = "no call that reads audio was found"
    return Measured((), (script.unknown(NAME, why, "the file that reads the audio"),))


def _state(script: Script, main: bool | None) -> Measured | None:
    loads = script.calls("resampling-load", main=main)
    fixed = [call for call in loads if constant(call.argument("sr", 1), ...) is not None]
    resampled = [call for call in script.calls("resampling", main=main) if not _noop(call)]
    if resampled or fixed:
        return _fact(script, "resampled", [*resampled, *fixed])
    native = [*script.calls("native-load", main=main), *(call for call in loads if call not in fixed)]
    native += [call for call in script.calls("resampling", main=main) if main and _noop(call)]
    if not native:
        return None
    checks = _checks(script, main)
    if checks:
        return _fact(script, "checked", checks)
    elsewhere = _elsewhere(script) if main else None
    if elsewhere is not None:
        why = f"{elsewhere.path}:{elsewhere.line} brings files to a rate; reading does not tell whether it was run"
        return Measured((), (script.unknown(NAME, why, "the audit of the data set"),))
    told = [call for call in script.trace if (main is None or call.main) and _hands_on(call)]
    if told:
        return _fact(script, "told-to-the-extractor", told)
    return _fact(script, "native", native)


def _fact(script: Script, value: str, calls: list[Call]) -> Measured:
    return Measured((script.fact(NAME, value, *(script.of(call) for call in calls)),))


def _elsewhere(script: Script) -> Place | None:
    """Return where a program that prepares files, which the launch does not reach, brings them to a rate."""
    others = [*script.calls("resampling", main=False), *_checks(script, None)]
    writes = {call.place.path for call in script.calls("writes-audio", main=False)}
    return next((call.place for call in others if not call.main and call.place.path in writes), None)


def _noop(call: Call) -> bool:
    """Return whether an `Audio` feature or a converter is made without a rate."""
    if call.name in ("datasets.Audio", "datasets.features.Audio"):
        return constant(call.argument("sampling_rate", 0), ...) is None or (not call.arguments and not call.keywords)
    return False


def _checks(script: Script, main: bool | None) -> list[Call]:
    """Return asserts on a rate, and whatever happens under a condition on one."""
    found = []
    for call in script.trace:
        if main and not call.main:
            continue
        asserted = call.name == "assert" and any(_names_rate(script, value) for value in call.arguments)
        compared = [guard.text for guard in call.guards[-2:] if re.search("[!=<>]=|<|>", guard.text)]
        guarded = any(script.says("sampling-rate", text) for text in compared)
        raised = guarded and call.attribute.endswith(("Error", "Exception", "exit", "warn"))
        if asserted or raised:
            found.append(call)
    return found


def _names_rate(script: Script, value: Value) -> bool:
    for each in sources(value, deepest=5):
        if isinstance(each, Member) and script.says("sampling-rate", each.name):
            return True
        if isinstance(each, Derived) and each.operation == "[1]" and _is_load(each.parts[0]):
            return True
        if isinstance(each, Const) and each.value in (8000, 16000, 22050, 24000, 32000, 44100, 48000):
            return True
    return False


def _is_load(value: Value) -> bool:
    return isinstance(value, Instance) and value.call is not None and value.call.attribute in ("load", "read")


def _hands_on(call: Call) -> bool:
    """Return whether an extractor is told the rate that the file has: it refuses another than its own."""
    rate = call.keywords.get("sampling_rate")
    return rate is not None and any(
        (isinstance(each, Derived) and each.operation == "[1]" and _is_load(each.parts[0]))
        or (isinstance(each, Const) and each.value == "sampling_rate")
        for each in sources(rate, deepest=4)
    )
