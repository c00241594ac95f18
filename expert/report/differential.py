"""Competing causes of the findings, with what speaks for and against each and the next test, as blocks and values."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from ..differential import Weighed, causes_of_run, differential, telling_tests
from ..session import Session
from .document import Bullets, Document, Heading, Paragraph

WORDS = {
    "asserted": "shown",
    "supported": "supported by the evidence",
    "possible": "possible",
    "unlikely": "unlikely",
    "excluded": "ruled out",
}
_BY_HAND = (
    "The tests below are yours to make: this log has no plan of ours, and only with a plan and its clips can the "
    "trainer run them (tonmeister plan MANIFEST, tonmeister train PLAN, tonmeister diagnose RUN --test NAME)."
)
_RESERVATION = "Curves show that something happened, seldom why. The test that is named would tell causes apart."


def differential_blocks(session: Session, *, of_ours: bool = True, done: Container[str] = ()) -> Document:
    """Return the likeliest cause of all, and the causes of every finding that has some on record; empty without any.

    Args:
        session: what was found.
        of_ours: whether the run has a plan, so that the trainer can run the tests; else they are the reader's to make.
        done: tests that were run already.
    """
    found = {finding.id: finding.title for finding in session.findings}
    blocks: list[Any] = []
    for name, title in found.items():
        causes = differential(session, name)
        if causes:
            blocks += [Heading(f"{name}: {title}", 3), Bullets(cause_items(causes, of_ours=of_ours))]
    if not blocks:
        return ()
    return (Heading("What may have caused it"), *_first(session, of_ours, done), Paragraph(_RESERVATION), *blocks)


def cause_items(causes: tuple[Weighed, ...], *, of_ours: bool = True) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return an item for each cause that is still in question, and one line for all that are ruled out."""
    open_ones = [one for one in causes if one.standing != "excluded"]
    ruled_out = tuple(f"{one.cause.text} ({'; '.join(one.contra)})" for one in causes if one.standing == "excluded")
    items = tuple(
        (f"{WORDS[one.standing]}: {one.cause.text}", cause_details(one, of_ours=of_ours)) for one in open_ones
    )
    return (*items, (WORDS["excluded"], ruled_out)) if ruled_out else items


def _first(session: Session, of_ours: bool, done: Container[str]) -> Document:
    """Say in a sentence what comes first, and which tests the trainer can run."""
    told: list[Any] = []
    first = next((one for one in causes_of_run(session) if one.standing in ("asserted", "supported")), None)
    if first is not None:
        word = "Shown" if first.standing == "asserted" else "Likeliest"
        told.append(Paragraph(f"{word}: {first.cause.text} It would explain {', '.join(first.explains)}."))
    tests = telling_tests(session, done)
    if tests and not of_ours:
        told.append(Paragraph(_BY_HAND))
    elif tests:
        told.append(
            Paragraph(f"Tests that the trainer can run: {', '.join(tests)} (tonmeister diagnose RUN --test NAME).")
        )
    return tuple(told)


def differential_record(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Return the same as plain values, by finding."""
    return {
        finding.id: [_record(one) for one in causes]
        for finding in session.findings
        if (causes := differential(session, finding.id))
    }


def causes_record(session: Session) -> list[dict[str, Any]]:
    """Return the causes of the run as a whole, the best supported first, as plain values."""
    return [{**_record(one), "explains": list(one.explains)} for one in causes_of_run(session)]


def _record(one: Weighed) -> dict[str, Any]:
    return {
        "id": one.cause.id, "cause": one.cause.text, "standing": one.standing, "for": list(one.pro),
        "against": list(one.contra), "unknown": list(one.unknown), "test": one.cause.test,
        "settled_by": list(one.cause.settled_by), "sources": list(one.cause.sources),
    }  # fmt: skip


def cause_details(one: Weighed, *, of_ours: bool = True) -> tuple[str, ...]:
    """Return the lines under one cause."""
    settled = one.standing in ("asserted", "excluded")
    runs = of_ours and one.cause.settled_by
    can_run = f" The trainer runs it: --test {one.cause.settled_by[0]}." if runs else ""
    return (
        *((f"for: {'; '.join(one.pro)}",) if one.pro else ()),
        *((f"against: {'; '.join(one.contra)}",) if one.contra else ()),
        *((f"not known: {', '.join(one.unknown)}",) if one.unknown and not settled else ()),
        *(() if settled else (f"test: {one.cause.test}{can_run}",)),
    )
