"""Finds the reader that fits a run by looking into its files; measures nothing."""

from __future__ import annotations

import json
from pathlib import Path

from knowledge.errors import InputError

from .directory import read_folds, read_run_directory
from .huggingface import load_state, read_trainer_state
from .series import RunSeries

EXPECTED = (
    "expected a run directory with events.jsonl, a folder of fold-1, fold-2, ..., "
    "or a Hugging Face trainer_state.json or a folder with one"
)


def read_run(path: Path) -> RunSeries:
    """Read the run that `path` holds, whatever its name.

    Raises:
        InputError: there is nothing at `path`, or nothing that a reader understands.
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder, {EXPECTED}")
    if load_state(path) is not None:
        return read_trainer_state(path)
    if _is_events(path):
        return read_run_directory(path.parent)
    raise InputError(f"{path}: {EXPECTED}")


def _read_folder(folder: Path) -> RunSeries:
    if (folder / "events.jsonl").is_file():
        return read_run_directory(folder)
    if any(folder.glob("fold-*/events.jsonl")):
        return read_folds(folder)
    candidates = [*folder.glob("*.json"), *folder.glob("checkpoint-*/trainer_state.json")]
    states = {path: state for path in sorted(candidates) if (state := load_state(path)) is not None}
    if not states:
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())[:8]) or "nothing"
        raise InputError(f"{folder}: {EXPECTED}; found {found}")
    return read_trainer_state(max(states, key=lambda path: len(states[path]["log_history"])))


def _is_events(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as stream:
        first = stream.readline()
    try:
        event = json.loads(first)
    except ValueError:
        return False
    return path.name == "events.jsonl" and isinstance(event, dict) and "kind" in event
