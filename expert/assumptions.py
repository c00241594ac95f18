"""What a session decided without knowing enough: each such decision, why, and what would settle it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from knowledge.conditions import spell
from knowledge.records import Value
from knowledge.schema import STRENGTHS

from .because import format_because
from .checks import assessment_of
from .interview import questions
from .proof import Explanation
from .reference import Assessment
from .session import Decision, Session
from .strata import concluding


@dataclass(frozen=True, slots=True)
class Assumption:
    """One decision that only a fallback rule supports, or that something unknown could overturn."""

    attribute: str
    value: Value
    rule: str
    because: str
    certainty: float
    fallback: bool
    """Whether nothing but a fallback rule supports it."""
    answers: tuple[str, ...]
    """Questions whose answers could settle it."""
    measurements: tuple[str, ...]
    """Unknown facts that nobody is asked for and that could settle it."""

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "attribute": self.attribute,
            "value": self.value,
            "rule": self.rule,
            "because": self.because,
            "certainty": round(self.certainty, 4),
            "fallback": self.fallback,
            "answers": list(self.answers),
            "measurements": list(self.measurements),
        }


@dataclass(frozen=True, slots=True)
class Assumptions(Explanation):
    """Everything that is assumed, the shakiest first."""

    items: tuple[Assumption, ...]

    def lines(self) -> list[str]:
        """Return every assumption with what would settle it."""
        found = []
        for item in self.items:
            found.append(f"{item.attribute} = {spell(item.value)} ({item.rule}, certainty {item.certainty:.2f})")
            found.append(f"  {item.because}")
            found += [f"  an answer could overturn it: {', '.join(item.answers)}"] if item.answers else []
            found += [f"  a measurement could: {', '.join(item.measurements)}"] if item.measurements else []
        return found or ["Nothing is assumed: every decision rests on what was said or measured."]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"items": [item.record() for item in self.items]}


def assumptions(session: Session) -> Assumptions:
    """Return every decision of a fallback rule, and every decision that some open question could still overturn."""
    assessment = assessment_of(session)
    by_attribute = concluding(session.knowledge.pack(*session.packs))
    deciding: dict[str, list[str]] = {}
    for question in questions(session):
        for name in question.decides:
            deciding.setdefault(name, []).append(question.entry.name)
    found = []
    for decision in session.decisions.values():
        answers = tuple(deciding.get(decision.attribute, ()))
        fallback = decision.strength == "fallback"
        if decision.fixed_by_user or not (fallback or answers):
            continue
        rules = [rule for rule in by_attribute.get(decision.attribute, ()) if assessment.status(rule) == "open"]
        missing = _unmeasured(session, [rule.id for rule in rules], assessment) if fallback else ()
        found.append(_assumption(session, decision, fallback, answers, missing))
    return Assumptions(tuple(sorted(found, key=lambda item: (not item.fallback, item.certainty, item.attribute))))


def _assumption(
    session: Session, decision: Decision, fallback: bool, answers: tuple[str, ...], missing: tuple[str, ...]
) -> Assumption:
    rule = session.knowledge.rule(decision.rule)
    because = format_because(rule, session.facts) if rule else ""
    certainty = decision.certainty
    return Assumption(decision.attribute, decision.value, decision.rule, because, certainty, fallback, answers, missing)


def _unmeasured(session: Session, rules: list[str], assessment: Assessment) -> tuple[str, ...]:
    """Facts that nobody is asked for, and that rules stronger than a fallback wait for."""
    found: dict[str, None] = {}
    for rule in filter(None, map(session.knowledge.rule, rules)):
        if STRENGTHS.index(rule.strength) < STRENGTHS.index("fallback"):
            for clause in rule.when:
                waiting = [condition.fact for condition in clause if assessment.truth(condition) is None]
                found |= dict.fromkeys(waiting if assessment.clause(clause) is None else [])
    entries = session.knowledge.vocabulary.entries
    return tuple(name for name in found if entries[name].kind == "fact" and not entries[name].ask)
