"""Compares the audio at hand with that of the study to be repeated, as a fact for the rules; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.records import Fact

_SHARE = "dataset.share_of_reference"


def with_share_of_reference(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return the facts, and the share where hours and reference hours are known and nobody stated it.

    Rules compare a fact with a number and never two facts with each other (knowledge.md), so the share is a fact.
    """
    facts = tuple(facts)
    known = {fact.name: fact for fact in facts if not fact.subject}
    hours, reference = known.get("dataset.hours"), known.get("task.reference_hours")
    if _SHARE in known or hours is None or reference is None or not float(reference.value) > 0:
        return facts
    return (*facts, Fact(_SHARE, float(hours.value) / float(reference.value), hours.source, n=hours.n))
