"""Holds single conditions and rules against a session: what is true, what was found, how far a value is off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.conditions import Condition, spell
from knowledge.rulebook import Rule

from .reference import Assessment, Status, Truth
from .session import Session
from .strata import concluding

_TRUTHS = {True: "holds", False: "FAILS", None: "UNKNOWN"}


@dataclass(frozen=True, slots=True)
class ConditionCheck:
    """One condition against the session."""

    text: str
    truth: Truth
    found: str
    """What the session knows about it."""
    distance: float | None
    """How far a numeric value is from the threshold, in the fact's unit."""


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One rule against the session."""

    rule: str
    title: str
    status: Status
    clauses: tuple[tuple[ConditionCheck, ...], ...]
    """Every clause of `when` and `needs`; of a clause one condition must hold."""
    own: str = ""
    """Who added, changed or silenced the rule, why, and what the package says."""


def assessment_of(session: Session) -> Assessment:
    """Return the three-valued view on a finished session."""
    return Assessment(concluding(session.knowledge.pack(*session.packs)), session.facts.get)


def check_rule(rule: Rule, assessment: Assessment, session: Session) -> RuleCheck:
    """Hold every clause of a rule against the session."""
    clauses = tuple(
        tuple(check_condition(condition, assessment, session) for condition in clause)
        for clause in (*rule.when, *rule.needs)
    )
    return RuleCheck(rule.id, rule.title, assessment.status(rule), clauses, rule.own.sentence() if rule.own else "")


def check_condition(condition: Condition, assessment: Assessment, session: Session) -> ConditionCheck:
    """Hold one condition against the session."""
    fact = session.facts.get(condition.fact)
    unit = session.knowledge.vocabulary.entry(condition.fact).unit
    truth = assessment.truth(condition)
    distance = condition.distance(fact.value) if fact is not None else None
    if fact is None:
        reason = session.unknown.get(condition.fact)
        found = f"it is unknown: {reason}" if reason else "it is unknown"
    else:
        found = f"it is {spell(fact.value)}{' ' + unit if unit else ''}"
        if distance is not None and not truth:
            found += f", {distance:.6g} away" if distance else ", which is the threshold itself"
    return ConditionCheck(str(condition), truth, found, distance)


def check_lines(check: RuleCheck, pad: str) -> Iterator[str]:
    """Write a rule's conditions, a line each."""
    for clause in check.clauses:
        for number, item in enumerate(clause):
            yield f"{pad}{'or ' if number else ''}{item.text}: {_TRUTHS[item.truth]} ({item.found})"
    if check.own:
        yield f"{pad}{check.own}"


def check_record(check: RuleCheck) -> dict[str, Any]:
    """Return a checked rule as plain values."""
    clauses = [
        [
            {"condition": item.text, "truth": item.truth, "found": item.found, "distance": item.distance}
            for item in clause
        ]
        for clause in check.clauses
    ]
    record = {"rule": check.rule, "title": check.title, "status": check.status, "clauses": clauses}
    return record | ({"own": check.own} if check.own else {})
