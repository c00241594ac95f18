"""Reads a folder with one folder a class, or with one folder a split that holds class folders; opens no audio."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import InputError

from .columns import has_audio_suffix
from .records import Columns, Region, Row, split_of


def read_folder(folder: Path) -> tuple[tuple[str, ...], Columns, tuple[Row, ...]]:
    """Return header, columns and rows of FOLDER/CLASS/... or FOLDER/SPLIT/CLASS/..., in alphabetical order.

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
    header = ("path", "label", "split") if by_split else ("path", "label")
    columns = Columns("path", "label", split="split" if by_split else None)
    return header, columns, tuple(_row(folder, clip, by_split) for clip in clips)


def _audio_files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            if not name.startswith(".") and has_audio_suffix(name):
                yield (Path(place) / name).relative_to(folder)


def _manifests(folder: Path) -> str:
    tables = sorted(entry.name for entry in folder.iterdir() if entry.suffix.casefold() in (".csv", ".tsv"))
    return f"Did you mean {folder / tables[0]}?" if tables else ""


def _row(folder: Path, clip: Path, by_split: bool) -> Row:
    split = clip.parts[0] if by_split else ""
    label = clip.parts[1 if by_split else 0]
    fields = (clip.as_posix(), label, split) if by_split else (clip.as_posix(), label)
    return Row(
        path=clip.as_posix(),
        region=Region(folder / clip),
        label=label,
        score=None,
        group="",
        split=split_of(split),
        fold="",
        line=0,
        fields=fields,
    )
