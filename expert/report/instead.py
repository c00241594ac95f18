"""What a script does beside what the expert would have planned, as a document; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from knowledge.conditions import spell

from ..consultation.instead import Beside
from ..reviewing.assembly import place
from .document import Bullets, Document, Heading, Paragraph, Table


def instead_document(rows: Sequence[Beside]) -> Document:
    """Return a table of both, and the reasons where they differ."""
    if not rows:
        return (Heading("What the expert would plan", 1), Paragraph("Nothing can be planned from what is known."))
    table = tuple((row.decision, _script(row), spell(row.plan), _word(row)) for row in rows)
    apart = tuple(
        (f"{row.decision}: {spell(row.plan)} instead of {spell(row.script)}", (row.because, f"rule {row.rule}"))
        for row in rows
        if row.agrees is False and row.script is not None
    )
    reasons: Document = (Heading("Why"), Bullets(apart)) if apart else (Paragraph("Where both are known, they agree."),)
    return (
        Heading("The script beside what the expert would plan", 1),
        Table(("decision", "script", "expert", ""), table),
        *reasons,
    )


def instead_record(rows: Sequence[Beside]) -> list[dict[str, Any]]:
    """Return both as plain values."""
    return [
        {"decision": row.decision, "script": row.script, "place": place(row.place) if row.place else "",
         "plan": row.plan, "because": row.because, "rule": row.rule, "assumed": row.assumed}
        for row in rows
    ]  # fmt: skip


def _script(row: Beside) -> str:
    if row.script is None:
        return "cannot tell"
    return spell(row.script) + (f" ({place(row.place)})" if row.place is not None else "")


def _word(row: Beside) -> str:
    if row.agrees is None:
        return ""
    return "as planned" if row.agrees else "assumed otherwise" if row.assumed else "otherwise"
