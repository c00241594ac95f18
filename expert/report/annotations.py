"""A review as annotations of GitHub Actions: workflow commands, one line each; decides nothing."""

from __future__ import annotations

from knowledge.records import Severity
from knowledge.shown import shown

from ..reviewing.records import ReviewFinding, ReviewReport

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}


def github_annotations(report: ReviewReport, *, everything: bool = False) -> str:
    """Return a line for each shown finding; paths are relative to the project's folder, as GitHub wants them.

    Unlike the text, whoever reads a pull request has no --all: `everything` is for the command line to decide.
    """
    shown_findings = report.findings if everything else report.shown
    return "".join(f"{_command(finding)}\n" for finding in shown_findings)


def _command(finding: ReviewFinding) -> str:
    anchor = finding.anchor
    where: dict[str, object] = {}
    if anchor is not None and anchor.cell:  # our line counts those of the cells, not of the file
        where = {"file": anchor.path}
    elif anchor is not None:
        where = {"file": anchor.path, "line": anchor.line, "endLine": max(anchor.end_line or 0, anchor.line or 1)}
    properties = {**where, "title": f"{finding.id}: {finding.title}"}
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {told}::{_data(f'{finding.what}. {finding.why_here}')}"


def _data(text: str) -> str:
    return shown(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
