"""Tells by name and content what kind of manifest a path is, and reads it; guesses no column."""

from __future__ import annotations

from pathlib import Path

from knowledge.errors import InputError

from .arrow import ARROW_SUFFIXES, arrow_files, read_arrow
from .audformat import audformat_header, read_audformat
from .audiofolder import metadata_files, read_audiofolder
from .beside import read_tables_beside
from .delimited import read_delimited
from .folders import read_flat_folder, read_folder
from .jsonl import JSON_SUFFIXES, read_jsonl, read_records
from .kaldi import kaldi_directories, read_kaldi
from .lhotse import is_lhotse, lhotse_files, read_lhotse
from .split_lists import with_split_lists
from .spoken import read_spoken
from .table import Table


def read_table(path: Path, *, with_sound: bool = True) -> Table:
    """Read a manifest of any known kind, or a folder; sound inside it is laid out as files unless that is not wanted.

    Raises:
        InputError: it does not exist, cannot be read, or holds no clip (with file and line where there is one).
        UsageError: reading it needs a package that is not installed.
    """
    table = _folder(path, with_sound) if path.is_dir() else _file(path, with_sound)
    if not len(table):
        raise InputError(f"{path}: read as {table.kind}, it holds no clip", hint=" ".join(table.notes))
    return table


def _folder(folder: Path, with_sound: bool) -> Table:
    if kaldi_directories(folder):
        return read_kaldi(folder)
    if lhotse_files(folder):
        return read_lhotse(folder)
    header = audformat_header(folder)
    if header is not None:
        return read_audformat(header)
    if metadata_files(folder):
        return read_audiofolder(folder)
    if arrow_files(folder):
        return read_arrow(folder, with_sound=with_sound)
    return read_spoken(folder) or _clips(folder)


def _clips(folder: Path) -> Table:
    """Read folders as classes; where there is one alone, or none, a table beside the clips says more."""
    try:
        table = read_folder(folder)
    except InputError:
        beside = read_tables_beside(folder) or read_flat_folder(folder)
        if beside is None:
            raise
        return beside
    if len(set(table.columns[1])) > 1:
        return with_split_lists(table, folder)
    return read_tables_beside(folder) or _unpacked(folder, table)


def _unpacked(folder: Path, table: Table) -> Table:
    """Return what one folder alone holds, as in an unpacked archive: class folders, or clips whose names say what."""
    if "split" in table.header:
        return table
    inner = folder / table.columns[1][0]
    if all(path.count("/") > 1 for path in table.column("path")) and not inner.is_symlink():
        return _clips(inner)
    return read_flat_folder(folder) or table


def _file(path: Path, with_sound: bool) -> Table:
    name = path.name.casefold()
    if name.endswith(JSON_SUFFIXES):
        return read_lhotse(path) if _begins_like_lhotse(path) else read_jsonl(path)
    if name.endswith(ARROW_SUFFIXES):
        return read_arrow(path, with_sound=with_sound)
    if name.endswith((".yaml", ".yml")):
        return read_audformat(path)
    if name in ("wav.scp", "segments", "utt2spk"):
        return read_kaldi(path.parent)
    return read_delimited(path)


def _begins_like_lhotse(path: Path) -> bool:
    first = next(read_records(path), None)
    return first is not None and is_lhotse(first[1])
