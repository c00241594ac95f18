"""Measures prediction files: correlation against compression, extremes, groups, collapse, transcripts, external data.

Reads `path,group,label,prediction[,p_CLASS...]` as the trainer writes it. The test split is left closed on purpose:
whoever reads it while a model is still being improved has no test split any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.records import Evidence, Fact, Measured

from .. import metrics
from .class_predictions import NAMES as CLASSES
from .class_predictions import measure_classes
from .prediction_facts import known, unknown
from .prediction_parts import EXTERNAL, GROUPS, Part, external, worst_group
from .prediction_rows import Predictions, read_predictions
from .run.limits import Limits, package_limits
from .score_predictions import NAMES as SCORES
from .score_predictions import measure_scores
from .tag_predictions import NAMES as TAGS
from .tag_predictions import measure_tags
from .transcript_predictions import NAMES as TRANSCRIPTS
from .transcript_predictions import character_errors, error_rate, measure_transcripts, transcripts_of

_VALIDATION = ("val", "out-of-fold")
_OWN = (*_VALIDATION, "held-out", "train", "test")
"""Names that are splits of the data set that the model was trained on; every other file is external."""
_ALL = ("predictions.count", *SCORES, *CLASSES, *GROUPS, *EXTERNAL)


def measure_predictions(
    files: Iterable[tuple[str, Path]], task: str, *, plain_text: bool = False, limits: Limits | None = None
) -> Measured:
    """Return every fact `predictions.*` of a run from its prediction files.

    Args:
        files: prediction files by name, as `engine.evidence.run.series.RunSeries.predictions` lists them.
        task: `classification`, `regression`, `tags`, `detection` or `ctc`; anything else leaves the predictions unread.
        plain_text: whether transcripts were learnt, and are scored, without capital letters and marks.
        limits: how many clips a group or class needs; those of the package where it is None.

    Raises:
        InputError: a file cannot be read.
    """
    by_name, limits = dict(files), limits or package_limits()
    name = next((name for name in _VALIDATION if name in by_name), None)
    if name is None:
        nothing = unknown("the run holds no predictions of its validation clips", *_ALL, *TAGS, *TRANSCRIPTS)
        return nothing + _kind("none")
    others = {key: path for key, path in by_name.items() if key not in _OWN}
    silent: tuple[str, ...]
    if task == "ctc":
        measured, silent = _transcripts(by_name[name], others, plain_text, limits), (*SCORES, *CLASSES, *TAGS)
    elif task in ("tags", "detection"):
        measured = measure_tags(by_name[name], events=task == "detection", fewest=int(limits.class_clips))
        silent = (*_ALL[1:], *TRANSCRIPTS)
    elif task in ("classification", "regression"):
        measured, silent = _of_one_answer(by_name[name], others, task, limits), (*TAGS, *TRANSCRIPTS)
    else:
        return unknown("the task of the run is not known", "predictions.kind", *_ALL, *TAGS, *TRANSCRIPTS)
    return measured + unknown(f"the task is {task}", *silent) + _kind(_KINDS[task])


_KINDS = {
    "classification": "classes", "regression": "scores", "ctc": "transcripts", "tags": "tags", "detection": "events",
}  # fmt: skip


def _kind(kind: str) -> Measured:
    return Measured((Fact("predictions.kind", kind, "predictions"),))


def _of_one_answer(path: Path, others: dict[str, Path], task: str, limits: Limits) -> Measured:
    """Facts of predictions of one class or one score a clip."""
    rows = read_predictions(path, task)
    scored = task == "regression"
    if not len(rows):
        return unknown(f"{path} holds no predictions", *_ALL)
    if scored and not np.all(np.isfinite(rows.predictions)):
        return unknown("some predictions are not finite", *_ALL)
    clips = Evidence(f"{len(rows)} validation clips", path=str(path), n=len(rows))
    measured = known("predictions.count", len(rows), len(rows), clips)
    measured += measure_scores(rows) if scored else measure_classes(rows, limits)
    measured += unknown(f"the task is a {task}", *(CLASSES if scored else SCORES))
    unit = "mean absolute error over the labels' standard deviation" if scored else "wrong"
    losses = Part("validation", path, (_losses(rows, scored),))
    measured += worst_group(losses, rows.groups, lambda values: float(values.mean()), unit, int(limits.group_clips))
    here, *there = (
        Part(name, one.path, (one.labels, one.predictions))
        for name, one in [("validation", rows), *((name, read_predictions(one, task)) for name, one in others.items())]
    )
    return measured + external(here, there, *((metrics.ccc, "CCC") if scored else (metrics.accuracy, "accuracy")))


def _losses(rows: Predictions, scored: bool) -> NDArray[np.float64]:
    if not scored:
        return np.asarray(rows.labels != rows.predictions, dtype=np.float64)
    scale = 1.0 if metrics.is_constant(rows.labels) else float(rows.labels.std())
    return np.asarray(np.abs(rows.predictions - rows.labels) / scale, dtype=np.float64)


def _transcripts(path: Path, others: dict[str, Path], plain_text: bool, limits: Limits) -> Measured:
    """Facts of transcripts."""
    clips = transcripts_of(read_predictions(path, "ctc"), plain_text)
    if not clips:
        return unknown(f"{path} holds no transcript of a clip in which something is said", *_ALL, *TRANSCRIPTS)
    count = Evidence(f"{len(clips)} validation clips in which something is said", path=str(path), n=len(clips))
    measured = known("predictions.count", len(clips), len(clips), count) + measure_transcripts(path, clips, limits)
    here = Part("validation", path, character_errors(clips))
    groups = np.array([clip.group for clip in clips], dtype=str)
    measured += worst_group(here, groups, error_rate, "of the characters wrong", int(limits.group_clips))
    there = (
        Part(name, one, character_errors(transcripts_of(read_predictions(one, "ctc"), plain_text)))
        for name, one in others.items()
    )
    return measured + external(here, there, _right, "characters right")


def _right(*columns: NDArray[Any]) -> float:
    return 1 - error_rate(*columns)
