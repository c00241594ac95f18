"""Remedies of a foreign run in the words of its framework, as blocks and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..translation import Edit, Edits
from .document import Block, Bullets, Document, Heading, Paragraph, Verbatim


def edits_blocks(edits: Edits | None) -> Document:
    """Return what to write where, what to expect of it, and what will tell; empty for runs of our own plans."""
    if edits is None or not edits.edits:
        return ()
    framework = edits.framework
    known = "" if edits.recognised else " The log does not show what wrote it; --framework NAME says it."
    said = f"In the words of {framework.title} ({framework.versions}).{known} Change one thing at a time."
    blocks: list[Block] = [Heading("What to change"), Paragraph(said)]
    for edit in edits.edits:
        blocks += edit_blocks(edit, 3)
    checks = tuple(
        (f"{name} is gone when one of these holds in the next log", lines) for name, lines in edits.checks.items()
    )
    return (*blocks, *((Heading("What will tell", 3), Bullets(checks)) if checks else ()))


def edit_blocks(edit: Edit, level: int) -> list[Block]:
    """Return one remedy: its lines or action, and what to expect of it."""
    provided = f", provided that {' and '.join(edit.provided)}" if edit.provided else ""
    change: Block = Verbatim(edit.lines) if edit.lines else Paragraph(edit.action)
    told = Paragraph(f"If it helps: {edit.expect} It costs: {edit.costs}")
    return [Heading(f"{edit.title} ({', '.join(edit.findings)}{provided})", level), change, told]


def edits_record(edits: Edits | None) -> dict[str, Any] | None:
    """Return the same as plain values; None for runs of our own plans."""
    if edits is None:
        return None
    framework = edits.framework
    return {
        "framework": framework.translation, "title": framework.title, "language": framework.language,
        "versions": framework.versions, "recognised": edits.recognised,
        "edits": [{name: list(value) if isinstance(value, tuple) else value for name, value in asdict(edit).items()}
                  for edit in edits.edits],
        "checks": {name: list(lines) for name, lines in edits.checks.items()},
    }  # fmt: skip
