"""Remedies of a run of our own plan, as lines of that plan; applies none (`patch` does)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plan import Plan
from knowledge.errors import TonmeisterError
from knowledge.records import Finding
from knowledge.rulebook import Remedy

from ..session import Session
from ..translation import Edit, Edits, checks_for, merged
from .patch import apply_remedy, diff_lines


def plan_edits(session: Session, plan: Plan) -> Edits:
    """Return what each remedy that applies changes in the plan, what it promises, and what will tell."""
    edits = merged(edit for finding in session.findings for edit in _edits(session, plan, finding))
    return Edits(None, True, edits, checks_for(session, edits))


def _edits(session: Session, plan: Plan, finding: Finding) -> Iterator[Edit]:
    for name in finding.remedies:
        remedy = session.knowledge.remedies[name]
        lines, action = _change(session, plan, remedy)
        yield Edit(remedy.id, remedy.title, (finding.id,), (), lines, action, remedy.expect, remedy.costs)


def _change(session: Session, plan: Plan, remedy: Remedy) -> tuple[tuple[str, ...], str]:
    """The lines of the plan before and after, or what a person does; a patch that the plan refuses says why."""
    if not remedy.patch:
        return (), remedy.action
    try:
        return tuple(diff_lines(plan, apply_remedy(plan, remedy, session.facts))), ""
    except TonmeisterError as error:
        return (), error.message
