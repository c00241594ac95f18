"""Asks where a report goes and writes it there; what it says is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App

from expert.report.document import Document
from knowledge.errors import TonmeisterError
from knowledge.shown import shown

from .. import audit_pages
from ..exporting import REPORT_FORMS, export_report
from .ask import Ask


async def write_report(app: App[Any], name: str, document: Document, record: dict[str, Any]) -> tuple[str, ...]:
    """Write a report to the file that the user names, in the form of its ending.

    Returns:
        The words that do the same on the command line; empty when nothing was written.
    """
    forms = ", ".join(f".{form}" for form in REPORT_FORMS)
    ask, wanted = "Where shall the report be written?", f"{name}.{REPORT_FORMS[0]}"
    answer = await app.push_screen_wait(Ask(audit_pages.file_step("report", ask, wanted, f"By its ending: {forms}.")))
    if not answer:
        return ()
    try:
        form = export_report(document, record, Path(answer).expanduser())
    except (TonmeisterError, OSError) as error:
        app.notify(shown(str(error)), title="Not written", severity="error", markup=False, timeout=10)
        return ()
    app.notify(shown(f"{answer} is written"), title="Report", markup=False, timeout=10)
    return ("--format", form, "--output", answer)
