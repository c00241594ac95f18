"""Checks that what the knowledge says about plan.yaml exists there and fits: vocabulary, remedies, decisions."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from engine.plan import Plan, plan_paths
from engine.plan_sections import Section
from knowledge.presets import PresetDocument
from knowledge.rulebook import Knowledge, Remedy

_OPERATIONS = ("multiply", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class WrongPath:
    """Something said about the plan that the plan does not admit."""

    subject: str
    message: str


def wrong_paths(knowledge: Knowledge) -> Iterator[WrongPath]:
    """Return every plan path that does not exist and every value that does not fit its path."""
    known = set(plan_paths())
    for entry in knowledge.vocabulary.entries.values():
        if entry.plan and entry.plan not in known:
            yield WrongPath(entry.name, _unknown(entry.plan))
        if entry.awaits and (entry.plan or entry.name in known):
            yield WrongPath(entry.name, "waits for the trainer, and the plan has it by now")
    for rule in knowledge.rules:
        path = knowledge.vocabulary.entry(rule.then.attribute).plan
        if path in known and not _fits(path, rule.then.value):
            yield WrongPath(rule.id, f"concludes {rule.then.value!r}, which {path} does not admit")
    for remedy in knowledge.remedies.values():
        yield from _remedy(remedy, known)
    for preset in knowledge.presets:
        yield from _preset(preset, known)


def _remedy(remedy: Remedy, known: set[str]) -> Iterator[WrongPath]:
    for path, value in remedy.patch.items():
        if path not in known:
            yield WrongPath(remedy.id, _unknown(path))
        elif not isinstance(value, dict):
            if not _fits(path, value):
                yield WrongPath(remedy.id, f"sets {path} to {value!r}, which it does not admit")
        elif len(value) != 1 or next(iter(value)) not in (*_OPERATIONS, "from"):
            yield WrongPath(
                remedy.id, f"{path}: got {value!r}, expected a value or one of {', '.join(_OPERATIONS)}, from"
            )
        elif next(iter(value)) in _OPERATIONS and not isinstance(next(iter(value.values())), (int, float)):
            yield WrongPath(remedy.id, f"{path}: got {value!r}, expected a number")


def _preset(preset: PresetDocument, known: set[str]) -> Iterator[WrongPath]:
    for dimension in preset.dimensions:
        if dimension.tunes not in known:
            if not dimension.awaits:
                yield WrongPath(preset.preset, _unknown(dimension.tunes))
        elif dimension.awaits:
            yield WrongPath(preset.preset, f"waits for {dimension.tunes}, which the plan has by now")
        else:
            for value in dimension.choice or dimension.real or dimension.integer or ():
                if not _fits(dimension.tunes, value):
                    yield WrongPath(preset.preset, f"tries {dimension.tunes} = {value!r}, which it does not admit")
    for setting in preset.derived:
        if setting.sets not in known:
            yield WrongPath(preset.preset, _unknown(setting.sets))


def _unknown(path: str) -> str:
    close = difflib.get_close_matches(path, list(plan_paths()), n=1)
    return f"the plan has no path {path!r}" + (f"; did you mean {close[0]}?" if close else "")


def _fits(path: str, value: Any) -> bool:
    try:
        _adapter(path).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(path: str) -> TypeAdapter[Any]:
    section, _, name = path.partition(".")
    field = Plan.model_fields[section]
    if name:
        model = field.annotation
        assert isinstance(model, type) and issubclass(model, Section)
        field = model.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind)
