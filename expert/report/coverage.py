"""The coverage of the source documents as a page or a record; derives nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from knowledge.items import KINDS
from knowledge.rulebook import Knowledge

from ..coverage import OTHERWISE, Cell, CoverageRow
from .document import Bullets, Document, Heading, Paragraph, Table

_SHOWN = 3
_STATES = {"there": "", "planned": " (planned)", "left out": " (left out)"}
_BRIEF = {
    "R": "plan rules",
    "A": "audit rules",
    "V": "review rules",
    "D": "diagnosis rules",
    "U": "search presets",
    OTHERWISE: "facts",
}


def coverage_document(rows: Iterable[CoverageRow], knowledge: Knowledge, *, brief: bool = False) -> Document:
    """Return a table for each source document; `brief` names the rulebooks and not each rule."""
    rows = tuple(rows)
    open_rows = [row.item.item for row in rows if row.uncovered]
    blocks: Document = (Heading("What the source documents ask for, and what serves it", 1), Paragraph(_intro(brief)))
    if open_rows:
        blocks = (*blocks, Paragraph(f"Not served: {', '.join(open_rows)}."))
    for document, source in knowledge.sources.items():
        own = [row for row in rows if row.item.item.startswith(f"{document}-")]
        if own:
            lines = tuple((row.item.item, _asks(row), row.item.says, _serves(row, brief)) for row in own)
            blocks = (
                *blocks,
                Heading(document),
                Paragraph(source.citation),
                Table(("item", "asks", "says", "served by"), lines),
            )
    return blocks


def item_document(row: CoverageRow, knowledge: Knowledge) -> Document:
    """Return one row: what the document says, what it asks for, and everything that serves it."""
    item = row.item
    lines = [
        (f"{_name(cell.kind)}: {'served by' if cell.covered else 'NOTHING serves it'}", _everything(cell, row))
        for cell in row.cells
    ]
    return (
        Heading(f"{item.item}: {item.says}", 1),
        Paragraph(knowledge.citation(item.item)),
        Paragraph(f"Asks for: {', '.join(name for letter, name in KINDS.items() if letter in item.kinds)}."),
        Bullets(tuple(lines)),
    )


def _name(kind: str) -> str:
    return next((name for letter, name in KINDS.items() if letter == kind), "besides rules")


def _everything(cell: Cell, row: CoverageRow) -> tuple[str, ...]:
    by_hand = (f"{one.by}{_STATES[one.state]}: {one.items[row.item.item]}" for one in cell.served)
    return (*cell.citing, *by_hand)


def coverage_record(rows: Iterable[CoverageRow]) -> dict[str, Any]:
    """Return the same as a record."""
    return {
        "schema": "tonmeister.coverage/1",
        "items": [
            {
                "item": row.item.item,
                "kinds": row.item.kinds,
                "says": row.item.says,
                "uncovered": list(row.uncovered),
                "served": [_cell_record(cell, row) for cell in row.cells],
            }
            for row in rows
        ],
    }


def _cell_record(cell: Cell, row: CoverageRow) -> dict[str, Any]:
    return {
        "kind": cell.kind or "otherwise",
        "cited_by": list(cell.citing),
        "by_hand": [
            {"by": one.by, "state": one.state, "reason": one.items[row.item.item], "see": list(one.see)}
            for one in cell.served
        ],
    }


def _intro(brief: bool) -> str:
    kinds = ", ".join(f"{letter} {name}" for letter, name in KINDS.items())
    detail = "`tonmeister rules cover` names each rule. " if brief else ""
    return (
        "Each row is one thing that a document says; rules cite it by its id. "
        f"The letters say what it asks for: {kinds}. "
        f"Generated from the citations in the rules and from knowledge/items/served.yaml. {detail}"
    ).rstrip()


def _asks(row: CoverageRow) -> str:
    return " ".join(row.item.kinds)


def _serves(row: CoverageRow, brief: bool) -> str:
    texts = list(dict.fromkeys(text for cell in row.cells for text in _cell_texts(cell, row, brief)))
    return "; ".join(texts) if texts else "NOTHING"


def _cell_texts(cell: Cell, row: CoverageRow, brief: bool) -> Iterator[str]:
    if cell.citing and brief:
        yield _BRIEF[cell.kind]
    elif cell.citing:
        more = len(cell.citing) - _SHOWN
        yield ", ".join(cell.citing[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    for one in cell.served:
        yield f"{one.by}{_STATES[one.state]}: {one.items[row.item.item]}"
    if not cell.covered:
        yield f"NOTHING serves {cell.kind or 'it'}"
