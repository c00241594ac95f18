"""Weighs causes that compete for a finding by what is known of the run; asserts none without evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.conditions import Clause, Condition, spell
from knowledge.differential import Cause

from .session import Session

Standing = Literal["supported", "possible", "unlikely"]
_ORDER: tuple[Standing, ...] = ("supported", "possible", "unlikely")


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


def differential(session: Session, finding: str) -> tuple[Weighed, ...]:
    """Return the causes of a finding, the best supported first; empty where none are on record."""
    weighed = [_weigh(cause, session) for cause in session.knowledge.differentials.get(finding, ())]
    return tuple(sorted(weighed, key=lambda one: (_ORDER.index(one.standing), len(one.contra) - len(one.pro))))


def _weigh(cause: Cause, session: Session) -> Weighed:
    pro = tuple(_shown(clause, session) for clause in cause.speaks_for if _holds(clause, session))
    contra = tuple(_shown(clause, session) for clause in cause.speaks_against if _holds(clause, session))
    asked = (one.fact for clause in (*cause.speaks_for, *cause.speaks_against) for one in clause)
    unknown = tuple(dict.fromkeys(fact for fact in asked if fact not in session.facts))
    standing: Standing = "supported" if pro and not contra else "unlikely" if len(contra) > len(pro) else "possible"
    return Weighed(cause, standing, pro, contra, unknown)


def _holds(clause: Clause, session: Session) -> bool:
    return any(_true(one, session) for one in clause)


def _true(one: Condition, session: Session) -> bool:
    fact = session.facts.get(one.fact)
    return fact is not None and one.kind == "is" and one.holds(fact.value)


def _shown(clause: Clause, session: Session) -> str:
    one = next(one for one in clause if _true(one, session))
    return f"{one.fact} is {spell(session.facts[one.fact].value)}"
