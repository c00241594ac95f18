"""Measures prediction files of clips with several classes, and of events in time: which classes are never said, which
are answered no better than by their frequency, and how sure what is said is. Decides nothing.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError
from knowledge.records import Evidence, Fact, Measured, Unknown, Value

from .. import metrics
from ..tag_metrics import SAID_FROM, average_precision
from .class_shares import calibration_error

NAMES = (
    "predictions.judged_classes", "predictions.silent_classes", "predictions.silent_class_share",
    "predictions.worst_class_lift_high", "predictions.said_calibration_error", "predictions.said_calibration_error_low",
    "predictions.said_confidence_excess",
)  # fmt: skip
_SEPARATORS = (";", "|", ",")
_EVENT = re.compile(r"(?P<name>.+?) \d+\.?\d*-\d+\.?\d*(?:; |$)")
"""`dog 0.500-1.250; rain 2.000-4.000`, as the trainer writes events."""
_SAMPLES = 400


@dataclass(frozen=True)
class Tags:
    """Which classes are true of clips, and which were said."""

    path: Path
    classes: tuple[str, ...]
    true: NDArray[np.bool_]
    """`(clips, classes)`"""
    said: NDArray[np.bool_]
    """`(clips, classes)`"""
    shares: NDArray[np.float64] | None
    """`(clips, classes)`, each of its own; None where the file tells none."""


def measure_tags(path: Path, *, events: bool, fewest: int) -> Measured:
    """Return the facts of one prediction file.

    Args:
        path: `path,group,label,prediction[,p_CLASS...]`.
        events: whether label and prediction are events in time.
        fewest: clips below which a class says little about itself.

    Raises:
        InputError: the file cannot be read.
    """
    rows = _rows(path)
    found = _events(path, rows) if events else _tags(path, rows)
    if found is None:
        return _unknown("labels and predictions do not name the classes that the file has shares of", *NAMES)
    count = Fact("predictions.count", len(rows), "predictions", n=len(rows))
    return Measured((count,)) + _silent(found, fewest) + _lift(found, fewest) + _sureness(found)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    return [{name: value or "" for name, value in row.items() if isinstance(name, str)} for row in rows]


def _tags(path: Path, rows: list[dict[str, str]]) -> Tags | None:
    classes = tuple(name[2:] for name in (rows[0] if rows else ()) if name.startswith("p_"))
    texts = [row.get("label", "") for row in rows]
    mark = next((one for one in _SEPARATORS if all(_among(text, one, classes) for text in texts)), None)
    if not classes or mark is None:
        return None
    try:
        shares = np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])
    except (KeyError, ValueError):
        return None
    if not np.isfinite(shares).all():
        return None
    return Tags(path, classes, _matrix([text.split(mark) for text in texts], classes), shares >= SAID_FROM, shares)


def _among(text: str, mark: str, classes: tuple[str, ...]) -> bool:
    return all(part.strip() in classes for part in text.split(mark) if part.strip())


def _events(path: Path, rows: list[dict[str, str]]) -> Tags | None:
    named = [[_EVENT.findall(row.get(column, "")) for row in rows] for column in ("label", "prediction")]
    classes = tuple(sorted({name for column in named for names in column for name in names}))
    if not classes:
        return None
    return Tags(path, classes, _matrix(named[0], classes), _matrix(named[1], classes), None)


def _matrix(names: list[list[str]], classes: tuple[str, ...]) -> NDArray[np.bool_]:
    number = {name: place for place, name in enumerate(classes)}
    found = np.zeros((len(names), len(classes)), dtype=np.bool_)
    for row, parts in enumerate(names):
        for part in parts:
            if part.strip() in number:
                found[row, number[part.strip()]] = True
    return found


def _judged(found: Tags, fewest: int) -> NDArray[np.intp]:
    return np.flatnonzero(found.true.sum(0) >= fewest)


def _silent(found: Tags, fewest: int) -> Measured:
    """How many classes that are true of enough clips were never said of any."""
    judged = _judged(found, fewest)
    if not len(judged):
        return _unknown(f"no class is true of {fewest} clips", *NAMES[:3])
    silent = [place for place in judged if not found.said[:, place].any()]
    text = ", ".join(f"{found.classes[place]} (true of {found.true[:, place].sum()} clips)" for place in silent[:5])
    evidence = Evidence(
        f"never said: {text}" if silent else "every class is said of some clip", path=str(found.path), n=len(found.true)
    )
    values: tuple[Value, ...] = (len(judged), len(silent), len(silent) / len(judged))
    return _known(dict(zip(NAMES[:3], values, strict=True)), len(found.true), evidence)


def _lift(found: Tags, fewest: int) -> Measured:
    """Upper end of what the worst class' average precision lies above its frequency, widened for their number."""
    judged = _judged(found, fewest)
    if found.shares is None or not len(judged):
        reason = "events have no share of each clip" if found.shares is None else "no class is true of enough clips"
        return _unknown(reason, NAMES[3])
    shares = found.shares
    lifts = {place: _lift_of(found.true[:, place], shares[:, place]) for place in judged}
    worst = min(lifts, key=lifts.__getitem__)
    level = 1 - 0.05 / len(judged)
    _, high = metrics.bootstrap_interval(
        _lift_of, found.true[:, worst], shares[:, worst], samples=_SAMPLES, level=level
    )
    frequency = float(found.true[:, worst].mean())
    text = (
        f"average precision of {found.classes[worst]} {lifts[worst] + frequency:.3f}; a guess has {frequency:.3f}, "
        "its frequency"
    )
    return _known({NAMES[3]: high}, int(found.true[:, worst].sum()), Evidence(text, path=str(found.path)))


def _lift_of(true: NDArray[np.bool_], shares: NDArray[np.float64]) -> float:
    return average_precision(true, shares) - float(np.mean(true))


def _sureness(found: Tags) -> Measured:
    """Calibration of what is said: of the pairs of clip and class with at least half a share, how many are true."""
    if found.shares is None:
        return _unknown("events have no share of each clip", *NAMES[4:])
    said = found.shares >= SAID_FROM
    confidence, right = found.shares[said], found.true[said].astype(np.float64)
    if len(right) < 2:
        return _unknown("hardly any class is said of a clip", *NAMES[4:])
    value = calibration_error(confidence, right)
    low, _ = metrics.bootstrap_interval(calibration_error, confidence, right, samples=_SAMPLES)
    excess = float(confidence.mean() - right.mean())
    text = f"{len(right)} answers: mean share {confidence.mean():.3f}, {right.mean():.3f} of them true"
    evidence = Evidence(f"{text}; calibration error {value:.3f}", path=str(found.path), n=len(right))
    return _known(dict(zip(NAMES[4:], (value, low, excess), strict=True)), len(right), evidence)


def _known(values: dict[str, Value], n: int, evidence: Evidence) -> Measured:
    return Measured(
        tuple(
            Fact(name, value, "predictions", n=n, evidence=(evidence,))
            for name, value in values.items()
            if value == value
        )
    )


def _unknown(reason: str, *names: str) -> Measured:
    return Measured(unknown=tuple(Unknown(name, reason) for name in names))
