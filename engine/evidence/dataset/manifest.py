"""Reads a manifest of any kind, or a folder, into a `Dataset`; opens no audio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from knowledge.errors import UsageError

from .columns import assign_columns
from .name_fields import fields_told, is_derived, with_name_fields
from .readers import Table, read_table
from .readers.headless import with_first_row
from .records import Columns, Dataset, TaskType, label_of, split_of
from .suffixes import audio_names
from .whereabouts import AudioPlaces

_SAMPLE_ROWS = 100


def read_dataset(
    manifest: Path,
    *,
    path: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    fold: str | None = None,
    text: str | None = None,
    session: str | None = None,
    raters: tuple[str, ...] = (),
    audio_root: Path | None = None,
    task: TaskType | None = None,
    with_sound: bool = True,
) -> Dataset:
    """Read a manifest or a folder. Columns that are not named are guessed; `Columns.guessed` says which.

    Args:
        manifest: CSV, TSV, JSON Lines, Kaldi or ESPnet directory, lhotse manifest, audformat database, Hugging Face
            audio folder, parquet or Arrow, or a folder of class folders.
        path: column of the audio file; "" stands for none, here and in the others.
        label: column of the label; here and in the others `name:2` is the second field of the file names, and
            `folder:1` the folder that holds the file.
        group: speaker or recording column.
        split: column of train, val and test.
        fold: column of the folds.
        text: column of what is said.
        session: column of the session or recording, where that is not the group.
        raters: columns of one rater's score each.
        audio_root: folder that clip paths are relative to; default: what the kind of manifest says, or, where no file
            lies there, wherever files of those names lie.
        task: what the labels are; guessed from them when it is not given.
        with_sound: whether sound that the manifest itself holds (parquet) is laid out as files, to be decoded.

    Raises:
        InputError: missing, empty, malformed (with file and line).
        UsageError: a named column does not exist; the message names those that do, and the nearest.
    """
    named = {
        "path": path, "label": label, "group": group, "split": split, "fold": fold, "text": text, "session": session,
    }  # fmt: skip
    table = read_table(manifest, with_sound=with_sound)
    base = table.base if audio_root is None else audio_root
    places = AudioPlaces(base, nearby=audio_root is None)
    table, columns = _assigned(table, named, raters, str(manifest), places)
    _refuse_split(manifest, columns, table)
    audio = places.find(table.column(columns.path))
    return Dataset(
        manifest=manifest,
        base=base,
        kind=table.kind,
        header=table.header,
        cells=table.columns,
        lines=table.lines,
        columns=columns,
        task=_task(table, columns, task),
        found=audio.files,
        repaired=audio.changes,
        notes=(*table.notes, *filter(None, (_fields_told(table, columns, label), audio.note))),
    )


def _fields_told(table: Table, columns: Columns, asked: str | None) -> str:
    """What could be the label, where nothing is and nobody said that there is none."""
    if columns.label is not None or asked is not None:
        return ""
    if columns.text is not None:
        return f"Nothing is the label; a recogniser learns what is said: --label {columns.text}."
    return fields_told(table.column(columns.path))


def _assigned(
    table: Table, named: Mapping[str, str | None], raters: tuple[str, ...], where: str, places: AudioPlaces
) -> tuple[Table, Columns]:
    """Return the table with every column that is asked for, and which plays which part.

    Fields of the file names become columns once the path is known, and a first line that names a file becomes a row.
    """
    derived = {part: name for part, name in named.items() if name and is_derived(name) and name not in table.header}
    settled = {**named, **dict.fromkeys(derived, "")}
    columns = assign_columns(table, settled, raters, where, places.known_share)
    if _names_a_file(table, columns, places):
        table = with_first_row(table)
        columns = assign_columns(table, settled, raters, where, places.known_share)
    if not derived:
        return table, columns
    table = with_name_fields(table, columns.path, derived.values(), where)
    return table, assign_columns(table, named, raters, where, places.known_share)


def _names_a_file(table: Table, columns: Columns, places: AudioPlaces) -> bool:
    """Whether the name of the column of ids is such an id itself, so that the first line is a row."""
    ids = "path" in columns.guessed and not audio_names(table.column(columns.path)[:_SAMPLE_ROWS])
    return ids and places.known_share((columns.path,)) > 0


def _refuse_split(manifest: Path, columns: Columns, table: Table) -> None:
    if columns.split is not None and not any(map(split_of, dict.fromkeys(table.column(columns.split)))):
        raise UsageError(
            f"{manifest}: no value of the column {columns.split!r} names a split, expected train, val or test",
            hint="Name another column with --split, or leave it out.",
        )


def _task(table: Table, columns: Columns, said: TaskType | None) -> TaskType | None:
    """What the caller said, or a proposal from the labels.

    Scores are numbers, nearly all of them (a stray word among scores is a faulty row), with more than twenty values,
    or with fractions and more than ten. Whole numbers that count up from 0 or 1 without a gap are class numbers,
    however many, and so is anything written with leading zeros, or that folders are named by. What is said is a
    transcript where most rows say something of their own, and a class where words come back.
    """
    if said is not None or columns.label is None:
        return said
    counts = Counter(table.column(columns.label))
    labels = {cell: label for cell in counts if (label := label_of(cell))}
    if not labels:
        return None
    if columns.label == columns.text and 2 * len(labels) > sum(counts[cell] for cell in labels):
        return "ctc"
    numbers = {cell: number for cell, label in labels.items() if (number := _finite(label)) is not None}
    scored, labelled = (sum(counts[cell] for cell in some) for some in (numbers, labels))
    if scored < 0.95 * labelled or any(map(_is_name, labels.values())):
        return "classification"
    values = sorted(set(numbers.values()))
    if any(value != int(value) for value in values):
        return "regression" if len(values) > 10 else "classification"
    counts_up = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    of_folders = not all(table.lines) and columns.label == table.roles.get("label")
    return "classification" if len(values) <= 20 or counts_up or of_folders else "regression"


def _finite(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _is_name(label: str) -> bool:
    return label.startswith("0") and label.isdigit() and label != "0"
