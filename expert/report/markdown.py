"""Renders a document as GitHub-flavoured Markdown."""

from __future__ import annotations

import re

from .document import Block, Bullets, Document, Gallery, Heading, Paragraph, Table, neutral
from .text import is_number

_MARKUP = re.compile(r"[\\`*_\[\]]|^[#>]", re.MULTILINE)


def render_markdown(document: Document) -> str:
    """Return the document as Markdown."""
    return "\n\n".join(_block(block) for block in neutral(document)) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_escape(block.text)}"
    if isinstance(block, Paragraph):
        return _escape(block.text)
    if isinstance(block, Bullets):
        return "\n".join(
            "\n".join([f"- {_escape(text)}", *(f"  - {_escape(line)}" for line in details)])
            for text, details in block.items
        )
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Gallery):
        return "\n".join(f"- {_escape(picture.title)}: {_escape(picture.description)}" for picture in block.pictures)
    return "\n".join(["```", *block.lines, "```"])


def _table(table: Table) -> str:
    columns = range(len(table.columns))
    rule = ["---:" if all(is_number(row[column]) for row in table.rows) else "---" for column in columns]
    rows = [[_escape(cell).replace("|", "\\|") for cell in row] for row in (table.columns, *table.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:]))


def _escape(text: str) -> str:
    """Take the meaning from every character that Markdown would read: names of files hold them."""
    return _MARKUP.sub(r"\\\g<0>", text).replace("<", "&lt;")
