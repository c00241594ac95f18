"""Tries the readers of foreign formats on a file, most telling first; understands what their records say, no more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .collecting import number
from .formats.catboost import TABLES, TRAINING, read_printed, read_training
from .formats.columns import read_long_lines, read_long_table
from .formats.console import read_console
from .formats.decoding import one_version, plain_lines, read_text
from .formats.json_logs import SUMMARY, read_json, read_json_lines, read_summary
from .formats.kaldi import read_lines, read_probabilities
from .formats.keras_events import of_keras
from .formats.languages import normalised
from .formats.layouts import run_of_layouts, run_of_scalars
from .formats.lists import read_lists
from .formats.mlflow import is_database, read_database, read_metrics_folder
from .formats.names import is_metric, meaning
from .formats.numbered import read_numbered
from .formats.planned import OUT_OF_MEMORY, plan_of_json
from .formats.records import runs_of
from .formats.scattered import read_scattered
from .formats.tables import read_table
from .formats.telemetry import read_telemetry
from .formats.tensorboard import is_events, read_events
from .formats.triples import read_triples
from .formats.wandb import is_run_file, meta_of, read_run_file, with_machine
from .series import RunSeries

LOG_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".log", ".txt", ".out")
"""What is tried in a folder that says nothing else."""


def read_foreign(path: Path) -> tuple[RunSeries, ...]:
    """Return the runs that a file holds; none when no reader understands it."""
    if is_events(path):
        return read_event_files([path])
    if is_run_file(path):
        tracked = read_run_file(path)
        found_runs = runs_of(tracked.records, path, "W&B run file", meta=meta_of(tracked)) if tracked.records else ()
        return tuple(with_machine(run, tracked) for run in found_runs)
    if is_database(path):
        found = (run_of_scalars(scalars, path, "MLflow database") for scalars in read_database(path))
        return tuple(run for run in found if run)
    if path.name in TABLES and (beside := path.with_name(TRAINING)).is_file():
        path = beside
    if run := _long(path):
        return (run,)
    text = normalised(one_version(read_text(path)))
    for read in (_boosting, _json, _json_lines, _telemetry, _table, _kaldi, _triples, _console):
        if runs := read(text, path):
            return runs
    return ()


def _long(path: Path) -> RunSeries | None:
    """Long and regular logs, column by column."""
    for read, reader in ((read_long_lines, "JSON lines"), (read_long_table, "table")):
        layouts = read(path)
        if layouts and (run := run_of_layouts(layouts, path, reader)):
            return run
    return None


def read_metrics(folder: Path) -> tuple[RunSeries, ...]:
    """Return the run that MLflow exported into a folder with `metrics` in it; none when no name is understood."""
    run = run_of_scalars(read_metrics_folder(folder / "metrics"), folder, "MLflow run")
    return () if run is None else (run,)


def read_scattered_curves(folder: Path) -> tuple[RunSeries, ...]:
    """Return the run of a tree of tables of one curve each; none when no name is understood."""
    run = run_of_scalars(read_scattered(folder), folder, "tables of one curve each")
    return () if run is None else (run,)


def read_event_files(paths: Sequence[Path]) -> tuple[RunSeries, ...]:
    """Return the run that several event files hold together: Keras writes one for each split."""
    scalars = [one for found in of_keras([read_events(path) for path in sorted(paths)]) for one in found]
    run = run_of_scalars(scalars, paths[0].parent if len(paths) > 1 else paths[0], "TensorBoard")
    return () if run is None else (run,)


def read_frameworks_folder(folder: Path) -> tuple[RunSeries, ...]:
    """Return the run of a folder that a framework filled with many files: CatBoost, Kaldi, AllenNLP; none of others."""
    if (folder / TRAINING).is_file():
        return read_foreign(folder / TRAINING)
    if numbered := read_numbered(folder):
        return runs_of(numbered, folder, "JSON object for each epoch")
    records = read_probabilities(folder)
    return runs_of(records, folder, "Kaldi nnet3") if records else ()


def _boosting(text: str, path: Path) -> tuple[RunSeries, ...]:
    head = text.lstrip()[:1]
    records = read_training(text) if head == "{" and '"iterations"' in text else None
    records = records or (read_printed(plain_lines(text)) if "learn: " in text or "test: " in text else None)
    return runs_of(records, path, "CatBoost") if records else ()


def _kaldi(text: str, path: Path) -> tuple[RunSeries, ...]:
    records = read_lines(plain_lines(text)) if "compute_prob_" in text else None
    return runs_of(records, path, "Kaldi nnet3") if records else ()


def _triples(text: str, path: Path) -> tuple[RunSeries, ...]:
    records = read_triples(plain_lines(text)) if text.lstrip()[:1].isdigit() else None
    return runs_of(records, path, "step, name and value") if records else ()


def _json(text: str, path: Path) -> tuple[RunSeries, ...]:
    records = read_json(text) if text.lstrip()[:1] in ("{", "[") else None
    records = records or (read_summary(text) if path.name == SUMMARY else None)
    return runs_of(records, path, "JSON history", meta=plan_of_json(text, records)) if records else ()


def _json_lines(text: str, path: Path) -> tuple[RunSeries, ...]:
    found = read_json_lines(text) if text.lstrip()[:1] == "{" else None
    return runs_of(found[0], path, "JSON lines", found[1], plan_of_json(text, found[0])) if found else ()


def _telemetry(text: str, path: Path) -> tuple[RunSeries, ...]:
    run = read_telemetry(text, path)
    return () if run is None else (run,)


_EXPORTED = "Wall time,Step,Value"
"""The heading of a curve that TensorBoard exported; its name is in that of the file: `run-train-tag-epoch_loss.csv`."""


def _table(text: str, path: Path) -> tuple[RunSeries, ...]:
    if text.startswith(_EXPORTED):
        run, _, tag = path.stem.removeprefix("run-").rpartition("tag-")
        text = f"Wall time,Step,{run.replace('-', ' ')} {tag}".replace(",  ", ", ") + text.removeprefix(_EXPORTED)
    found = read_table(_with_heading(_with_name(text, path.stem), path.stem))
    return runs_of(found[0], path, "table", found[1]) if found and found[0] else ()


_NAMELESS = re.compile(r"(?:[^\n]*[,;\t])?\"?(value|Value)\"?(?:[,;\t][^\n]*)?\r?\n")


def _with_name(text: str, name: str) -> str:
    """A table of a column `value` and of no name, in a file that is named after a loss or a metric, under that name."""
    found = _NAMELESS.match(text)
    if found is None or not is_metric(name):
        return text
    others = re.split(r"[,;\t]", found[0].strip().replace('"', ""))
    if any(meaning(one).role == "curve" for one in others if one.lower() != "value"):
        return text
    return text[: found.start(1)] + name + text[found.end(1) :]


_FEWEST_OF_A_COLUMN = 5


def _with_heading(text: str, name: str) -> str:
    """A file that holds one number a line, and is itself named after a loss or a metric, as a table with a heading."""
    if "," in text[:200] or not is_metric(name):
        return text
    cells = text.split()
    if len(cells) < _FEWEST_OF_A_COLUMN or len(cells) != len([line for line in text.split("\n") if line.strip()]):
        return text
    if any(number(cell) is None for cell in cells):
        return text
    return "\n".join([f"step,{name}", *(f"{step},{cell}" for step, cell in enumerate(cells))]) + "\n"


def _console(text: str, path: Path) -> tuple[RunSeries, ...]:
    found = read_console(plain_lines(text))
    runs = runs_of(found[0], path, "console log", meta=found[1]) if found else ()
    listed = read_lists(text)
    if listed and (not runs or len(listed) > max(runs[-1].evaluations, len(runs[-1].train_loss or ()))):
        return runs_of(listed, path, "lists of a script")
    if found and not runs and found[1].status == OUT_OF_MEMORY:
        return (RunSeries(path, "console log", meta=found[1]),)  # it ended before its first loss
    return runs
