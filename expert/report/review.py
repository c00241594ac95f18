"""The report of a review for people and programs: findings by dimension, advice in a line, what is not decided."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from knowledge.conditions import spell
from knowledge.records import Evidence
from knowledge.reviewing import DIMENSIONS, Implementation

from ..reviewing.assembly import place
from ..reviewing.records import CheckRow, FactHere, ReviewFinding, ReviewReport
from .document import Bullets, Document, Heading, Paragraph, Table
from .findings import SIGNS

SCHEMA = "tonmeister.review/1"
_MOST_FACTS = 6
_MOST_PLACES = 3
_MOST_IMPLEMENTATIONS = 3


def review_document(report: ReviewReport, *, everything: bool = False) -> Document:
    """Return the report for people; `everything`: every finding, every check and what is silenced."""
    shown = report.findings if everything else report.shown
    return (
        Heading(f"Review of {report.entry}", 1),
        Paragraph(_summary(report)),
        *_findings(report, shown),
        *_advice(report, everything),
        *_undecided(report),
        *_silenced(report, everything),
        *_remarks(report),
        *(_states(report) if everything else ()),
    )


def review_record(report: ReviewReport) -> dict[str, Any]:
    """Return the report as plain values; every check stands in `checks`, every finding in `findings`."""
    return {
        "schema": SCHEMA,
        "root": report.root,
        "entry": report.entry,
        "alternatives": list(report.alternatives),
        "launches": list(report.launches),
        "configurations": list(report.configurations),
        "searched": asdict(report.searched),
        "most_shown": report.most_shown,
        "findings": [finding_record(finding) for finding in report.findings],
        "advice": [finding_record(finding) for finding in report.advice],
        "checks": [_check_record(row) for row in report.checks],
        "suppressed": [
            {"reason": item.reason, "by": item.by, **finding_record(item.finding)} for item in report.suppressed
        ],
        "remarks": [asdict(remark) for remark in report.remarks],
    }


def finding_record(finding: ReviewFinding) -> dict[str, Any]:
    """Return one finding as plain values."""
    record = asdict(finding)
    record["locations"] = [_place_record(item) for item in finding.locations]
    record["implementation"] = [item.model_dump() for item in finding.implementation]
    return record


def _check_record(row: CheckRow) -> dict[str, Any]:
    return {**asdict(row), "locations": [_place_record(item) for item in row.locations]}


def _place_record(item: Evidence) -> dict[str, Any]:
    return {name: value for name, value in asdict(item).items() if value not in (None, "")}


def _summary(report: ReviewReport) -> str:
    states: list[str] = [row.state for row in report.checks]
    counts = ", ".join(
        f"{states.count(state)} {word}"
        for state, word in (
            ("present", "there"), ("missing", "missing"), ("undecidable", "not decided"),
            ("not-applicable", "not applicable"),
        )
    )  # fmt: skip
    launch = f", launched by {', '.join(report.launches)}" if report.launches else ""
    others = f" Other files that might be meant: {', '.join(report.alternatives)}." if report.alternatives else ""
    reach = report.searched
    return (
        f"{len(states)} checks: {counts}. Read, not run: {reach.files} files, {reach.calls} calls from"
        f" {report.entry}{launch}; {reach.unresolved_calls} calls led nowhere that reading can follow.{others}"
    )


def _findings(report: ReviewReport, shown: tuple[ReviewFinding, ...]) -> Document:
    if not shown:
        reservation = f" {len(report.undecided)} checks are not decided, see below." if report.undecided else ""
        return (Heading("Findings"), Paragraph(f"Nothing was found that a rule would report.{reservation}"))
    items = tuple((_headline(number, each), finding_lines(each)) for number, each in enumerate(shown, 1))
    bullets = Bullets(items, tuple(each.severity for each in shown))
    hidden = len(report.findings) - len(shown)
    more = (Paragraph(f"{hidden} more of less weight: --all shows them."),) if hidden else ()
    return (Heading("Findings, the weightiest first"), bullets, *more)


def _headline(number: int, finding: ReviewFinding) -> str:
    where = f" ({place(finding.anchor)})" if finding.anchor else ""
    return f"{number}. {SIGNS[finding.severity]} {finding.id}: {finding.title}{where}"


def finding_lines(finding: ReviewFinding) -> tuple[str, ...]:
    """Return what an engineer acts on, a line each: what, why here, where a reliable implementation is, the patch."""
    return (
        f"what: {finding.what}",
        f"why here: {finding.why_here}",
        *([f"your data: {'; '.join(finding.confirmed)}"] if finding.confirmed else []),
        *([f"facts: {'; '.join(map(_fact, finding.facts[:_MOST_FACTS]))}"] if finding.facts else []),
        *_where(finding),
        *_implementations(finding),
        *_fix(finding),
        f"rule {finding.rule} (confidence {finding.confidence:.2f}), sources {', '.join(finding.sources) or 'none'}",
    )


def _fact(fact: FactHere) -> str:
    where = f" ({fact.place})" if fact.place else ""
    return f"{fact.name} = {spell(fact.value)}{where}"


def _where(finding: ReviewFinding) -> list[str]:
    others = [place(item) for item in finding.locations if item is not finding.anchor][:_MOST_PLACES]
    return [f"see also: {', '.join(others)}"] if others else []


def _implementations(finding: ReviewFinding) -> list[str]:
    lines = []
    if finding.implementation:
        lines.append(f"use: {'; '.join(map(implementation_text, finding.implementation[:_MOST_IMPLEMENTATIONS]))}")
        lines += [f"read: {item.url}" for item in finding.implementation[:1] if item.url]
    if finding.recipe:
        lines.append(f"recipe: {finding.recipe}")
    return lines


def implementation_text(item: Implementation) -> str:
    """Return where something that does it well is to be had."""
    call, _, argument = item.symbol.partition(":")
    named = f"{call}({argument}=...)" if argument else call
    return f"{named} (since {item.since})" if item.since else named


def _fix(finding: ReviewFinding) -> list[str]:
    fix = finding.fix
    if fix is None:
        return []
    if fix.applicability == "display":
        return [f"for example: {line}" if not number else line for number, line in enumerate(fix.example.splitlines())]
    asks = "" if fix.applicability == "safe" else ", asks first"
    return [f"patch: {fix.patch} ({fix.applicability}{asks}); --diff shows it, --fix applies it"]


def _advice(report: ReviewReport, everything: bool) -> Document:
    if not report.advice:
        return ()
    named = ", ".join(f"{each.id} ({each.title.lower()})" for each in report.advice)
    blocks: Document = (Heading("Advice"), Paragraph(f"Good practice that is not there: {named}."))
    if everything:
        items = tuple((f"{each.id}: {each.title}", finding_lines(each)) for each in report.advice)
        return (*blocks, Bullets(items, tuple(each.severity for each in report.advice)))
    return blocks


def _undecided(report: ReviewReport) -> Document:
    """Each reason once: one missing file often keeps many checks from an answer."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for row in report.undecided:
        groups.setdefault((row.why, row.decided_by), []).append(row.id)
    items = tuple(
        (f"{', '.join(ids)}: {'; '.join(why) or 'no rule could tell'}", _deciders(decided_by))
        for (why, decided_by), ids in groups.items()
    )
    return (Heading("Not decided, and what would decide it"), Bullets(items)) if items else ()


