"""Brings audio to the rate of the backbone where it is loaded; knows the rate from the script or is silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from knowledge.cards import BackboneCard
from knowledge.records import Evidence

from .syntax import Syntax, callee

if TYPE_CHECKING:
    import libcst as cst

    from engine.evidence.script.script import Script


def cast_audio(syntax: Syntax, script: Script, places: Sequence[Evidence], cards: Sequence[BackboneCard]) -> bool:
    """Ask for `cast_column("audio", Audio(sampling_rate=...))`, or a resampling behind `torchaudio.load`."""
    rate = expected_rate_hz(script, cards)
    if not rate:
        return False
    path = places[0].path if places else ""
    loads = script.trace.named("datasets.load_dataset", "torchaudio.load")
    lines = {item.line or 0 for item in places} | {call.place.line for call in loads if call.place.path == path}
    asked = [_at(syntax, call, rate) for line in sorted(lines) for call in syntax.calls(line, line)]
    return any(asked)


def expected_rate_hz(script: Script, cards: Sequence[BackboneCard]) -> int:
    """Return the one rate that the backbones of a script expect, by their cards; 0 when none or several."""
    from engine.evidence.script.calls import texts

    by_name = {card.checkpoint: card.sample_rate_hz for card in cards if card.checkpoint and card.sample_rate_hz}
    found = {
        by_name[text]
        for call in script.trace
        for value in call.values()
        for text in texts(value, deepest=2)
        if text in by_name
    }
    return found.pop() if len(found) == 1 else 0


def _at(syntax: Syntax, call: cst.Call, rate: int) -> bool:
    import libcst as cst

    statement = syntax.statement(call)
    assign = syntax.around(call, cst.Assign)
    if not isinstance(assign, cst.Assign) or statement is None or assign.value is not call or statement in syntax.after:
        return False
    target = assign.targets[0].target
    name = callee(call)
    if name.rpartition(".")[2] == "load_dataset" and isinstance(target, cst.Name | cst.Attribute):
        syntax.wanted.append("from datasets import Audio")
        held = syntax.code(target)
        syntax.after[statement] = [f'{held} = {held}.cast_column("audio", Audio(sampling_rate={rate}))']
        return True
    if name.endswith("torchaudio.load") and isinstance(target, cst.Tuple) and len(target.elements) == 2:
        wave, found = (syntax.code(element.value) for element in target.elements)
        if found == "_":
            return False
        syntax.wanted.append("import torchaudio")
        resampled = f"{wave} = torchaudio.functional.resample({wave}, {found}, {rate})"
        syntax.after[statement] = [resampled, f"{found} = {rate}"]
        return True
    return False
