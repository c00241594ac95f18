"""What a run answered on its validation clips: by group, by class, as points, and the clips that are furthest off.

Shows the prediction file; judges nothing, and leaves the test split closed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.evidence.prediction_rows import Predictions, read_predictions
from engine.evidence.transcript_predictions import character_errors, error_rate, transcripts_of
from knowledge.errors import InputError

from .document import Document, Gallery, Heading, Paragraph, Picture, Table
from .drawing import group_bars, scatter

if TYPE_CHECKING:
    from ..consultation.diagnose import Diagnosis

_PARTS = ("val", "out-of-fold")
_GROUPS, _PAIRS, _CLIPS, _LONGEST = 12, 5, 5, 48
_UNITS = {"classification": "wrong", "regression": "mean absolute error", "ctc": "characters wrong"}


def predictions_blocks(diagnosis: Diagnosis) -> Document:
    """Return tables and pictures of the validation predictions; empty where the run holds none that are understood."""
    task = str(fact.value) if (fact := diagnosis.session.facts.get("task.type")) else ""
    path = next((path for name, path in diagnosis.series.predictions if name in _PARTS), None)
    several = diagnosis.series.plan is not None and diagnosis.series.plan.answer in ("tags", "vector")
    if path is None or task not in _UNITS or several:
        return ()
    try:
        rows = read_predictions(Path(path), task)
    except InputError:  # the diagnosis has said so
        return ()
    if not len(rows) or (task == "regression" and not np.isfinite(rows.predictions).all()):
        return ()
    return (
        Heading("Predictions of the validation clips"),
        *_by_group(rows, task, diagnosis),
        *_own(rows, task, diagnosis),
    )


def _errors(rows: Predictions, task: str, diagnosis: Diagnosis) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is wrong of each clip, and what it counts for, `(clips,)` each."""
    if task == "ctc":
        return character_errors(transcripts_of(rows, _plain(diagnosis)))
    if task == "regression":
        return np.abs(rows.predictions - rows.labels).astype(float), np.ones(len(rows))
    return (rows.labels != rows.predictions).astype(float), np.ones(len(rows))


def _plain(diagnosis: Diagnosis) -> bool:
    plan = diagnosis.series.plan
    return plan is not None and plan.data.transcripts == "plain"


def _by_group(rows: Predictions, task: str, diagnosis: Diagnosis) -> Document:
    """The error of every group, the worst first; of transcripts without a word no group is known."""
    wrong, weight = _errors(rows, task, diagnosis)
    names = np.unique(rows.groups[rows.groups != ""])
    if len(names) < 2 or len(wrong) != len(rows):
        return ()
    found = [
        (str(name), int(np.sum(inside := rows.groups == name)), error_rate(wrong[inside], weight[inside]))
        for name in names
    ]
    found.sort(key=lambda one: -one[2])
    unit, shown = _UNITS[task], found[:_GROUPS]
    table = tuple((name, str(count), f"{error:.3f}") for name, count, error in shown)
    overall = error_rate(wrong, weight)
    words = f"{unit} by group: {shown[0][0]} {shown[0][2]:.3f} is the worst of {len(found)}, {overall:.3f} over all"
    picture = Picture("By group", group_bars([(name, error) for name, _, error in shown], words), words)
    more = (Paragraph(f"{len(found) - len(shown)} more groups are better."),) if len(found) > len(shown) else ()
    return (Table(("group", "clips", unit), table), *more, Gallery((picture,)))


def _own(rows: Predictions, task: str, diagnosis: Diagnosis) -> Document:
    """What is worth seeing of this kind of answer."""
    if task == "regression":
        words = f"{len(rows)} predictions over their labels; on the line they agree"
        return (Gallery((Picture("Prediction over label", scatter(rows.labels, rows.predictions, words), words),)),)
    if task == "classification":
        pairs = Counter(zip(rows.labels.tolist(), rows.predictions.tolist(), strict=True))
        sizes = Counter(rows.labels.tolist())
        most = [(pair, count) for pair, count in pairs.most_common() if pair[0] != pair[1]][:_PAIRS]
        table = tuple((a, b, f"{count} of {sizes[a]}") for (a, b), count in most)
        return (Table(("class", "answered as", "clips"), table),) if table else ()
    clips = transcripts_of(rows, _plain(diagnosis))
    wrong, _ = character_errors(clips)
    worst = [clips[place] for place in np.argsort(-wrong, kind="stable")[:_CLIPS] if wrong[place]]
    cells = tuple((one.said[:_LONGEST], one.heard[:_LONGEST] or "(nothing)") for one in worst)
    return (Table(("said", "heard"), cells),) if cells else ()


def predictions_record(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Return the tables as plain values."""
    tables = (block for block in predictions_blocks(diagnosis) if isinstance(block, Table))
    return [{"columns": list(table.columns), "rows": [list(row) for row in table.rows]} for table in tables]
