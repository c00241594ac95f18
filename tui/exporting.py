"""Writes the report of an audit to a new file in the form that its name asks for; composes no report itself."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from engine.plan import write_atomically
from knowledge.errors import UsageError

if TYPE_CHECKING:
    from expert.consultation.audit import Audit

_HTML = "expert.report.html"
REPORT_FORMS = (*(("html",) if importlib.util.find_spec(_HTML) else ()), "md", "json", "txt")
"""Endings of a report's name; the first is offered."""


def export_report(audit: Audit, path: Path) -> str:
    """Write the report and return the name of its form on the command line.

    Raises:
        UsageError: the file exists, or its ending names no form.
    """
    form = path.suffix.casefold().removeprefix(".")
    if form not in REPORT_FORMS:
        known = ", ".join(f".{name}" for name in REPORT_FORMS)
        raise UsageError(f"{path} ends with {path.suffix or 'nothing'}, expected one of {known}")
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists, expected the name of a new file")
    write_atomically(path, _report(audit, form))
    return "text" if form == "txt" else form


def _report(audit: Audit, form: str) -> str:
    from expert.report.audit import audit_document, audit_record
    from expert.report.markdown import render_markdown
    from expert.report.text import render_text

    if form == "json":
        return json.dumps(audit_record(audit), indent=2, ensure_ascii=False) + "\n"
    document = audit_document(audit)
    if form == "html":
        return str(importlib.import_module(_HTML).render_html(document))
    return render_markdown(document) if form == "md" else render_text(document)
