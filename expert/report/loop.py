"""The report of an improvement loop: what each round changed, why, and what it brought."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.rulebook import Knowledge

from ..consultation.rounds import LoopResult, RoundReport, Score
from .document import Block, Bullets, Document, Heading, Paragraph, Table, Verbatim
from .findings import findings_blocks
from .own import own_blocks


def loop_document(result: LoopResult, knowledge: Knowledge) -> Document:
    """Return the report of a loop."""
    return (
        Heading("Improvement loop", 1),
        Paragraph(_verdict(result)),
        Table(("round", "kind", "score on validation", "against the champion", "verdict", "seconds"), _rows(result)),
        *_test(result),
        Heading("What each round changed, and why"),
        *(block for report in result.reports for block in round_blocks(report, knowledge)),
        *own_blocks(knowledge),
    )


def _verdict(result: LoopResult) -> str:
    assert result.champion is not None
    sentences = [f"The loop stopped because {result.stopped_because}."]
    sentences.append(f"The champion is round {result.champion.round.number} with {result.champion.score}.")
    if result.before is not None and result.before is not result.champion:
        sentences.append(f"The plan as given scores {result.before.score} on the same data.")
    if result.pretended is not None:
        better = (
            result.before is None or result.before.score is None or result.pretended.value > result.before.score.value
        )
        meaning = "that is what the fault pretended" if better else "the fault in the data hid nothing here"
        sentences.append(f"On the data as given it seemed to score {result.pretended}: {meaning}.")
    return " ".join(sentences)


def _rows(result: LoopResult) -> tuple[tuple[str, ...], ...]:
    rows = []
    for report in result.reports:
        mark = "champion" if report is result.champion else report.verdict
        gain = _signed(report.gain) if report.gain else "-"
        score = str(report.score) if report.score else report.status
        rows.append((str(report.round.number), report.round.kind, score, gain, mark, f"{report.seconds:.1f}"))
    return tuple(rows)


def _signed(gain: Score) -> str:
    return f"{gain.value:+.3f} {gain.interval('+')}"


def _test(result: LoopResult) -> tuple[Block, ...]:
    if not result.test:
        return (Paragraph("There is no test split apart from what the rounds were scored on."),)
    rows = tuple((name, str(score), str(score.clips)) for name, score in result.test.items())
    gain = f" The difference is {_signed(result.test_gain)} (paired, over clips)." if result.test_gain else ""
    return (
        Heading("Test split, opened once at the end"),
        Table(("model", "score", "clips"), rows),
        Paragraph(f"`before` is the plan as given on the repaired data, `after` is the champion.{gain}"),
    )


def round_blocks(report: RoundReport, knowledge: Knowledge) -> Iterable[Block]:
    """Return one round: its changes with their reasons, how it ended, and its findings."""
    number, kind = report.round.number, report.round.kind
    yield Heading(f"Round {number} ({kind}): {report.status}", 3)
    if report.round.changes:
        yield Bullets(
            tuple((f"{change.remedy.title}, because of {change.because}", ()) for change in report.round.changes)
        )
        yield Verbatim(tuple(line for change in report.round.changes for line in change.diff))
    else:
        yield Paragraph("The plan as given.")
    worth_reading = [finding for finding in report.findings if finding.severity != "note"]
    yield from findings_blocks(worth_reading, knowledge)
    notes = [finding.id for finding in report.findings if finding.severity == "note"]
    if notes:
        yield Paragraph(f"Notes: {', '.join(notes)}.")
