"""What the Review mode shows of a review: a line for each check, a page for the chosen one, the source around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from rich.syntax import Syntax
from rich.text import Text

from expert.report.document import Block, Bullets, Document, Heading, Paragraph, Verbatim
from expert.report.findings import SIGNS
from expert.report.review import implementation_text
from expert.reviewing.assembly import place
from expert.reviewing.records import CheckRow, ReviewFinding, ReviewReport
from knowledge.conditions import spell
from knowledge.records import Evidence
from knowledge.reviewing import DIMENSIONS
from knowledge.rulebook import Knowledge

from .explaining import citations
from .steps import SYMBOLS, Choice, Step

TRAPS = "Known traps"
CHECK = "check:"
"""Prefix of the ids of rows that stand for a check without a finding."""
SIGN_OF_STATE = {"present": "✓", "not-applicable": "–", "undecidable": "?", "missing": "!"}
DONT_KNOW = "dont-know"
STATES = (
    Choice("present", "Yes, it is there"),
    Choice("missing", "No, it is not"),
    Choice("not-applicable", "It does not apply here"),
    Choice(DONT_KNOW, "I don't know"),
)


def findings_of(report: ReviewReport, dimension: str) -> tuple[ReviewFinding, ...]:
    """Return the findings and the advice of one dimension, in the order of the report."""
    return tuple(each for each in (*report.findings, *report.advice) if each.dimension == dimension)


def dimensions_of(report: ReviewReport) -> tuple[str, ...]:
    """Return the nine dimensions, then those of findings that belong to none of them, such as traps of packages."""
    others = {each.dimension for each in (*report.findings, *report.advice)} - set(DIMENSIONS)
    return (*DIMENSIONS, *sorted(others))


def dimension_line(report: ReviewReport, dimension: str) -> str:
    """Return the title of a dimension with how many of its checks are in which state."""
    states = [row.state for row in report.checks if row.dimension == dimension]
    counts = [f"{states.count(state)}{sign}" for state, sign in SIGN_OF_STATE.items() if states.count(state)]  # type: ignore[arg-type]
    title = DIMENSIONS.get(dimension, TRAPS)  # type: ignore[call-overload]
    return f"{title}  {' '.join(counts)} "


def finding_text(finding: ReviewFinding) -> str:
    """Return the line of a finding."""
    return f"{SYMBOLS[finding.severity]} {finding.id}"


def finding_of(report: ReviewReport, name: str) -> ReviewFinding | None:
    """Return the finding of a row."""
    return next((each for each in (*report.findings, *report.advice) if each.id == name), None)


def check_of(report: ReviewReport, name: str) -> CheckRow | None:
    """Return the check of a row."""
    return next((row for row in report.checks if CHECK + row.id == name), None)


def page_of(report: ReviewReport, knowledge: Knowledge, name: str) -> Document:
    """Return the page of a row: of a finding, of a check, or of the review as a whole."""
    if (finding := finding_of(report, name)) is not None:
        return tuple(_finding_page(finding, knowledge))
    if (row := check_of(report, name)) is not None:
        return tuple(_check_page(row, knowledge))
    return (Heading(report.entry, 1), Paragraph("Nothing was found that a rule would report."))


def _finding_page(finding: ReviewFinding, knowledge: Knowledge) -> Iterator[Block]:
    yield Heading(f"{SIGNS[finding.severity]} {finding.title}", 1)
    yield Paragraph(finding.what)
    yield Heading("Why here")
    yield Paragraph(finding.why_here)
    if finding.facts:
        yield Bullets(
            tuple((f"{fact.name} = {spell(fact.value)}", (fact.place,) * bool(fact.place)) for fact in finding.facts)
        )
    if finding.confirmed:
        yield Heading("Your data say so too")
        yield Bullets(tuple((text, ()) for text in finding.confirmed))
    if finding.implementation or finding.recipe:
        yield Heading("Where it is done well")
        recipe = (f"our own trainer: {finding.recipe}",) if finding.recipe else ()
        yield Bullets(tuple((text, ()) for text in (*map(implementation_text, finding.implementation), *recipe)))
    if finding.fix is not None:
        yield from _fix(finding)
    others = [place(item) for item in finding.locations[1:]]
    if others:
        yield Heading("See also")
        yield Bullets(tuple((text, ()) for text in others))
    reach = finding.searched
    yield Heading("Rule and sources")
    yield Paragraph(
        f"{finding.rule}, confidence {finding.confidence:.2f}; searched {reach.files} files and {reach.calls} calls,"
        f" {reach.unresolved_calls} of which led nowhere that reading can follow"
    )
    yield Bullets(tuple((text, ()) for text in citations(knowledge, finding.sources)))


def _fix(finding: ReviewFinding) -> Iterator[Block]:
    assert finding.fix is not None
    if finding.fix.applicability == "display":
        yield Heading("For example")
        yield Verbatim(tuple(finding.fix.example.splitlines()))
    else:
        yield Heading("Patch")
        yield Paragraph(f"{finding.fix.patch}, {finding.fix.applicability}: f shows and applies it. By hand:")
        yield Verbatim(tuple(finding.fix.example.splitlines()))


def _check_page(row: CheckRow, knowledge: Knowledge) -> Iterator[Block]:
    yield Heading(f"{SIGN_OF_STATE[row.state]} {row.title}", 1)
    told = {"present": "It is there.", "not-applicable": "It does not apply here.", "missing": "It is missing.",
            "undecidable": "Reading the script does not tell."}  # fmt: skip
    yield Paragraph(told[row.state] + (f" It comes from: {row.via}." if row.via else ""))
    if row.why:
        yield Bullets(tuple((text, ()) for text in row.why))
    if row.decided_by:
        yield Heading("What would tell")
        yield Bullets(tuple((text, ()) for text in row.decided_by))
    if row.state == "undecidable":
        yield Paragraph("q answers it.")
    if row.locations:
        yield Heading("Where")
        yield Bullets(tuple((f"{place(item)}: {item.text}", ()) for item in row.locations))
    rule = knowledge.rule(row.rule) if row.rule else None
    if rule is not None:
        yield Heading("Rule")
        yield Paragraph(f"{rule.id}: {rule.title}")


def anchor_of(report: ReviewReport, name: str) -> Evidence | None:
    """Return the place that belongs to a row."""
    if (finding := finding_of(report, name)) is not None:
        return finding.anchor
    row = check_of(report, name)
    return next((item for item in row.locations if item.path and item.line), None) if row else None


def question_step(row: CheckRow) -> Step:
    """Return the question that settles an undecidable check."""
    ask = row.ask or f"{row.title}?"
    return Step("check", row.id, ask, "; ".join(row.why), None, STATES, DONT_KNOW)


def source_text(read: Callable[[str], str | None], anchor: Evidence | None, height: int, width: int) -> Syntax | Text:
    """Return the lines around a place with the place marked; a notebook's cells stand one after the other.

    `read` returns the text of a file by its path in the project.
    """
    text = read(anchor.path) if anchor is not None and anchor.path else None
    if anchor is None or text is None or anchor.line is None:
        return Text("No line of the project stands for this.", style="dim")
    first = max(1, anchor.line - max(1, (height - 1) // 3))
    marked = set(range(anchor.line, (anchor.end_line or anchor.line) + 1))
    return Syntax(
        text,
        _language(anchor.path or "x.py"),
        theme="ansi_dark",
        line_numbers=True,
        line_range=(first, first + max(3, height) - 1),
        highlight_lines=marked,
        code_width=max(20, width - 8),
        background_color="default",
    )


def _language(path: str) -> str:
    """Return the language of a file for colouring."""
    return "python" if path.endswith((".py", ".ipynb")) else Path(path).suffix[1:] or "text"
