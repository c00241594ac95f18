"""Settles one attribute among the values that rules concluded for it; certainty is combined here and nowhere else.

Never asks in which order rules fired: the same activations give the same result. Certainty follows the derivation
graph after a stratum has come to rest: a rule counts its own certainty times that of its weakest support, and
independent rules for one value combine as a + b - ab (commutative and associative).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from knowledge.conditions import same, spell
from knowledge.records import Value
from knowledge.rulebook import Rule
from knowledge.schema import STRENGTHS
from knowledge.vocabulary import Entry

from .boxes import refines
from .session import Candidate, Decision, Support


@dataclass(frozen=True, slots=True)
class Activation:
    """A rule whose conditions all hold."""

    rule: Rule
    supports: tuple[Support, ...]
    certainty: float


@dataclass(frozen=True, slots=True)
class Settlement:
    """The winner among the candidates, and the others."""

    winner: Candidate
    losers: tuple[Candidate, ...]
    contested: bool


def combine(certainties: Iterable[float]) -> float:
    """Return the certainty of one claim that several rules support independently."""
    total = 0.0
    for certainty in sorted(certainties):  # in one order, because rounding is not associative
        total += certainty - total * certainty
    return total


def as_support(certainty: float, entry: Entry, rule: Rule) -> float:
    """Return how sure the fact of `entry` is as a support of `rule`.

    What a decision brings is as sure as the rule that says so: the plan does it, whether it was the best choice or not.
    """
    return 1.0 if entry.kind == "decision" and rule.then.kind == "finding" else certainty


def settle(entry: Entry, activations: Sequence[Activation]) -> Settlement:
    """Apply the policy of `entry` to at least one activation.

    `one` and `unique`: strength, then certainty, then refinement (conditions contained in those of the other), then
    the number of conditions, then the name of the value. `min` and `max`: the least or greatest value among the
    strongest; a weaker rule never moves a stronger one.
    """
    groups = _by_value(activations)
    if len(groups) == 1:  # nearly always, and then there is nothing to rank
        return Settlement(_candidate(groups[0]), (), False)
    ranked = sorted(groups, key=lambda group: (_tier(_candidate(group)), spell(group[0].rule.then.value)))
    strongest = [group for group in ranked if _tier(_candidate(group)) == _tier(_candidate(ranked[0]))]
    best = _extreme(entry, strongest) if entry.policy in ("min", "max") else _most_convincing(strongest)
    winner = _candidate(best)
    others = [group for group in ranked if group is not best]
    losers = [replace(_candidate(group), lost_on=_lost_on(entry, best, group)) for group in others]
    contested = entry.policy in ("one", "unique") and len(strongest) > 1
    return Settlement(winner, tuple(sorted(losers, key=lambda loser: (_tier(loser), -loser.certainty))), contested)


def decide(entry: Entry, activations: Sequence[Activation], fixed: Value | None = None) -> Decision:
    """Settle a decision; what the user fixed wins, and rules that disagree become objections."""
    if fixed is None:
        outcome = settle(entry, activations)
        winner = outcome.winner
        return Decision(
            entry.name, winner.value, winner.rules[0], winner.strength, winner.certainty, outcome.contested, False,
            outcome.losers,
        )  # fmt: skip
    candidates = [_candidate(group) for group in _by_value(activations)]
    agreeing = [rule for candidate in candidates if same(candidate.value, fixed) for rule in candidate.rules]
    losers = [replace(item, lost_on="your choice") for item in candidates if not same(item.value, fixed)]
    losers.sort(key=lambda loser: (_tier(loser), -loser.certainty, spell(loser.value)))
    objections = tuple(rule for loser in losers for rule in loser.rules)
    rule = agreeing[0] if agreeing else ""
    return Decision(entry.name, fixed, rule, "must", 1.0, False, True, tuple(losers), objections)


def _by_value(activations: Sequence[Activation]) -> list[list[Activation]]:
    """Group by value; in each group the strongest and most certain rule stands first."""
    groups: list[list[Activation]] = []
    for activation in sorted(activations, key=_rank):
        value = activation.rule.then.value
        group = next((group for group in groups if same(group[0].rule.then.value, value)), None)
        if group is None:
            groups.append([activation])
        else:
            group.append(activation)
    return groups


def _rank(activation: Activation) -> tuple[int, float, str]:
    return STRENGTHS.index(activation.rule.strength), -activation.certainty, activation.rule.id


def _candidate(group: Sequence[Activation]) -> Candidate:
    first = group[0].rule
    certainty = combine(activation.certainty for activation in group)
    return Candidate(first.then.value, tuple(item.rule.id for item in group), first.strength, certainty)


def _tier(candidate: Candidate) -> int:
    return STRENGTHS.index(candidate.strength)


def _extreme(entry: Entry, groups: list[list[Activation]]) -> list[Activation]:
    choose = min if entry.policy == "min" else max
    return choose(groups, key=lambda group: float(group[0].rule.then.value))


def _most_convincing(groups: list[list[Activation]]) -> list[Activation]:
    greatest = max(_certainty(group) for group in groups)
    convincing = [group for group in groups if _certainty(group) == greatest]
    rivals = [(group, [other for other in convincing if other is not group]) for group in convincing]
    refined = [group for group, others in rivals if not any(_refines(other, group) for other in others)]
    return min(refined or convincing, key=lambda group: (-_conditions(group), spell(group[0].rule.then.value)))


def _certainty(group: Sequence[Activation]) -> float:
    return round(_candidate(group).certainty, 9)


def _refines(group: Sequence[Activation], other: Sequence[Activation]) -> bool:
    """Whether a rule of `group` treats a special case of a rule of `other`, and not the other way round as well."""
    pairs = [(mine.rule, theirs.rule) for mine in group for theirs in other]
    return any(refines(*pair) for pair in pairs) and not any(refines(right, left) for left, right in pairs)


def _conditions(group: Sequence[Activation]) -> int:
    return max(len(activation.rule.when) + len(activation.rule.needs) for activation in group)


def _lost_on(entry: Entry, best: Sequence[Activation], group: Sequence[Activation]) -> str:
    if _tier(_candidate(best)) != _tier(_candidate(group)):
        return "strength"
    if entry.policy in ("min", "max"):
        return "minimum" if entry.policy == "min" else "maximum"
    if _certainty(best) != _certainty(group):
        return "certainty"
    if _refines(best, group):
        return "refinement"
    return "conditions" if _conditions(best) != _conditions(group) else "name"
