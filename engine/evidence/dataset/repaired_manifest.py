"""Writes a proposed split as a new manifest with the user's columns; never over an existing file."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from engine.plan import write_atomically
from knowledge.errors import UsageError

from .records import Dataset, Row
from .repair import SplitProposal


def write_manifest(dataset: Dataset, proposal: SplitProposal, target: Path) -> Path:
    """Write every row that has a split in `proposal`, with its columns and the new ones; tabs for `.tsv`, else commas.

    Beside the audio paths stay as they are written (misspelled ones are put right); elsewhere they become absolute.

    Raises:
        UsageError: `target` exists.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already, expected a new file", hint="Name another file.")
    same_place = target.absolute().parent == dataset.base.absolute()
    stream = io.StringIO(newline="")
    delimiter = "\t" if target.suffix.casefold() == ".tsv" else ","
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*dataset.header, proposal.split_column, *([proposal.fold_column] if proposal.folds else [])])
    place = dataset.header.index(dataset.columns.path)
    for number, (row, split) in enumerate(zip(dataset.rows, proposal.splits, strict=True)):
        if split:
            fields = [cells[number] for cells in dataset.cells]
            fields[place] = _path(dataset, row, same_place=same_place)
            writer.writerow([*fields, split, *([proposal.folds[number]] if proposal.folds else [])])
    write_atomically(target, stream.getvalue())
    return target


def _path(dataset: Dataset, row: Row, *, same_place: bool) -> str:
    assert row.file is not None  # rows without a file have no split
    if not same_place:
        return str(row.file.absolute())
    return Path(os.path.relpath(row.file, dataset.base)).as_posix() if row.repaired else row.path
