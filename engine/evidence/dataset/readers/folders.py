"""Reads a folder with one folder a class, or with one folder a split that holds class folders; opens no audio.

Folders may be persons instead (`Actor_01` of RAVDESS): what the clips are, the names of the files then tell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge.errors import InputError

from ..records import split_of
from .folder_walk import FolderWalk
from .table import Table

_PERSON = re.compile(
    r"(actor|actress|speaker|spk|talker|singer|subject|participant|patient|person|user|client|voice|session)[ _-]*\d+",
    re.IGNORECASE,
)


def read_folder(folder: Path) -> Table:
    """Return the clips of FOLDER/CLASS/... or FOLDER/SPLIT/CLASS/..., in alphabetical order.

    The second column is the class, or the group where each folder is named as a person or session with a number.

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
            hint=" ".join((*notes, *(f"Did you mean {folder / name}?" for name in _manifests(folder)[:1]))),
        )
    paths = [clip.as_posix() for clip in clips]
    labels = [clip.parts[1 if by_split else 0] for clip in clips]
    splits = [[clip.parts[0] for clip in clips]] if by_split else []
    part = "group" if _are_persons(labels) else "label"
    if part == "group":
        notes = (*notes, f"The folders are named as persons or sessions ({labels[0]}): they are groups, and no labels.")
    else:
        notes = (*notes, *_deeper(folder, clips, by_split))
    header = ("path", part, *(["split"] if by_split else []))
    roles = {name: name for name in header}
    kind = "folder of class folders" if part == "label" else "folder with a folder a person"
    return Table(kind, header, (paths, labels, *splits), [0] * len(clips), folder, roles, notes)


def _deeper(folder: Path, clips: Sequence[Path], by_split: bool) -> Iterator[str]:
    """Tell of a folder that holds most of the clips in folders of its own: then these may be the classes."""
    inner: dict[str, list[str]] = defaultdict(list)
    for clip in () if by_split else clips:
        inner[clip.parts[0]].append(clip.parts[1] if len(clip.parts) > 2 else "")
    top, names = max(inner.items(), key=lambda item: len(item[1]), default=("", []))
    different = sorted(set(names))
    if 2 * len(names) >= len(clips) > 0 and len(different) > 1 and "" not in different:
        some = ", ".join(different[:3]) + (" ..." if len(different) > 3 else "")
        yield (
            f"{len(names)} of {len(clips)} clips lie in {len(different)} folders below {top} ({some}): where these are "
            f"the classes, name {folder / top}."
        )


def read_flat_folder(folder: Path) -> Table | None:
    """Return the clips that lie in a folder itself, or in one a split; None where there are none.

    What they are nothing but their names can tell (CREMA-D, EmoDB).
    """
    walk = FolderWalk(folder)
    clips = list(walk.files())
    if not clips:
        return None
    tables = _manifests(folder)
    notes = (*walk.notes(), *([f"Tables beside the clips that name none: {', '.join(tables)}."] if tables else []))
    parts = {"path": [clip.as_posix() for clip in clips]}
    tops = [clip.parts[0] for clip in clips]
    if all(split_of(top) for top in set(tops)):
        parts["split"] = tops
    roles = {name: name for name in parts}
    return Table("folder of clips", tuple(parts), tuple(parts.values()), [0] * len(clips), folder, roles, notes)


def _are_persons(names: Sequence[str]) -> bool:
    return all(map(_PERSON.fullmatch, set(names)))


def _manifests(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.suffix.casefold() in (".csv", ".tsv"))
