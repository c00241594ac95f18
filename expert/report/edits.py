"""Remedies of a run as lines to write, what to expect of them and what will tell, as blocks and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..translation import Edit, Edits
from .document import Block, Bullets, Document, Heading, Paragraph, Verbatim


def edits_blocks(edits: Edits | None) -> Document:
    """Return what to write where, what to expect of it, and what will tell; empty where nothing is to be done."""
    if edits is None or not edits.edits:
        return ()
    blocks: list[Block] = [Heading("What to change"), Paragraph(f"{in_whose_words(edits)} Change one thing at a time.")]
    for edit in edits.edits:
        blocks += edit_blocks(edit, 3)
    checks = tuple(
        (f"{name}: it worked when one of these holds in the next log", lines) for name, lines in edits.checks.items()
    )
    return (*blocks, *((Heading("What will tell", 3), Bullets(checks)) if checks else ()))


def in_whose_words(edits: Edits) -> str:
    """Say where the lines are to be written."""
    framework = edits.framework
    if framework is None:
        return "Lines of plan.yaml."
    known = "" if edits.recognised else " The log does not show what wrote it; --framework NAME says it."
    return f"In the words of {framework.title} ({framework.versions}).{known}"


def edit_blocks(edit: Edit, level: int) -> list[Block]:
    """Return one remedy: its lines or action, and what to expect of it."""
    provided = f", provided that {' and '.join(edit.provided)}" if edit.provided else ""
    change: Block = Verbatim(edit.lines) if edit.lines else Paragraph(edit.action)
    told = Paragraph(f"If it helps: {edit.expect} It costs: {edit.costs}")
    return [Heading(f"{edit.title} ({', '.join(edit.findings)}{provided})", level), change, told]


def edits_record(edits: Edits | None) -> dict[str, Any] | None:
    """Return the same as plain values; None where no framework is known."""
    if edits is None:
        return None
    return {
        **_framework_record(edits), "recognised": edits.recognised,
        "edits": [_edit_record(edit, edits) for edit in edits.edits],
        "checks": {name: list(lines) for name, lines in edits.checks.items()},
    }  # fmt: skip


def _framework_record(edits: Edits) -> dict[str, str]:
    framework = edits.framework
    if framework is None:
        return {"framework": "tonmeister", "title": "plan.yaml", "language": "diff", "versions": ""}
    return {
        "framework": framework.translation, "title": framework.title, "language": framework.language,
        "versions": framework.versions,
    }  # fmt: skip


def _edit_record(edit: Edit, edits: Edits) -> dict[str, Any]:
    """One remedy with what it promises and, by finding, what will tell whether the promise was kept."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(edit).items()}
    return {**values, "check": {name: list(edits.checks[name]) for name in edit.findings}}
