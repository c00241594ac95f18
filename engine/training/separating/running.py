"""Runs one separating test of a run and writes its outcome; called in the training child."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.plan import read_plan
from engine.process import STDERR
from engine.separating import TESTS, Outcome, outcome_folder, write_outcome
from knowledge.errors import InputError, UsageError

from ..faults import memory_watched
from ..stopping import Stop
from .bench import Bench, prepare
from .discriminating import NAME, discrimination
from .error_spread import error_spread
from .gradients import gradient_census
from .modes import mode_agreement
from .one_batch import one_batch
from .rate_range import rate_range
from .short_runs import data_fraction, label_shuffle, seed_spread
from .timing import step_timing

_FUNCTIONS: dict[str, Callable[[Bench], Outcome]] = {
    "one-batch": one_batch,
    "rate-range": rate_range,
    "label-shuffle": label_shuffle,
    "seed-spread": seed_spread,
    "data-fraction": data_fraction,
    "mode-agreement": mode_agreement,
    "gradient-census": gradient_census,
    "error-spread": error_spread,
    NAME: discrimination,
    "step-timing": step_timing,
}


def run_test(run: Path, name: str, stop: Stop) -> Path:
    """Run a test with the plan of a run, in a folder of its own under the run; return the outcome's file.

    Raises:
        UsageError: there is no such test, or the run was cross-validated.
        InputError: the run directory holds no plan.
    """
    if name not in TESTS:
        raise UsageError(f"no test {name!r}, expected one of {', '.join(TESTS)}")
    path = run / "plan.yaml"
    if not path.is_file():
        raise InputError(f"{run} holds no plan.yaml, expected a run directory of ours")
    plan, folder, began = read_plan(path), outcome_folder(run, name), time.monotonic()
    _emptied(folder)
    with memory_watched(plan.training):
        outcome = _FUNCTIONS[name](prepare(plan, run, folder, stop))
    return write_outcome(run, replace(outcome, seconds=round(time.monotonic() - began, 3)))


def _emptied(folder: Path) -> None:
    """Take away what an earlier test left, but for the file that this very process writes its words to."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != STDERR:
            path.unlink()
