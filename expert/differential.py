"""Weighs causes that compete for findings by what is known of the run; asserts none without decisive evidence."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from engine.separating import QUICK
from knowledge.conditions import Clause, Condition, spell
from knowledge.differential import STANDINGS, Cause, Standing
from knowledge.records import SEVERITIES, Fact

from .reference import Assessment
from .session import Session
from .strata import concluding

_SOUND = "healthy"
"""The finding that says that no curve shows a fault."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One cause with what was found for and against it."""

    cause: Cause
    standing: Standing
    """`supported` when something speaks for it and nothing against; `unlikely` when more speaks against than for."""
    pro: tuple[str, ...]
    contra: tuple[str, ...]
    unknown: tuple[str, ...]
    """Facts that would speak, and that nobody knows."""
    explains: tuple[str, ...]
    """Findings of this run that it would bring about."""


def differential(session: Session, finding: str) -> tuple[Weighed, ...]:
    """Return the causes of a finding, the best supported first; empty where none are on record."""
    return _ranked(session, [cause for cause in session.knowledge.causes if finding in cause.explains])


def causes_of_run(session: Session) -> tuple[Weighed, ...]:
    """Return the causes of everything that was found, the best supported first."""
    found = {finding.id for finding in session.findings}
    return _ranked(session, [cause for cause in session.knowledge.causes if found & set(cause.explains)])


def telling_tests(session: Session, done: Container[str] = ()) -> tuple[str, ...]:
    """Return the tests that would settle the causes still open: the quick ones first, then by the likeliest cause.

    Tests that are `done` are not asked for again: what they could not tell of this run they cannot tell now.

    Where nothing serious was found and the run was not found sound either, those of its notes.
    """
    serious = {finding.id for finding in session.findings if finding.severity != "note"}
    of_run = {finding.id for finding in session.findings if not finding.rule.startswith("audit.")}
    if not serious & of_run and _SOUND not in of_run:
        serious |= of_run
    open_causes = [one for one in causes_of_run(session) if serious & set(one.explains)]
    shown = {finding for one in open_causes if one.standing == "asserted" for finding in one.explains}
    wanted = (
        name
        for one in open_causes
        if one.standing in ("supported", "possible", "unlikely") and serious & set(one.explains) - shown
        for name in one.cause.settled_by
        if name not in done
    )
    return tuple(sorted(dict.fromkeys(wanted), key=lambda name: name not in QUICK))


def standing_of(cause: Cause, assessment: Assessment) -> Standing:
    """Return how a cause stands; only decisive evidence asserts or excludes it, and where both is there, neither."""
    asserted = bool(cause.asserted_when) and all(assessment.clause(one) is True for one in cause.asserted_when)
    excluded = bool(cause.excluded_when) and all(assessment.clause(one) is True for one in cause.excluded_when)
    if asserted != excluded:
        return "asserted" if asserted else "excluded"
    pro = sum(assessment.clause(one) is True for one in cause.speaks_for)
    contra = sum(assessment.clause(one) is True for one in cause.speaks_against)
    return "supported" if pro and not contra else "unlikely" if contra > pro else "possible"


def failures_of_cause(cause: Cause) -> Iterator[str]:
    """Run the examples of a cause and tell each that turns out otherwise than written; facts alone, no rules."""
    for example in cause.examples:
        facts = {name: Fact(name, value, "user") for name, value in example.given.items()}
        found = standing_of(cause, Assessment({}, facts.get))
        if found != example.standing:
            yield f"{cause.id}: given {example.given} it is {found}, expected {example.standing}"


def _ranked(session: Session, causes: Iterable[Cause]) -> tuple[Weighed, ...]:
    assessment = Assessment(concluding(session.knowledge.pack(*session.packs)), session.facts.get)
    # of two findings as grave as each other, the run's own comes before one of its clips: it is the run one asks about
    severity = {
        finding.id: 2 * SEVERITIES.index(finding.severity) + finding.rule.startswith("audit.")
        for finding in reversed(session.findings)
    }
    weighed = [_weigh(cause, session, assessment) for cause in causes]

    def place(one: Weighed) -> tuple[int, int, int, int]:
        worst = min((severity[name] for name in one.explains), default=2 * len(SEVERITIES))
        return STANDINGS.index(one.standing), worst, len(one.contra) - len(one.pro), -len(one.explains)

    return tuple(sorted(weighed, key=place))


def _weigh(cause: Cause, session: Session, assessment: Assessment) -> Weighed:
    standing = standing_of(cause, assessment)
    pro = (*(cause.asserted_when if standing == "asserted" else ()), *cause.speaks_for)
    contra = (*(cause.excluded_when if standing == "excluded" else ()), *cause.speaks_against)
    asked = (one for clause in cause.clauses for one in clause if one.kind == "is")
    unknown = tuple(dict.fromkeys(one.fact for one in asked if one.fact not in session.facts))
    found = {finding.id for finding in session.findings}
    explains = tuple(one for one in cause.explains if one in found)
    return Weighed(
        cause, standing, _found(pro, session, assessment), _found(contra, session, assessment), unknown, explains
    )


def _found(clauses: Iterable[Clause], session: Session, assessment: Assessment) -> tuple[str, ...]:
    """Say each clause that holds, once, by the first of its conditions that does."""
    holding = (next((one for one in clause if assessment.truth(one) is True), None) for clause in clauses)
    return tuple(dict.fromkeys(_shown(one, session) for one in holding if one is not None))


def _shown(one: Condition, session: Session) -> str:
    fact = session.facts.get(one.fact)
    return f"{one.fact} is {spell(fact.value)}" if fact is not None and one.kind == "is" else str(one)
