"""One decision table as a page: the rows as a table, then the reason of each. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.conditions import Clause, spell
from knowledge.rulebook import Knowledge, Rule

from .document import Bullets, Document, Heading, Paragraph, Table


def table_document(rows: Sequence[Rule], knowledge: Knowledge) -> Document:
    """Return the page of a table, from its rows in file order."""
    first = next((row for row in rows if row.own is None), rows[0])
    entry = knowledge.vocabulary.entry(first.then.attribute)
    facts = tuple(dict.fromkeys(condition.fact for row in rows for condition in row.conditions))
    cells = tuple(
        (*(_cell(row, fact) for fact in facts), spell(row.then.value), f"{row.certainty:.2f}") for row in rows
    )
    reasons = tuple((f"{spell(row.then.value)} ({row.id}): {row.because}", ()) for row in rows)
    own = tuple((row.own.sentence(), tuple[str, ...]()) for row in rows if row.own)
    sources = dict.fromkeys(source for row in rows for source in row.sources)
    return (
        Heading(f"Table {first.table}", 1),
        Paragraph(f"{first.strength.capitalize()} rules, since {first.since}, {first.file}:{first.line}."),
        Paragraph(f"{first.then.attribute}: {entry.means}"),
        Table((*facts, first.then.attribute, "certainty"), cells),
        Heading("Reasons"),
        Bullets(reasons),
        *((Heading("Own knowledge"), Bullets(own)) if own else ()),
        Heading("Sources"),
        Bullets(tuple((f"{source}: {knowledge.citation(source)}", ()) for source in sources)),
    )


def _cell(row: Rule, fact: str) -> str:
    clauses = (*row.when, *row.needs)
    return ", ".join(_short(clause, fact) for clause in clauses if any(item.fact == fact for item in clause))


def _short(clause: Clause, fact: str) -> str:
    """A condition without the name that stands in the head of its column."""
    return " or ".join(
        str(item).removeprefix(f"{fact} ").removeprefix("is ") if item.fact == fact else str(item) for item in clause
    )
