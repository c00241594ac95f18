"""Computes the facts that follow from others: ratios, and clips that fit a GPU; measures and decides nothing.

A comparison of two facts is no rule condition: the ratio is a fact of its own, and rules compare that with a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.memory import UNCERTAINTY, clips_that_fit
from knowledge.conditions import Condition
from knowledge.records import Evidence, Fact
from knowledge.vocabulary import Entry, Vocabulary


def with_ratios(facts: Mapping[str, Fact], vocabulary: Vocabulary) -> dict[str, Fact]:
    """Return the facts with every ratio whose two parts are known and that nobody supplied."""
    found = dict(facts)
    for entry in ratio_entries(vocabulary):
        fact = _fitting(entry, facts, vocabulary) if entry.fits else _ratio(entry, facts)
        if entry.name not in found and fact is not None:
            found[entry.name] = fact
    return found


def ratio_entries(vocabulary: Vocabulary) -> tuple[Entry, ...]:
    """Return the entries that are computed from others."""
    return tuple(entry for entry in vocabulary.entries.values() if entry.parts)


def scaled(condition: Condition, entry: Entry, part: str, facts: Mapping[str, Fact]) -> Condition | None:
    """Return a condition on a ratio as one on the upper part, the lower being known; None where that cannot be said."""
    over, under = entry.ratio_of or ("", "")
    if part != over or under not in facts or condition.kind != "is" or isinstance(condition.value, (tuple, str, bool)):
        return None
    return replace(condition, fact=part, value=float(condition.value) * float(facts[under].value))


def _fitting(entry: Entry, facts: Mapping[str, Fact], vocabulary: Vocabulary) -> Fact | None:
    """The clips that a pass holds, by engine.memory; None without a GPU or while its memory is unknown."""
    if entry.fits is None or entry.fits.memory not in facts:
        return None
    memory, longest = facts[entry.fits.memory], facts.get(entry.fits.longest)
    seconds = min(float(longest.value) if longest else entry.fits.assumed_seconds, entry.fits.cropped_seconds)
    card = vocabulary.cards[entry.fits.card]
    if not float(memory.value) > 0 or not seconds > 0:
        return None
    clips = clips_that_fit(card, entry.fits.method, gib=float(memory.value), seconds=seconds, share=entry.fits.share)
    if clips is None:
        return None
    assumed = "" if longest else ", a length that is assumed"
    text = f"estimate for clips of {seconds:.0f} s{assumed}; a real run may need {UNCERTAINTY:.0%} more or less"
    return Fact(entry.name, clips, "machine", evidence=(Evidence(text),))


def _ratio(entry: Entry, facts: Mapping[str, Fact]) -> Fact | None:
    over, under = (facts.get(name) for name in entry.ratio_of or ())
    if over is None or under is None or not float(under.value):
        return None
    value = float(over.value) / float(under.value)
    return Fact(entry.name, value, over.source if over.source != "user" else under.source)
