"""The facts that a finding rests on, and those that show what it means for this script; concludes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from knowledge.records import Evidence, Fact
from knowledge.reviewing import ReviewDocument

from ..session import Session
from .records import FactHere

if TYPE_CHECKING:
    from ..consultation.review import Review


def evidence_behind(review: Review, name: str) -> tuple[Evidence, ...]:
    """Return what can be looked up of the facts from which rules concluded the fact `name`."""
    return tuple(dict.fromkeys(item for fact in _given(review.session, name, set()) for item in fact.evidence))


def facts_behind(review: Review, name: str) -> tuple[FactHere, ...]:
    """Return the given facts from which rules concluded the fact `name`, nearest first."""
    return tuple(_here(fact, review.session) for fact in _given(review.session, name, set()))


def facts_told(review: Review, about: ReviewDocument | None) -> Iterator[FactHere]:
    """Yield the known facts that a check names because they show what it means here."""
    for name in about.tells if about else ():
        if name in review.session.facts:
            yield _here(review.session.facts[name], review.session)


def _given(session: Session, name: str, seen: set[str]) -> Iterator[Fact]:
    if name in seen or name not in session.facts:
        return
    seen.add(name)
    firings = [firing for firing in session.firings_for(name) if firing.rule.then.value == session.facts[name].value]
    if not firings:
        yield session.facts[name]
    for firing in firings:
        for support in firing.supports:
            if isinstance(support, str):
                yield from _given(session, support, seen)


def _here(fact: Fact, session: Session) -> FactHere:
    evidence = fact.evidence if fact.source == "script" else ()  # other places lie outside of what is reviewed
    first = next((item for item in evidence if item.path), None)
    where = f"{first.path}:{first.line}" if first else ""
    means = session.knowledge.vocabulary.entry(fact.name).means
    return FactHere(fact.name, fact.value, means, first.via if first else "", where)
