"""The stable JSON contract of every consultation: findings, what is not assessable, decisions, facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from knowledge.records import Evidence, Fact, Finding, NotAssessable

from ..session import Decision, Session
from .own import own_record

SCHEMA = "tonmeister.consultation/1"


def session_record(session: Session) -> dict[str, Any]:
    """Return the whole consultation as plain values."""
    return {
        "schema": SCHEMA,
        "findings": [finding_record(finding) for finding in session.findings],
        "not_assessable": [not_assessable_record(item) for item in session.not_assessable],
        "decisions": {name: decision_record(decision) for name, decision in session.decisions.items()},
        "facts": facts_record(session.facts.values(), session),
        **own_record(session.knowledge),
    }


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return one finding."""
    record = asdict(finding)
    record["evidence"] = [_evidence(item) for item in finding.evidence]
    record["location"] = _evidence(finding.location) if finding.location else None
    return {**record, **{name: list(record[name]) for name in ("sources", "paths", "remedies")}}


def not_assessable_record(item: NotAssessable) -> dict[str, Any]:
    """Return one finding that could be neither reported nor excluded."""
    return {"id": item.id, "needs": list(item.needs), "rule": item.rule, "scope": item.scope}


def decision_record(decision: Decision) -> dict[str, Any]:
    """Return one decision with its losers."""
    return {
        "value": decision.value,
        "rule": decision.rule,
        "strength": decision.strength,
        "certainty": round(decision.certainty, 4),
        "contested": decision.contested,
        "fixed_by_user": decision.fixed_by_user,
        "losers": [{"value": loser.value, "lost_on": loser.lost_on} for loser in decision.losers],
        "objections": list(decision.objections),
    }


def facts_record(facts: Any, session: Session) -> dict[str, dict[str, Any]]:
    """Return the facts by subject and name; a fact without a subject stands under the first part of its name."""
    record: dict[str, dict[str, Any]] = {}
    for fact in facts:
        subject = fact.subject or fact.name.partition(".")[0]
        record.setdefault(subject, {})[fact.name] = _fact(fact, session)
    return record


def _fact(fact: Fact, session: Session) -> dict[str, Any]:
    unit = session.knowledge.vocabulary.entry(fact.name).unit
    return {"value": fact.value, "unit": unit, "source": fact.source, "n": fact.n}


def _evidence(item: Evidence) -> dict[str, Any]:
    """`text`, and any of path, line, step, value, n that is known."""
    return {name: value for name, value in asdict(item).items() if value is not None}
