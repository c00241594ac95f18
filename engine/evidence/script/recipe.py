"""The settings of a script that a plan has as well: learning rate, batch size, epochs and the like; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.records import Evidence, Measured, Value
from knowledge.vocabulary import Entry

from .script import Script
from .settings import Setting, settings
from .values import constants


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One setting of the script, by the name of the decision of a plan that is the same thing."""

    decision: str
    value: Value
    place: Evidence | None


def recipe_of(script: Script, measured: Measured, entries: Iterable[Entry]) -> tuple[Ingredient, ...]:
    """Return what the script sets of what a plan decides, as far as reading tells one value.

    `measured` holds the facts about the script, in which some settings stand already.
    """
    found = []
    for entry in entries:
        if entry.script.startswith("script."):
            fact = next((each for each in measured.facts if each.name == entry.script), None)
            if fact is not None:
                found.append(Ingredient(entry.name, _typed(entry, fact.value), next(iter(fact.evidence), None)))
        elif entry.script:
            found += _setting(script, entry)
    return tuple(found)


def _setting(script: Script, entry: Entry) -> list[Ingredient]:
    """Return the one value that all places agree on, given ones before defaults; nothing where they differ."""
    held = settings(script, entry.script)
    chosen = [each for each in held if each.given] or held
    known = [(value, each) for each in chosen for value in _numbers(each)]
    if not known or len(known) < len(chosen) or len({value for value, _ in known}) > 1:
        return []
    value, setting = known[0]
    return [Ingredient(entry.name, _typed(entry, value), script.evidence(setting.place, entry.script, setting.via))]


def _numbers(setting: Setting) -> list[float]:
    plain = constants(setting.value) or ()
    return [float(value or 0) for value in plain if value is None or isinstance(value, (int, float))]


def _typed(entry: Entry, value: Value) -> Value:
    return int(value) if entry.type == "integer" and isinstance(value, float) else value
