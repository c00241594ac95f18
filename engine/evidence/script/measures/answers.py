"""How a measure answers: there, not there, or not told by reading; what it means is not said here."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.records import Evidence, Measured, Value

from ..calls import Call, reasons
from ..script import Script
from ..settings import Setting
from ..training import training_of
from ..values import Const, Table

NO_TRAINING = "no step of an optimizer and no framework's training was found in what the launch reaches"
TRAINING_FILE = "the file that runs the training loop"


def there(script: Script, name: str, value: Value, *evidence: Evidence) -> Measured:
    """Return a fact that something seen proves."""
    return Measured((script.fact(name, value, *evidence),))


def absent(script: Script, name: str, value: Value, text: str, anchors: Iterable[Call]) -> Measured:
    """Return a fact that a search to the end proves; unknown when something was not read to the end."""
    if why := doubt(script):
        return unknown(script, name, why, TRAINING_FILE)
    return there(script, name, value, *(spot for call in anchors for spot in spots(script, call, text)))


def spots(script: Script, call: Call, text: str) -> list[Evidence]:
    """Return where a person looks for what a call lacks: the call, who asks for it, and the settings handed to it."""
    inner = [place for name, place in zip(call.stack, call.callers, strict=False) if not name.startswith("<")]
    asked = [place for place in inner[-2:] if place.path in script.project.sources]
    values = [value for value in call.values() if isinstance(value, (Const, Table)) and value.place is not None]
    held = [value.place for value in values if value.place is not None and value.place != call.place]
    found = [script.of(call, text)]
    found += [script.evidence(place, "asked for here") for place in reversed(asked)]
    return found + [script.evidence(place, "its settings stand here") for place in held[:3]]


def doubt(script: Script) -> str:
    """Return why nothing can be called missing here, or nothing."""
    if script.cut:
        return script.cut[0]
    return "" if training_of(script).found else NO_TRAINING


def unknown(script: Script, name: str, why: str, decided_by: str) -> Measured:
    """Return that reading does not tell."""
    return Measured((), (script.unknown(name, why, decided_by),))


def untold(script: Script, name: str, setting: Setting) -> Measured:
    """Return that a setting's value is not told by any file."""
    why = next(iter(reasons(setting.value)), "") or f"{setting.call.name} takes it from something that is computed"
    return unknown(script, name, f"{why} ({setting.call.place})", "the command or file that launches the training")


def of_setting(script: Script, setting: Setting, text: str = "") -> Evidence:
    """Return a setting as something to look up."""
    return script.evidence(setting.place, text or setting.call.name, setting.via)
