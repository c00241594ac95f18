"""The report of a diagnosis: findings with evidence and remedies, what is not assessable, the curves as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.separating import tests_done

from ..differential import telling_tests
from .curve_pictures import curve_gallery
from .differential import causes_record, differential_blocks, differential_record
from .document import Document, Heading, Paragraph, Verbatim
from .edits import edits_blocks, edits_record
from .findings import findings_blocks, not_assessable_blocks
from .json import session_record
from .own import own_blocks
from .predictions import predictions_blocks, predictions_record

if TYPE_CHECKING:
    from ..consultation.diagnose import Diagnosis


def diagnosis_document(diagnosis: Diagnosis) -> Document:
    """Return the report of one run."""
    session = diagnosis.session
    gallery = curve_gallery(loss_curves(diagnosis), session.findings)
    return (
        Heading(f"Diagnosis of {diagnosis.run}", 1),
        *curves_blocks(diagnosis, pictured=bool(gallery)),
        *gallery,
        Heading("Findings"),
        *findings_blocks(session.findings, session.knowledge, session.worth_supplying),
        *predictions_blocks(diagnosis),
        *differential_blocks(session, of_ours=of_ours(diagnosis), done=tests_done(diagnosis.series.source)),
        *edits_blocks(diagnosis.edits),
        *not_assessable_blocks(session.not_assessable, session.knowledge),
        *own_blocks(session.knowledge),
        *[Paragraph(f"Not understood: {note}") for note in diagnosis.series.notes],
    )


def of_ours(diagnosis: Diagnosis) -> bool:
    """Whether the run directory holds a plan, so that the trainer can run tests with it."""
    return (diagnosis.series.source / "plan.yaml").is_file()


def curves_blocks(diagnosis: Diagnosis, *, pictured: bool = False) -> Document:
    """Return the loss curves of a run, drawn in letters and in words; empty when the run logged none."""
    from engine.curves import describe_curve, render_curve

    curves = loss_curves(diagnosis)
    if not curves:
        return ()
    return (Verbatim(tuple(render_curve(curves, 76, 12)), pictured), Paragraph(f"In words: {describe_curve(curves)}."))


def loss_curves(diagnosis: Diagnosis) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return training and validation loss as (step, value) points; only what the run logged."""
    series = diagnosis.series
    logged = (series.get("train/epoch_loss") or series.train_loss, series.validation_loss)
    return {curve.name: curve.points for curve in logged if curve is not None}


def diagnosis_record(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the report as plain values."""
    session = diagnosis.session
    return {
        **session_record(session),
        "run": diagnosis.run,
        "causes": causes_record(session),
        "tests": list(telling_tests(session, tests_done(diagnosis.series.source))),
        "differential": differential_record(session),
        "predictions": predictions_record(diagnosis),
        "edits": edits_record(diagnosis.edits),
    }
