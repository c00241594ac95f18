"""The report of a diagnosis: findings with evidence and remedies, what is not assessable, the curves as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import Document, Heading, Paragraph, Verbatim
from .findings import findings_blocks, not_assessable_blocks
from .json import session_record

if TYPE_CHECKING:
    from ..consultation.diagnose import Diagnosis


def diagnosis_document(diagnosis: Diagnosis) -> Document:
    """Return the report of one run."""
    session = diagnosis.session
    return (
        Heading(f"Diagnosis of {diagnosis.run}", 1),
        *curves_blocks(diagnosis),
        Heading("Findings"),
        *findings_blocks(session.findings, session.knowledge),
        *not_assessable_blocks(session.not_assessable),
        *[Paragraph(f"Not understood: {note}") for note in diagnosis.series.notes],
    )


def curves_blocks(diagnosis: Diagnosis) -> Document:
    """Return the loss curves of a run, drawn and in words; empty when the run logged none."""
    from engine.curves import describe_curve, render_curve

    curves = loss_curves(diagnosis)
    if not curves:
        return ()
    words = [describe_curve(name, points) for name, points in curves.items()]
    return (Verbatim(tuple(render_curve(curves, 76, 12))), Verbatim(tuple(words)))


def loss_curves(diagnosis: Diagnosis) -> dict[str, list[tuple[float, float]]]:
    """Return training and validation loss as (step, value) points; only what the run logged."""
    curves = {}
    for name in ("train/loss", "val/loss"):
        points = diagnosis.series.points(name)
        if points:
            curves[name] = points
    return curves


def diagnosis_record(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the report as plain values."""
    return {**session_record(diagnosis.session), "run": diagnosis.run}
