"""Writes a report to a new file in the form that its name asks for; composes no report itself."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.plan import write_atomically
from knowledge.errors import UsageError

if TYPE_CHECKING:
    from expert.report.document import Document

_HTML = "expert.report.html"
REPORT_FORMS = (*(("html",) if importlib.util.find_spec(_HTML) else ()), "md", "json", "txt")
"""Endings of a report's name; the first is offered."""


def free_name(path: Path) -> Path:
    """Return `path`, or the first name like it that no file has."""
    names = (path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, 1000)))
    return next(name for name in names if not name.exists())


def export_report(document: Document, record: dict[str, Any], path: Path) -> str:
    """Write a report, given as a document and as plain values, and return the name of its form on the command line.

    Raises:
        UsageError: the file exists, or its ending names no form.
    """
    form = path.suffix.casefold().removeprefix(".")
    if form not in REPORT_FORMS:
        known = ", ".join(f".{name}" for name in REPORT_FORMS)
        raise UsageError(f"{path} ends with {path.suffix or 'nothing'}, expected one of {known}")
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists, expected the name of a new file")
    write_atomically(path, _report(document, record, form))
    return "text" if form == "txt" else form


def _report(document: Document, record: dict[str, Any], form: str) -> str:
    from expert.report.markdown import render_markdown
    from expert.report.text import render_text

    if form == "json":
        return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    if form == "html":
        return str(importlib.import_module(_HTML).render_html(document))
    return render_markdown(document) if form == "md" else render_text(document)
