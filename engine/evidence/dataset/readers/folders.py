"""Reads a folder with one folder a class, or with one folder a split that holds class folders; opens no audio."""

from __future__ import annotations

from pathlib import Path

from knowledge.errors import InputError

from ..records import split_of
from .folder_walk import FolderWalk
from .table import Table


def read_folder(folder: Path) -> Table:
    """Return the clips of FOLDER/CLASS/... or FOLDER/SPLIT/CLASS/..., in alphabetical order.

    Raises:
        InputError: no audio file in a class folder.
    """
    walk = FolderWalk(folder)
    clips = [clip for clip in walk.files() if len(clip.parts) > 1]
    notes = walk.notes()
    tops = {clip.parts[0] for clip in clips}
    by_split = bool(tops) and all(split_of(top) for top in tops)
    clips = [clip for clip in clips if len(clip.parts) > 2] if by_split else clips
    if not clips:
        raise InputError(
            f"{folder}: no audio file in a class folder, expected {folder.name}/CLASS/clip.wav",
            hint=" ".join((*notes, _manifests(folder))).strip(),
        )
    paths = [clip.as_posix() for clip in clips]
    labels = [clip.parts[1 if by_split else 0] for clip in clips]
    splits = [[clip.parts[0] for clip in clips]] if by_split else []
    header = ("path", "label", *(["split"] if by_split else []))
    roles = {name: name for name in header}
    return Table("folder of class folders", header, (paths, labels, *splits), [0] * len(clips), folder, roles, notes)


def _manifests(folder: Path) -> str:
    tables = sorted(entry.name for entry in folder.iterdir() if entry.suffix.casefold() in (".csv", ".tsv"))
    return f"Did you mean {folder / tables[0]}?" if tables else ""
