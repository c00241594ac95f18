"""What a rejected round shows of the plan itself rather than of the change that was rejected; tries and ranks nothing.

A challenger is the champion's plan with one change, trained once more. A finding of its run that has nothing to do with
the change is evidence about the champion's plan, although the champion's own run did not show it: one run peaks early
by luck where the next still improves. Whether a remedy for it helps is settled as for any other, by a round against the
champion; it only waits until the champion's own remedies are tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.plan import Plan, differences
from knowledge.rulebook import Knowledge

from .rounds import Proposal, Round, RoundReport


def carried(
    champion: RoundReport, rejected: Round, proposals: Iterable[Proposal], knowledge: Knowledge
) -> tuple[Proposal, ...]:
    """Return those of the proposals, made for the champion's plan from the rejected run, that concern the plan alone.

    Left out is what the champion showed itself, what is only a note, what changes data, and whatever reads or changes a
    line of the plan that the rejected change had changed.
    """
    base = champion.round.plan
    changed = set(differences(base, rejected.plan))
    own = {finding.id for finding in champion.findings}
    return tuple(
        replace(proposal, seen_in=rejected.number)
        for proposal in proposals
        if proposal.finding.id not in own
        and proposal.finding.severity != "note"
        and not proposal.remedy.changes_data
        and changed.isdisjoint(_lines(proposal, base, knowledge))
    )


def _lines(proposal: Proposal, base: Plan, knowledge: Knowledge) -> set[str]:
    """The lines of the plan that the finding rests on, that the remedy asks for, and that it changes."""
    rule, remedy = knowledge.rule(proposal.finding.rule), proposal.remedy
    read = {condition.fact for condition in rule.conditions} if rule else set()
    read |= {condition.fact for clause in (*remedy.when, *remedy.unless) for condition in clause}
    entries = knowledge.vocabulary.entries
    return {entries[name].plan for name in read if entries[name].plan} | set(differences(base, proposal.plan))
