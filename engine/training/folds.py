"""Cross-validation: one run a fold, one after the other, and the predictions on what each fold held out, pooled.

A fold's held-out clips take no part in its training or in the choice of its checkpoint.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.plan import Plan, patched, plan_yaml, write_atomically
from engine.process import EventTail
from knowledge.errors import InputError

from .data import read_corpus
from .evaluation import joined, metrics_of, read_scored, with_intervals, write_predictions
from .items import Item
from .run import EVENTS, Prepared, begin, train_parts
from .scored import Scored
from .splits import LEAVE_ONE_GROUP_OUT, Parts, folds_of
from .stopping import Stop
from .waveforms import Waveforms

HELD_OUT = "held-out"
"""Name of the prediction file of a fold for the clips that it held out."""


@dataclass(frozen=True)
class Fold:
    """One finished fold."""

    number: int
    value: str
    """The group, or the value of the fold column, that was held out."""
    scored: Scored
    end: dict[str, Any]
    """Its `end` event."""


def train_folds(plan_path: Path, run: Path, folds: str, *, resume: bool, stop: Stop) -> None:
    """Train every fold into `run/fold-K`, pool the predictions, and write folds.json. Finished folds are not repeated.

    Raises:
        TonmeisterError: as one run; folds that are finished stay finished.
    """
    plan = begin(plan_path, run, resume)
    column = None if folds == LEAVE_ONE_GROUP_OUT else folds
    corpus = read_corpus(plan, fold_column=column)
    prepared = Prepared(plan, corpus, Waveforms(plan.data.sample_rate_hz))
    finished = []
    for number, (value, parts) in enumerate(folds_of(corpus.items, plan, folds).items(), start=1):
        finished.append(_train_fold(prepared, parts, run / f"fold-{number}", number, value, stop))
    _write(plan, run, folds, finished)


def _train_fold(prepared: Prepared, parts: Parts, folder: Path, number: int, value: str, stop: Stop) -> Fold:
    own = folder / "plan.yaml"
    plan = patched(prepared.plan, {"name": f"{prepared.plan.name}-fold-{number}"})
    if not own.exists():
        write_atomically(own, plan_yaml(plan, header=f"Fold {number} of a cross-validation: {value} is held out."))
    scored = _finished(prepared, parts, folder)
    if scored is None:
        begun = (folder / EVENTS).exists()
        scored = train_parts(
            replace(prepared, plan=plan), parts, folder, resume=begun, stop=stop, fold=value, held_out=HELD_OUT
        )
    if scored is None:
        raise InputError(f"fold {number} ({value}): none of its held-out clips can be used")
    return Fold(number, value, scored, _end_of(folder))


def _finished(prepared: Prepared, parts: Parts, folder: Path) -> Scored | None:
    """Return the predictions of a fold that an earlier process finished."""
    file = folder / "predictions" / f"{HELD_OUT}.csv"
    if _end_of(folder).get("status") not in ("completed", "early-stopped") or not file.exists():
        return None
    by_path: dict[str, Item] = {item.path: item for item in parts.held_out}
    prepared.waveforms.load((region for item in parts.held_out for region in item.regions), lambda: None)
    return read_scored(file, by_path, prepared.plan, prepared.corpus.classes, prepared.waveforms)


def _end_of(folder: Path) -> dict[str, Any]:
    """Return the last `end` event, unless the run was begun again after it."""
    events = [event for event in EventTail(folder / EVENTS).read() if event["kind"] in ("start", "end")]
    return events[-1] if events and events[-1]["kind"] == "end" else {}


def _write(plan: Plan, run: Path, folds: str, finished: list[Fold]) -> None:
    pooled = joined([fold.scored for fold in finished])
    write_predictions(run / "predictions" / "out-of-fold.csv", pooled)
    each = [metrics_of(fold.scored) for fold in finished]
    samples, seed = plan.evaluation.bootstrap_samples, plan.training.seed
    content = {
        "folds_by": folds,
        "mean": {name: statistics.fmean(one[name] for one in each) for name in each[0]},
        "deviation": {name: statistics.pstdev(one[name] for one in each) for name in each[0]},
        "pooled": with_intervals(pooled, samples, seed),
        **({"pooled_by_class": pooled.each_class} if pooled.each_class else {}),
        "folds": [
            {
                "fold": fold.number,
                "held_out": fold.value,
                "clips": len(fold.scored.items),
                "metrics": scores,
                "status": fold.end.get("status"),
                "best_epoch": fold.end.get("best_epoch"),
                "seconds": fold.end.get("seconds"),
            }
            for fold, scores in zip(finished, each, strict=True)
        ],
    }
    write_atomically(run / "folds.json", json.dumps(content, indent=1) + "\n")
