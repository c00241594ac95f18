"""Reads a folder with one folder a class, or with one folder a split that holds class folders; opens no audio."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import InputError

from ..records import split_of
from ..suffixes import has_audio_suffix
from .table import Table


def read_folder(folder: Path) -> Table:
    """Return the clips of FOLDER/CLASS/... or FOLDER/SPLIT/CLASS/..., in alphabetical order.

    Raises:
        InputError: no audio file in a class folder.
    """
    clips = [clip for clip in _audio_files(folder) if len(clip.parts) > 1]
    tops = {clip.parts[0] for clip in clips}
    by_split = bool(tops) and all(split_of(top) for top in tops)
    clips = [clip for clip in clips if len(clip.parts) > 2] if by_split else clips
    if not clips:
        raise InputError(
            f"{folder}: no audio file in a class folder, expected {folder.name}/CLASS/clip.wav", hint=_manifests(folder)
        )
    paths = [clip.as_posix() for clip in clips]
    labels = [clip.parts[1 if by_split else 0] for clip in clips]
    splits = [[clip.parts[0] for clip in clips]] if by_split else []
    header = ("path", "label", *(["split"] if by_split else []))
    roles = {name: name for name in header}
    return Table("folder of class folders", header, (paths, labels, *splits), [0] * len(clips), folder, roles)


def _audio_files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):  # follows no links to folders: they may lead in a circle
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            if not name.startswith(".") and has_audio_suffix(name):
                yield (Path(place) / name).relative_to(folder)


def _manifests(folder: Path) -> str:
    tables = sorted(entry.name for entry in folder.iterdir() if entry.suffix.casefold() in (".csv", ".tsv"))
    return f"Did you mean {folder / tables[0]}?" if tables else ""
