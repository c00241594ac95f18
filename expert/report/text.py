"""Renders a document as plain text for a terminal; legible without colour, nothing wider than asked."""

from __future__ import annotations

import textwrap
from functools import partial
from itertools import pairwise

from .document import Block, Bullets, Document, Gallery, Heading, Paragraph, Table, neutral

_fill = partial(textwrap.fill, break_on_hyphens=False)
"""Ids hold hyphens, and half an id finds nothing when it is searched for."""


def render_text(document: Document, width: int = 100) -> str:
    """Return the document as text of at most `width` columns; tables and verbatim lines keep their own width."""
    document = neutral(document)
    parts = [_block(block, width) for block in document]
    gaps = ["\n" if isinstance(before, Heading) and before.level > 2 else "\n\n" for before, _ in pairwise(document)]
    return "".join(part + gap for part, gap in zip(parts, [*gaps, "\n"], strict=True))


def _block(block: Block, width: int) -> str:
    if isinstance(block, Heading):
        underline = {1: "=", 2: "-"}.get(block.level)
        return f"{block.text}\n{underline * len(block.text)}" if underline else block.text
    if isinstance(block, Paragraph):
        return _fill(block.text, width)
    if isinstance(block, Bullets):
        return "\n".join(_item(text, details, width) for text, details in block.items)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Gallery):
        return "\n".join(_item(picture.title, (picture.description,), width) for picture in block.pictures)
    return "\n".join(f"    {line}" for line in block.lines)


def _item(text: str, details: tuple[str, ...], width: int) -> str:
    lines = [_fill(text, width, initial_indent="* ", subsequent_indent="  ")]
    lines += [_fill(line, width, initial_indent="    ", subsequent_indent="      ") for line in details]
    return "\n".join(lines)


def _table(table: Table) -> str:
    rows = (table.columns, *table.rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    right = [all(is_number(row[column]) for row in table.rows) for column in range(len(table.columns))]
    lines = [
        "  ".join(
            cell.rjust(size) if flush else cell.ljust(size)
            for cell, size, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * size for size in widths))
    return "\n".join(lines)


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, so that its column is right-aligned."""
    try:
        float(cell.replace(",", "").removesuffix("%"))
    except ValueError:
        return cell in ("", "-")
    return True
