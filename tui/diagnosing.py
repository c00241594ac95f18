"""What the Diagnose mode shows of a diagnosis: curves with marks where the evidence lies, a page for each finding."""

from __future__ import annotations

from engine.curves import Point
from engine.evidence.run.series import Series
from expert.consultation.diagnose import Diagnosis
from expert.differential import differential
from expert.report.diagnosis import loss_curves, of_ours
from expert.report.differential import cause_items
from expert.report.document import Block, Bullets, Document, Heading, Paragraph
from expert.report.edits import edit_blocks, in_whose_words
from expert.report.findings import SIGNS
from knowledge.records import Finding

from .explaining import citations, evidence_line
from .widgets.findings import UNKNOWN

EVIDENCE = "evidence"
Curves = dict[str, list[Point]]


def losses_of(diagnosis: Diagnosis, finding: Finding | None) -> Curves:
    """Return the loss curves, and where on them the evidence of a finding lies."""
    curves: Curves = {name: list(points) for name, points in loss_curves(diagnosis).items()}
    marks = [mark for item in (finding.evidence if finding else ()) if item.step is not None
             for mark in _marks(curves, float(item.step), item.value)]  # fmt: skip
    return {**curves, EVIDENCE: sorted(set(marks))} if marks else curves


def _marks(curves: Curves, step: float, value: float | None) -> list[Point]:
    """Return the point of the curve that passes nearest to the evidence; none when no curve is near in height."""
    near = [min(points, key=lambda point: abs(point[0] - step)) for points in curves.values() if points]
    if value is None:
        return near[-1:]
    return [point for point in near if abs(point[1] - value) <= 1e-6 + 1e-3 * abs(value)]


def curves_of(diagnosis: Diagnosis) -> list[tuple[str, Curves]]:
    """Return every quantity that was logged beside the losses: its name, and its curve on each split.

    The score that speaks for the task comes first, what was measured of time and machine last.
    """
    found: dict[str, Curves] = {}
    shown = set(loss_curves(diagnosis))
    score = diagnosis.series.metric

    def place(series: Series) -> int:
        if score is not None and series.metric == score.metric:
            return 0
        return 1 if series.split.partition(":")[0] in ("train", "val", "test") else 2

    for series in sorted(diagnosis.series.series, key=place):
        points = list(series.points)
        if points and series.name not in shown:
            found.setdefault(series.metric or series.name, {})[series.split] = points
    return list(found.items())


def run_line(diagnosis: Diagnosis) -> str:
    """Return what the run says of itself, in one line."""
    run = diagnosis.series
    lengths = [series.steps[-1] for series in run.series if series.steps]
    parts = [
        run.meta.task, run.meta.status, f"{len(run.series)} curves", f"{max(lengths)} steps" if lengths else "",
        f"one of {run.meta.appended_runs} runs" if run.meta.appended_runs > 1 else "",
        f"{len(run.notes)} not understood" if run.notes else "",
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)


def finding_page(diagnosis: Diagnosis, finding: Finding) -> Document:
    """Return the page of one finding: why, evidence, remedies as changes of the plan or as actions, rule."""
    knowledge = diagnosis.session.knowledge
    blocks: list[Block] = [Heading(f"{SIGNS[finding.severity]} {finding.title}", 1), Paragraph(finding.because)]
    if finding.evidence:
        blocks += [Heading("Evidence"), Bullets(tuple((evidence_line(item), ()) for item in finding.evidence))]
    blocks += _causes(diagnosis, finding) + _remedies(diagnosis, finding)
    rule = f"{finding.rule}, confidence {finding.confidence:.2f}"
    sources = tuple((text, ()) for text in citations(knowledge, finding.sources))
    return (*blocks, Heading("Rule and sources"), Paragraph(rule), Bullets(sources))


def _causes(diagnosis: Diagnosis, finding: Finding) -> list[Block]:
    """What may have brought the finding about, the best supported first, and the test that would tell."""
    causes = differential(diagnosis.session, finding.id)
    if not causes:
        return []
    return [Heading("What may have caused it"), Bullets(cause_items(causes, of_ours=of_ours(diagnosis)))]


def _remedies(diagnosis: Diagnosis, finding: Finding) -> list[Block]:
    """Changes of the plan, or what to write in the framework that a foreign log came from, and what will tell."""
    edits = diagnosis.edits
    found = [edit for edit in edits.edits if finding.id in edit.findings] if edits else []
    if edits is None or not found:
        return []
    checks = tuple((line, ()) for line in edits.checks.get(finding.id, ()))
    return [
        Heading("What to change"),
        Paragraph(in_whose_words(edits)),
        *(block for edit in found for block in edit_blocks(edit, 2)),
        Heading("It worked when one of these holds in the next log"),
        Bullets(checks),
    ]


def unsure_page(diagnosis: Diagnosis, name: str) -> Document:
    """Return the page of what could not be assessed; of the run as a whole without a name."""
    item = next((each for each in diagnosis.session.not_assessable if UNKNOWN + each.id == name), None)
    if item is None:
        notes = tuple((f"not understood: {note}", ()) for note in diagnosis.series.notes)
        return (Heading(diagnosis.run, 1), Paragraph("Nothing was found that a rule would report."), Bullets(notes))
    needs = tuple((need, ()) for need in item.needs)
    return (Heading(f"Not assessable: {item.id}", 1), Paragraph("It needs"), Bullets(needs))
