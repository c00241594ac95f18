"""Finds rules whose value never wins, because stronger or surer rules cover every case in which they fire.

Judges each rule alone, without the rules that support the same value; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.conditions import same
from knowledge.rulebook import Rule
from knowledge.schema import STRENGTHS
from knowledge.vocabulary import Vocabulary

from .boxes import Box, Partition, contains, overlap
from .covering import Undecided, left_out
from .resolution import Activation, settle
from .strata import Concluding


@dataclass(frozen=True, slots=True)
class Beaten:
    """A rule that never wins, and those that beat it everywhere."""

    rule: Rule
    by: tuple[Rule, ...]

    @property
    def second_choice(self) -> bool:
        """Whether only stronger rules beat it: then it is there to be shown as the alternative."""
        tier = STRENGTHS.index(self.rule.strength)
        return all(STRENGTHS.index(other.strength) < tier for other in self.by)


def beaten(by_attribute: Concluding, vocabulary: Vocabulary) -> Iterator[Beaten]:
    """Return the rules that win in no case. Findings do not compete."""
    for attribute, rules in by_attribute.items():
        if len(rules) < 2 or rules[0].then.kind == "finding":
            continue
        partition = Partition((one for rule in rules for one in rule.conditions), vocabulary)
        boxes = {rule.id: partition.boxes(rule) for rule in rules}
        for rule in rules:
            rivals = [other for other in rules if not same(other.then.value, rule.then.value)]
            near = [other for other in rivals if _meet(boxes[rule.id], boxes[other.id])]
            stronger = [other for other in near if _beats(other, rule, attribute, vocabulary)]
            if boxes[rule.id] and stronger and _covered(boxes[rule.id], stronger, boxes, partition):
                yield Beaten(rule, _needed(boxes[rule.id], stronger, boxes, partition))


def _meet(left: tuple[Box, ...], right: tuple[Box, ...]) -> bool:
    return any(overlap(one, two) is not None for one in left for two in right)


def _beats(other: Rule, rule: Rule, attribute: str, vocabulary: Vocabulary) -> bool:
    pair = [Activation(one, (), one.certainty) for one in (rule, other)]
    return settle(vocabulary.entry(attribute), pair).winner.rules == (other.id,)


def _covered(own: tuple[Box, ...], others: list[Rule], boxes: dict[str, tuple[Box, ...]], space: Partition) -> bool:
    theirs = [box for other in others for box in boxes[other.id]]
    try:
        return all(next(left_out(theirs, space, box), None) is None for box in own)
    except Undecided:
        return False


def _needed(
    own: tuple[Box, ...], others: list[Rule], boxes: dict[str, tuple[Box, ...]], space: Partition
) -> tuple[Rule, ...]:
    """A single rule that covers everything says it best; the strongest are kept where several are needed."""
    for other in others:
        if all(any(contains(big, box) for big in boxes[other.id]) for box in own):
            return (other,)
    kept = sorted(others, key=lambda other: STRENGTHS.index(other.strength))
    for other in reversed(tuple(kept)):
        fewer = [one for one in kept if one is not other]
        if fewer and _covered(own, fewer, boxes, space):
            kept = fewer
    return tuple(kept)
