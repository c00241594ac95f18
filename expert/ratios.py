"""Computes the facts that follow from others: ratios, clips that fit a GPU, estimates; measures and decides nothing.

A comparison of two facts is no rule condition: the ratio is a fact of its own, and rules compare that with a constant.
What follows from facts that are given is known before the first rule. What rests on decisions is computed late, once
the strata that settle them are through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial

from engine.memory import UNCERTAINTY, clips_that_fit
from knowledge.conditions import Condition
from knowledge.records import Evidence, Fact
from knowledge.vocabulary import Entry, Vocabulary

from .estimates import estimated

Lookup = Callable[[str], Fact | None]


def with_ratios(facts: Mapping[str, Fact], vocabulary: Vocabulary, late: Collection[str] = ()) -> dict[str, Fact]:
    """Return the facts with all that follows from them and that nobody supplied, but for what is computed late."""
    found = dict(facts)
    for entry in ratio_entries(vocabulary):
        if entry.name not in found and entry.name not in late:
            fact = computed(entry, facts.get, vocabulary)
            if fact is not None:
                found[entry.name] = fact
    return found


def computed(entry: Entry, lookup: Lookup, vocabulary: Vocabulary) -> Fact | None:
    """Return one fact that follows from others, or None while too little is known."""
    if entry.estimated:
        return estimated(entry, lookup, vocabulary)
    return _fitting(entry, lookup, vocabulary) if entry.fits else _ratio(entry, lookup)


def late_entries(vocabulary: Vocabulary, concluded: Collection[str]) -> dict[str, Entry]:
    """Return the entries that rest on something concluded, directly or through each other, parts before wholes."""
    late: dict[str, Entry] = {}
    waiting = list(ratio_entries(vocabulary))
    while found := [entry for entry in waiting if any(part in concluded or part in late for part in entry.parts)]:
        late |= {entry.name: entry for entry in found}
        waiting = [entry for entry in waiting if entry.name not in late]
    return late


def concluded_parts(vocabulary: Vocabulary, concluded: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return for each late entry the concluded attributes that it rests on, however far down."""
    found: dict[str, tuple[str, ...]] = {}
    for name, entry in late_entries(vocabulary, concluded).items():
        parts = (found.get(part, (part,) if part in concluded else ()) for part in entry.parts)
        found[name] = tuple(dict.fromkeys(leaf for some in parts for leaf in some))
    return found


def with_late(
    facts: dict[str, Fact], late: Iterable[Entry], settled: Callable[[str], bool], vocabulary: Vocabulary
) -> None:
    """Add to the facts what is computed late and rests on nothing that is still to be settled."""
    for entry in late:
        if entry.name not in facts and all(map(settled, entry.parts)):
            fact = computed(entry, facts.get, vocabulary)
            if fact is not None:
                facts[entry.name] = replace(fact, source="rule")


def ratio_entries(vocabulary: Vocabulary) -> tuple[Entry, ...]:
    """Return the entries that are computed from others."""
    return vocabulary.computed


def scaled(condition: Condition, entry: Entry, part: str, facts: Mapping[str, Fact]) -> Condition | None:
    """Return a condition on a ratio as one on the upper part, the lower being known; None where that cannot be said."""
    over, under = entry.ratio_of or ("", "")
    if part != over or under not in facts or condition.kind != "is" or isinstance(condition.value, (tuple, str, bool)):
        return None
    return replace(condition, fact=part, value=float(condition.value) * float(facts[under].value))


def _fitting(entry: Entry, lookup: Lookup, vocabulary: Vocabulary) -> Fact | None:
    """The clips that a pass holds, by engine.memory; None without a GPU or while its memory is unknown."""
    memory = lookup(entry.fits.memory) if entry.fits else None
    if entry.fits is None or memory is None:
        return None
    longest = lookup(entry.fits.longest)
    seconds = min(float(longest.value) if longest else entry.fits.assumed_seconds, entry.fits.cropped_seconds)
    card = vocabulary.cards[entry.fits.card]
    if not float(memory.value) > 0 or not seconds > 0:
        return None
    fitting = partial(
        clips_that_fit, card, entry.fits.method, gib=float(memory.value), seconds=seconds, share=entry.fits.share
    )
    clips, among = fitting(), lookup(entry.fits.devices)
    if clips is None:
        return None
    divided = ""
    # Dividing costs time, so it is for what does not fit even with the layers computed twice.
    if among is not None and int(among.value) > 1 and not fitting(checkpointing=True):
        clips, divided = fitting(divided_by=int(among.value)) or 0, f", divided between {among.value} GPUs"
    assumed = "" if longest else ", a length that is assumed"
    off = f"a real run may need {UNCERTAINTY:.0%} more or less"
    text = f"estimate for clips of {seconds:.0f} s{assumed}{divided}; {off}"
    return Fact(entry.name, clips, "machine", evidence=(Evidence(text),))


def _ratio(entry: Entry, lookup: Lookup) -> Fact | None:
    over, under = (lookup(name) for name in entry.ratio_of or ())
    if over is None or under is None or not float(under.value):
        return None
    value = float(over.value) / float(under.value)
    return Fact(entry.name, value, over.source if over.source != "user" else under.source)
