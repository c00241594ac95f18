"""The checks of a review by dimension: findings first, then what could not be told, on request what is there."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from expert.reviewing.records import CheckRow, ReviewFinding, ReviewReport

from ..reviewing import CHECK, SIGN_OF_STATE, dimension_line, dimensions_of, finding_text, findings_of
from .findings import STYLES
from .rows import Row, Rows, fit, rule_heading, wrap


class CheckList(Rows):
    """One row a finding or check, under a heading for each of the nine dimensions."""

    def show(self, report: ReviewReport, *, everything: bool) -> None:
        """Show the findings and questions of a report; `everything`: what is there and what does not apply as well."""
        rows: list[Row] = []
        for dimension in dimensions_of(report):
            inside = [Row(each.id, _finding(each)) for each in findings_of(report, dimension)]
            found = {row.id for row in inside}
            others = (row for row in report.checks if row.dimension == dimension and row.id not in found)
            inside += [Row(CHECK + row.id, _check(row)) for row in others if everything or _open(row)]
            heading = Row(f"dimension:{dimension}", rule_heading(dimension_line(report, dimension)), heading=True)
            rows += [heading, *inside] if inside else []
        self.border_title = f"{len(report.findings)} found, {len(report.undecided)} questions"
        self.set_rows(rows)


def _open(check: CheckRow) -> bool:
    return check.state == "undecidable"


def _finding(finding: ReviewFinding) -> Callable[[int], Content]:
    def build(width: int) -> Content:
        first = Content.styled(fit(finding_text(finding), width), STYLES[finding.severity])
        return Content.assemble(first, "\n", wrap(finding.title, width, indent="  "))

    return build


def _check(check: CheckRow) -> Callable[[int], Content]:
    return lambda width: Content.styled(fit(f"{SIGN_OF_STATE[check.state]} {check.id}", width), "$foreground-muted")
