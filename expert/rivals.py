"""Says which rules a rule meets: what it beats and loses to in a case that both admit, and who reads its conclusion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.conditions import same
from knowledge.rulebook import Knowledge, Rule

from .boxes import Partition, overlap
from .resolution import Activation, settle


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two rules of one attribute that want different values in a case that both admit."""

    other: str
    wins: bool
    """Whether the rule in question wins."""
    on: str
    """What settles it: `strength`, `certainty`, `refinement`, `conditions`, `name`, `minimum` or `maximum`."""


def meetings(rule: Rule, knowledge: Knowledge) -> tuple[Meeting, ...]:
    """Return every rival of a rule and who wins, had both no other support; findings have no rivals."""
    if rule.then.kind == "finding":
        return ()
    return tuple(_meetings(rule, knowledge))


def _meetings(rule: Rule, knowledge: Knowledge) -> Iterator[Meeting]:
    entry = knowledge.vocabulary.entry(rule.then.attribute)
    for other in knowledge.pack(rule.pack):
        rival = other.then.attribute == rule.then.attribute and not same(other.then.value, rule.then.value)
        if rival and _meet(rule, other, knowledge):
            outcome = settle(entry, [Activation(one, (), one.certainty) for one in (rule, other)])
            yield Meeting(other.id, outcome.winner.rules == (rule.id,), outcome.losers[0].lost_on)


def _meet(rule: Rule, other: Rule, knowledge: Knowledge) -> bool:
    partition = Partition((*rule.conditions, *other.conditions), knowledge.vocabulary)
    return any(overlap(one, two) for one in partition.boxes(rule) for two in partition.boxes(other))


def readers(rule: Rule, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the rules that read what this one concludes."""
    attribute = rule.then.attribute
    return tuple(
        other.id
        for other in knowledge.rules
        if any(condition.fact == attribute for condition in other.conditions) and other.id != rule.id
    )
