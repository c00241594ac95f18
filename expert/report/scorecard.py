"""The report of a benchmark of labelled logs: findings with their scores, other tools beside them, and every miss."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .document import Bullets, Document, Heading, Paragraph, Table

if TYPE_CHECKING:
    from ..consultation.bench_diagnose import Score, Scorecard

_COLUMNS = ("finding", "labels", "cases", "right", "false", "missed", "precision", "recall", "F1")
OURS = "Tonmeister"


def scorecard_document(card: Scorecard) -> Document:
    """Return the report."""
    read = card.runs - len(card.unread)
    parsed = card.formats - len(card.formats_unread)
    ours = [score for score in card.scores if score.by == OURS]
    compared = {score.finding for score in card.scores if score.by != OURS}
    beside = sorted((score for score in card.scores if score.finding in compared), key=_order)
    return (
        Heading("Diagnosis of labelled runs", 1),
        Paragraph(
            f"{read} of {card.runs} runs read, {parsed} of {card.formats} formats parsed, "
            f"{card.seconds_a_run:.3f} CPU seconds a run. {card.open_share:.0%} of all findings over all runs are not "
            "assessable for want of evidence."
        ),
        Paragraph(f"Errors on runs that are labelled healthy: {_pairs(card.errors_on_sound_runs)}."),
        Paragraph(f"Errors that no label names, on any run: {_pairs(card.unnamed_errors)}."),
        Paragraph(f"Findings that a label forbids: {_pairs(card.broken_bans)}."),
        *((Paragraph(f"Not read: {', '.join(card.unread)}."),) if card.unread else ()),
        Heading("Each finding"),
        Table(_COLUMNS, tuple(_row(score) for score in ours)),
        Heading("Beside the coded defaults of other tools"),
        Table(("by", *_COLUMNS), tuple((score.by, *_row(score)) for score in beside)),
        Heading("Where we differ from the label"),
        Bullets(
            tuple((f"{score.finding} ({score.labelled})", _differences(score)) for score in ours if _differs(score))
        ),
    )


def scorecard_record(card: Scorecard) -> dict[str, Any]:
    """Return the report as plain values."""
    record = asdict(card)
    for plain, score in zip(record["scores"], card.scores, strict=True):
        plain |= {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {"schema": "tonmeister.bench.diagnose/1", **record}


def _order(score: Score) -> tuple[str, str, bool, str]:
    return score.finding, score.labelled, score.by != OURS, score.by


def _row(score: Score) -> tuple[str, ...]:
    counts = (len(score.right) + len(score.missed), len(score.right), len(score.false), len(score.missed))
    shares = (score.precision, score.recall, score.f1)
    return score.finding, score.labelled, *map(str, counts), *("-" if one is None else f"{one:.2f}" for one in shares)


def _differs(score: Score) -> bool:
    return bool(score.false or score.missed)


def _differences(score: Score) -> tuple[str, ...]:
    return (
        *((f"reported, not labelled: {', '.join(score.false)}",) if score.false else ()),
        *((f"labelled, not reported: {', '.join(score.missed)}",) if score.missed else ()),
    )


def _pairs(found: tuple[tuple[str, str], ...]) -> str:
    return "; ".join(f"{run}: {finding}" for run, finding in found) or "none"