def _deciders(decided_by: tuple[str, ...]) -> tuple[str, ...]:
    return (f"would tell: {'; '.join(decided_by)}",) if decided_by else ()


def _silenced(report: ReviewReport, everything: bool) -> Document:
    if not report.suppressed:
        return ()
    if not everything:
        return (Paragraph(f"{len(report.suppressed)} findings are silenced by comments, settings or the baseline."),)
    items = tuple((f"{item.finding.id}: {item.reason} ({item.by})", ()) for item in report.suppressed)
    return (Heading("Silenced"), Bullets(items))


def _remarks(report: ReviewReport) -> Document:
    items = tuple((f"{each.path}:{each.line}: {each.text}" if each.path else each.text, ()) for each in report.remarks)
    return (Heading("Remarks"), Bullets(items)) if items else ()


def _states(report: ReviewReport) -> Document:
    blocks: list[Any] = [Heading("All checks")]
    for dimension, title in DIMENSIONS.items():
        rows = tuple(_state_row(row) for row in report.checks if row.dimension == dimension)
        if rows:
            blocks += [Heading(title, 3), Table(("check", "state", "where"), rows)]
    return tuple(blocks)


def _state_row(row: CheckRow) -> tuple[str, ...]:
    first = next((item for item in row.locations if item.path and item.line), None)
    via = f"{row.via}, " if row.via else ""
    return row.id, row.state, f"{via}{place(first)}" if first else row.via
