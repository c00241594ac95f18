"""Says which remedies of a finding can be offered now; applies none (`expert.consultation.patch` does)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.records import Fact, Finding, Value
from knowledge.rulebook import Knowledge, Remedy

from .reference import Assessment
from .session import Session
from .strata import concluding


def applicable_remedies(session: Session, finding: Finding) -> tuple[Remedy, ...]:
    """Return the remedies of `finding` that can be offered, best first.

    One is offered unless a condition of `when` is not true, or one of `unless` is (what is unknown does not exclude),
    or its patch would leave every plan path as the facts say it is.
    """
    rules = concluding(session.knowledge.pack(*session.packs))
    assessment = Assessment(rules, session.facts.get)
    values = _plan_values(session.knowledge, session.facts)
    return tuple(
        remedy
        for remedy in (session.knowledge.remedies[name] for name in finding.remedies)
        if all(assessment.clause(clause) is True for clause in remedy.when)
        and not any(assessment.clause(clause) is True for clause in remedy.unless)
        and (not remedy.patch or _changes(remedy, values, session.facts))
    )


def _plan_values(knowledge: Knowledge, facts: Mapping[str, Fact]) -> dict[str, Value]:
    """Return what the facts say about the plan, by plan path."""
    entries = (knowledge.vocabulary.entries[name] for name in facts)
    return {entry.plan: facts[entry.name].value for entry in entries if entry.plan}


def _changes(remedy: Remedy, values: Mapping[str, Value], facts: Mapping[str, Fact]) -> bool:
    return any(path not in values or _moves(values[path], new, facts) for path, new in remedy.patch.items())


def _moves(old: Value, new: Any, facts: Mapping[str, Fact]) -> bool:
    if not isinstance(new, dict):
        return bool(old != (0 if new is None else new))
    ((operation, operand),) = new.items()
    if operation == "from":
        return operand in facts and facts[operand].value != old
    if operation == "at_least":
        return bool(old < operand)
    if operation == "at_most":
        return bool(old > operand)
    changed = float(old) * operand
    return bool(max(1, round(changed)) != old if isinstance(old, int) else changed != old)
