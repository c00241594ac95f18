"""Several trainings of one plan that differ in their seed alone, and what their scores come to. It judges nothing.

Each lies in `seed-K` of the run and is a run, or a cross-validation, like any other: it stops, resumes and is read as
one. The parts stay those of the plan's own seed, so that the scores differ by training alone and clips can be paired.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.plan import Plan, patched, plan_yaml, write_atomically
from engine.process import EventTail
from knowledge.errors import InputError

from .folds import train_folds
from .run import EVENTS, begin, train_run
from .stopping import Stop

FILE = "seeds.json"
_ENDED = ("completed", "early-stopped")


@dataclass(frozen=True)
class Repeat:
    """One finished training."""

    seed: int
    scored_on: str
    """`test`, `out-of-fold`, or `val`: the clips that the checkpoint was chosen by, where no others were opened."""
    metrics: dict[str, float]
    status: str
    seconds: float


def train_seeds(
    plan_path: Path, run: Path, count: int, folds: str | None, *, resume: bool, test: bool, stop: Stop
) -> None:
    """Train with `count` seeds from the plan's own one on, and write seeds.json. Finished ones are not repeated.

    Raises:
        TonmeisterError: as one run; trainings that are finished stay finished.
    """
    plan = begin(plan_path, run, resume)
    drawn_by = plan.training.seed if plan.data.split_seed is None else plan.data.split_seed
    repeats = []
    for seed in range(plan.training.seed, plan.training.seed + count):
        changes = {"name": f"{plan.name}-seed-{seed}", "training.seed": seed, "data.split_seed": drawn_by}
        own = patched(plan, changes)
        repeats.append(_repeated(own, run / f"seed-{seed}", folds, test=test, stop=stop))
    write_atomically(run / FILE, json.dumps(summary(repeats), indent=1) + "\n")


def summary(repeats: list[Repeat]) -> dict[str, Any]:
    """Return mean and deviation (over n - 1) of every metric, and each training by itself."""
    columns = {name: [one.metrics[name] for one in repeats] for name in repeats[0].metrics}
    return {
        "scored_on": repeats[0].scored_on,
        "seeds": [one.seed for one in repeats],
        "mean": {name: statistics.fmean(values) for name, values in columns.items()},
        "deviation": {
            name: statistics.stdev(values) if len(values) > 1 else None for name, values in columns.items()
        },
        "runs": [vars(one) for one in repeats],
    }  # fmt: skip


def _repeated(plan: Plan, folder: Path, folds: str | None, *, test: bool, stop: Stop) -> Repeat:
    own = folder / "plan.yaml"
    if not own.exists():
        write_atomically(own, plan_yaml(plan, header=f"Seed {plan.training.seed} of several."))
    found = _finished(plan.training.seed, folder, folds=folds is not None, test=test)
    if found is None:
        begun = (folder / EVENTS).exists() or any(folder.glob(f"fold-*/{EVENTS}"))
        if folds is None:
            train_run(own, folder, resume=begun, test=test, stop=stop)
        else:
            train_folds(own, folder, folds, resume=begun, stop=stop)
        found = _finished(plan.training.seed, folder, folds=folds is not None, test=test)
    if found is None:
        raise InputError(f"{folder}: the training with seed {plan.training.seed} left no scores")
    return found


def _finished(seed: int, folder: Path, *, folds: bool, test: bool) -> Repeat | None:
    """Return the scores of a training that an earlier process, or this one, has finished."""
    if folds:
        content = _json(folder / "folds.json")
        if content is None:
            return None
        values = {name: one["value"] for name, one in content["pooled"].items()}
        seconds = sum(fold["seconds"] or 0 for fold in content["folds"])
        return Repeat(seed, "out-of-fold", values, "completed", seconds)
    ends = [event for event in EventTail(folder / EVENTS).read() if event["kind"] in ("start", "end")]
    if not ends or ends[-1].get("status") not in _ENDED:
        return None
    end = ends[-1]
    scored, values = "val", {name.removeprefix("val/"): value for name, value in end["best"].items()}
    if test:
        content = _json(folder / "predictions" / "test.json")
        if content is None:
            return None
        scored, values = "test", {name: one["value"] for name, one in content["metrics"].items()}
    return Repeat(seed, scored, values, end["status"], end["seconds"])


def _json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
