"""Finds the reader that fits a run by looking into its files; measures nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import InputError

from .directory import read_folds, read_run_directory
from .foreign import (
    LOG_SUFFIXES,
    read_event_files,
    read_foreign,
    read_frameworks_folder,
    read_metrics,
    read_scattered_curves,
)
from .huggingface import load_state, read_trainer_state
from .joining import joined_curves, joined_splits
from .series import RunSeries

EXPECTED = (
    "expected a run directory with events.jsonl, a folder of fold-1, fold-2, ..., a Hugging Face trainer_state.json, "
    "TensorBoard event files, or a log that names losses or metrics: a table, JSON, JSON lines or console text"
)


def read_run(path: Path, number: int | None = None) -> RunSeries:
    """Read the run that `path` holds, whatever its name.

    Args:
        path: a file or a folder.
        number: which run, from 1, where several were appended to one log; None for the last.

    Raises:
        InputError: there is nothing at `path`, or nothing that a reader understands, or no run of that number.
    """
    return chosen_run(read_runs(path), path, number)


def chosen_run(runs: Sequence[RunSeries], path: Path, number: int | None = None) -> RunSeries:
    """Return one of the runs that `path` holds: that of this number, from 1, or the last.

    Raises:
        InputError: there is no run of that number.
    """
    if number is not None and not 1 <= number <= len(runs):
        raise InputError(f"{path} holds {len(runs)} run{'s' * (len(runs) != 1)}, got --run {number}")
    return runs[-1 if number is None else number - 1]


def read_runs(path: Path) -> tuple[RunSeries, ...]:
    """Read every run that `path` holds, at least one, in the order of the log.

    Raises:
        InputError: there is nothing at `path`, or nothing that a reader understands.
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder, {EXPECTED}")
    if load_state(path) is not None:
        return (read_trainer_state(path),)
    if _is_events(path):
        return (read_run_directory(path.parent),)
    if runs := read_foreign(path):
        return runs
    raise InputError(f"{path}: {EXPECTED}")


_OF_WANDB = ("output.log", "wandb-summary.json")
"""What Weights & Biases leaves in `files` of a run that was uploaded."""


def _read_folder(folder: Path) -> tuple[RunSeries, ...]:
    if (folder / "events.jsonl").is_file():
        return (read_run_directory(folder),)
    if any(folder.glob("fold-*/events.jsonl")):
        return (read_folds(folder),)
    if any(folder.glob("seed-*/events.jsonl")):
        return (read_folds(folder, "seed-*", "seeds"),)
    candidates = [*folder.glob("*.json"), *folder.glob("checkpoint-*/trainer_state.json")]
    states = {path: state for path in sorted(candidates) if (state := load_state(path)) is not None}
    if states:
        return (read_trainer_state(max(states, key=lambda path: len(states[path]["log_history"]))),)
    if runs := read_frameworks_folder(folder):
        return runs
    if events := sorted(folder.rglob("*tfevents*")):
        return read_event_files(events)
    if tracked := sorted(folder.glob("*.wandb")):
        return read_runs(tracked[-1])
    if (folder / "files").is_dir() and any((folder / "files" / name).is_file() for name in _OF_WANDB):
        return _read_fullest_log(folder / "files")
    if (folder / "metrics").is_dir() and (runs := read_metrics(folder)):
        return runs
    return _read_fullest_log(folder)


def _read_fullest_log(folder: Path) -> tuple[RunSeries, ...]:
    """Of several logs of one run, such as a table and a console log, the one with most evaluations tells most."""
    logs = sorted(path for path in folder.iterdir() if path.suffix in LOG_SUFFIXES and path.is_file())
    found = [runs for path in logs if (runs := read_foreign(path))]
    if not found and (scattered := read_scattered_curves(folder)):
        return scattered
    if not found:
        seen = ", ".join(sorted(entry.name for entry in folder.iterdir())[:8]) or "nothing"
        raise InputError(f"{folder}: {EXPECTED}; found {seen}")
    if joined := joined_splits(found) or joined_curves(found):
        return (joined,)
    return max(found, key=lambda runs: (runs[-1].evaluations, len(runs[-1].train_loss or ())))


def _is_events(path: Path) -> bool:
    if path.name != "events.jsonl":
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        first = stream.readline()
    try:
        event = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(event, dict) and "kind" in event
