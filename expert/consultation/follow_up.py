"""What became of the findings of an earlier run in the run after it: of ours, or of any framework; trains nothing.

It is the check that a remedy promised: whether the finding is gone, with the numbers of both runs, and at what score.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.evidence.run.skill import oriented
from engine.plan import differences
from knowledge.conditions import same
from knowledge.records import Finding, NotAssessable, Value
from knowledge.rulebook import Knowledge, Remedy

from ..ledger import Outcome
from .diagnose import Diagnosis

Fate = Literal["gone", "still there", "cannot be told"]


@dataclass(frozen=True)
class Followed:
    """One finding of the earlier run, and what the later one shows of it."""

    finding: Finding
    fate: Fate
    why: str
    """Where it cannot be told: what the later run lacks."""
    numbers: tuple[tuple[str, Value | None, Value | None], ...]
    """What the rule read: name, before, after."""
    applied: tuple[Remedy, ...]
    """Remedies of it whose lines stand in the later plan and not in the earlier one, or that the user named."""


@dataclass(frozen=True)
class FollowUp:
    """Two runs, one after the other."""

    before: Diagnosis
    after: Diagnosis
    found: tuple[Followed, ...]
    new: tuple[Finding, ...]
    """Warnings and errors that the earlier run had not."""
    scores: tuple[str, float, float] | None
    """The task metric's name and its best value in both; None where they have none in common."""
    changed: tuple[tuple[str, Value, Value], ...]
    """Lines of the plan that differ; empty for foreign runs."""

    @property
    def gain(self) -> float | None:
        """How much better the later score is, whichever way the metric points."""
        if self.scores is None:
            return None
        after, before = self.after.series.metric, self.before.series.metric
        return None if after is None or before is None else _best(self.after)[1] - _best(self.before)[1]


def follow_up(knowledge: Knowledge, before: Diagnosis, after: Diagnosis, named: Iterable[str] = ()) -> FollowUp:
    """Hold the findings of one run against the run after it.

    Args:
        knowledge: the rulebooks.
        before: the earlier run.
        after: the later run.
        named: ids of remedies that the user says were applied; of our own runs their lines tell.
    """
    old_plan, new_plan = before.series.plan, after.series.plan
    changed = differences(old_plan, new_plan) if old_plan and new_plan else {}
    lines = tuple((path, old, new) for path, (old, new) in changed.items() if not path.startswith("name"))
    remedies = [knowledge.remedies[one] for one in named]
    known = {one.id for one in before.session.findings}
    scores = _scores(before, after)
    better = None if scores is None else _best(after)[1] > _best(before)[1]
    found = tuple(
        _followed(knowledge, one, (before, after), {path for path, _, _ in lines}, remedies, better)
        for one in before.session.findings
        if one.remedies
    )
    new = tuple(one for one in after.session.findings if one.id not in known and one.severity != "note")
    return FollowUp(before, after, found, new, scores, lines)


def outcomes_of(follow: FollowUp, knowledge: Knowledge) -> tuple[Outcome, ...]:
    """Return a line of the ledger for each remedy that was applied to a finding."""
    alone = len({remedy.id for one in follow.found for remedy in one.applied}) == 1 and len(follow.changed) <= 1
    return tuple(_outcome(one, remedy, follow, knowledge, alone) for one in follow.found for remedy in one.applied)


def _followed(
    knowledge: Knowledge,
    finding: Finding,
    runs: tuple[Diagnosis, Diagnosis],
    changed: set[str],
    named: list[Remedy],
    better: bool | None,
) -> Followed:
    before, after = runs
    rule = knowledge.rule(finding.rule)
    read = tuple(dict.fromkeys(one.fact for one in rule.conditions)) if rule else ()
    numbers = tuple(
        (name, _value(before, name), _value(after, name))
        for name in read
        if isinstance(_value(before, name), (int, float)) and not isinstance(_value(before, name), bool)
    )
    still = any(one.id == finding.id for one in after.session.findings)
    blind = next((one for one in after.session.not_assessable if one.id == finding.id), None)
    unmeasured = blind is not None and all(one[2] is None for one in numbers)
    entries = knowledge.vocabulary.entries
    written = bool(read) and all(entries[name].plan for name in read if name in entries)
    fate: Fate = "still there" if still else "cannot be told" if unmeasured or (written and not better) else "gone"
    offered = (knowledge.remedies[name] for name in finding.remedies)
    applied = tuple(one for one in offered if one in named or (one.patch and set(one.patch) <= changed))
    return Followed(finding, fate, _why(fate, blind, unmeasured), numbers, applied)


def _why(fate: Fate, blind: NotAssessable | None, unmeasured: bool) -> str:
    if fate != "cannot be told":
        return ""
    if unmeasured and blind is not None:
        return "; ".join(blind.needs[:2])
    return "it rests on settings alone; they are changed, and the score is no better"


def _value(diagnosis: Diagnosis, name: str) -> Value | None:
    fact = diagnosis.session.facts.get(name)
    return None if fact is None else fact.value


def _best(diagnosis: Diagnosis) -> tuple[str, float]:
    metric = diagnosis.series.metric
    if metric is None or not len(metric.finite()):
        return "", 0.0
    return metric.metric, float(oriented(metric.finite()).max())


def _scores(before: Diagnosis, after: Diagnosis) -> tuple[str, float, float] | None:
    (name, old), (other, new) = _best(before), _best(after)
    if not name or not same(name, other):
        return None
    lower = before.series.metric is not None and before.series.metric.better == "lower"
    return (name, 1 - old, 1 - new) if lower else (name, old, new)


def _outcome(one: Followed, remedy: Remedy, follow: FollowUp, knowledge: Knowledge, alone: bool) -> Outcome:
    rule = knowledge.rule(one.finding.rule)
    kept = {"gone": True, "still there": False, "cannot be told": None}[one.fate]
    return Outcome(
        run=str(Path(follow.after.series.source)),
        remedy=remedy.id,
        promised=remedy.expect,
        finding=one.finding.id,
        rule=one.finding.rule,
        certainty=rule.certainty if rule else one.finding.confidence,
        kept=kept,
        showed=f"the finding is {one.fate}" if kept is not None else f"the finding cannot be told: {one.why}",
        alone=alone,
        gain=follow.gain,
        before={name: value for name, value, _ in one.numbers if value is not None},
        after={name: value for name, _, value in one.numbers if value is not None},
        digest=knowledge.digest,
    )
