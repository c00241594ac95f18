"""Findings with their first evidence, worst first; what could not be assessed comes last. Assesses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.content import Content

from expert.consultation.rounds import RoundReport
from knowledge.records import Finding, NotAssessable, Severity

from ..explaining import evidence_line
from ..steps import SYMBOLS, heading
from .rows import Row, Rows, fit, wrap

STYLES: dict[Severity, str] = {"error": "bold $text-error", "warning": "bold $text-warning", "note": "bold"}
UNKNOWN = "unknown:"
"""Prefix of the ids of findings that could not be assessed."""


class FoundList(Rows):
    """What a consultation found, one row a finding, worst first; then what could not be assessed."""

    def show(self, findings: Sequence[Finding], unsure: Sequence[NotAssessable]) -> None:
        """Show what was found."""
        self.empty = "Nothing was found that a rule would report."
        self.border_title = f"{len(findings)} found" + (f", {len(unsure)} not assessable" if unsure else "")
        rows = [Row(finding.id, _titled(finding)) for finding in findings]
        rows += [Row(UNKNOWN + item.id, _named(item)) for item in unsure]
        self.set_rows(rows)


def _titled(finding: Finding) -> Callable[[int], Content]:
    count = f" · {len(finding.paths)}" if finding.paths else ""

    def build(width: int) -> Content:
        whole = heading(finding)
        fits = cell_len(whole + count) <= width  # else the symbol alone says how grave it is
        name = whole if fits else f"{SYMBOLS[finding.severity]} {finding.id}"
        first = Content.assemble(
            (fit(name, width - len(count)).rstrip(), STYLES[finding.severity]), (count, "$foreground-muted")
        )
        return Content.assemble(first, "\n", wrap(finding.title, width, indent="  "))

    return build


def _named(item: NotAssessable) -> Callable[[int], Content]:
    return lambda width: Content.styled(fit(f"? {item.id}", width), "$foreground-muted")


class FindingList(Rows):
    """One row a finding; enter shows all its evidence, its rule and its sources."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="evidence", empty="Findings appear when a round has ended.", **arguments)
        self.report: RoundReport | None = None

    def show(self, report: RoundReport | None) -> None:
        """Show what was found in a round."""
        self.report = report
        if report is None:
            self.border_title = "findings"
            self.set_rows(())
            return
        self.empty = "Nothing is wrong with this run."
        found, unsure = len(report.findings), len(report.not_assessable)
        title = f"round {report.round.number}: {found} found"
        self.border_title = title + (f", {unsure} not assessable" if unsure else "")
        rows = [Row(finding.id, _finding(finding)) for finding in report.findings]
        rows += [Row(UNKNOWN + item.id, _open(item)) for item in report.not_assessable]
        self.set_rows(rows)


def _finding(finding: Finding) -> Callable[[int], Content]:
    def build(width: int) -> Content:
        text = evidence_line(finding.evidence[0]) if finding.evidence else finding.because
        return Content.assemble((heading(finding), STYLES[finding.severity]), "\n", wrap(text, width, indent="  "))

    return build


def _open(item: NotAssessable) -> Callable[[int], Content]:
    text = f"? {item.id}: needs {', '.join(item.needs)}"
    return lambda width: Content.styled(wrap(text, width), "$foreground-muted")
