"""Competing causes of the findings, with what speaks for and against each and the next test, as blocks and values."""

from __future__ import annotations

from typing import Any

from ..differential import Weighed, differential
from ..session import Session
from .document import Bullets, Document, Heading, Paragraph

_WORDS = {"supported": "supported by the evidence", "possible": "possible", "unlikely": "unlikely"}


def differential_blocks(session: Session) -> Document:
    """Return the causes of every finding that has some on record; empty when there are none."""
    found = {finding.id: finding.title for finding in session.findings}
    blocks: list[Any] = []
    for name, title in found.items():
        causes = differential(session, name)
        if causes:
            items = tuple((f"{_WORDS[one.standing]}: {one.cause.text}", _details(one)) for one in causes)
            blocks += [Heading(f"{name}: {title}", 3), Bullets(items)]
    if not blocks:
        return ()
    reservation = "Curves show that something happened, seldom why. The test that is named would tell causes apart."
    return (Heading("What may have caused it"), Paragraph(reservation), *blocks)


def differential_record(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Return the same as plain values, by finding."""
    return {
        finding.id: [
            {
                "cause": one.cause.text, "standing": one.standing, "for": list(one.pro), "against": list(one.contra),
                "unknown": list(one.unknown), "test": one.cause.test, "sources": list(one.cause.sources),
            }
            for one in causes
        ]
        for finding in session.findings
        if (causes := differential(session, finding.id))
    }  # fmt: skip


def _details(one: Weighed) -> tuple[str, ...]:
    return (
        *((f"for: {'; '.join(one.pro)}",) if one.pro else ()),
        *((f"against: {'; '.join(one.contra)}",) if one.contra else ()),
        *((f"not known: {', '.join(one.unknown)}",) if one.unknown else ()),
        f"test: {one.cause.test}",
    )
