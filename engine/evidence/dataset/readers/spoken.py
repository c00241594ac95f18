"""Reads a tree of spoken clips with what is said in them: LibriSpeech, VCTK, TIMIT, AISHELL; opens no audio.

The folders of such a tree are splits, speakers and sessions, and no classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..records import SPLITS
from ..suffixes import has_audio_suffix
from .folder_walk import FolderWalk
from .split_names import split_in
from .table import Table
from .transcripts import may_be_transcript, transcripts

KIND = "folder of clips with transcripts"


def read_spoken(folder: Path) -> Table | None:
    """Return the clips of a tree with their texts; None where less than half of them have one."""
    walk = FolderWalk(folder, lambda name: has_audio_suffix(name) or may_be_transcript(name))
    clips: list[Path] = []
    texts: list[Path] = []
    for file in walk.files():
        if has_audio_suffix(file.name):
            clips.append(file)
        elif (folder / file).is_file():  # a pipe would be waited for
            texts.append(file)
    said = transcripts(folder, clips, texts) if clips and texts else {}
    if not said or 2 * len(said) < len(clips):
        return None
    paths = [clip.as_posix() for clip in clips]
    parts = {"path": paths, **_folders(clips), "text": [said.get(path, "") for path in paths]}
    notes = walk.notes()
    if len(said) < len(clips):
        first = next(path for path in paths if path not in said)
        notes = (*notes, f"{len(clips) - len(said)} clips have no transcript; the first is {first}.")
    roles = {name: name for name in parts}
    return Table(KIND, tuple(parts), tuple(parts.values()), [0] * len(clips), folder, roles, notes)


def _folders(clips: Sequence[Path]) -> dict[str, list[str]]:
    """Return what the folders between the tree and its clips are: split, label, group and session, where there are.

    Folders with a number in each name are speakers: those that the names of the clips repeat, else those that hold the
    clips (TIMIT has dialects above them). Folders below the speakers are sessions.
    """
    parts: dict[str, list[str]] = {}
    numbered: list[list[str]] = []
    for level in range(min(len(clip.parts) for clip in clips) - 1):
        names = [clip.parts[level] for clip in clips]
        if len(set(names)) == 1:
            continue
        splits = [split_in(name) for name in names]
        if set(splits) <= set(SPLITS):
            parts["split"] = list(splits)
        elif all(any(map(str.isdigit, name)) for name in set(names)):
            numbered.append(names)
        else:
            parts.setdefault("label", names)
    repeated = [all(name in clip.stem for name, clip in zip(names, clips, strict=True)) for names in numbered]
    speakers = repeated.index(True) if any(repeated) else len(numbered) - 1
    return {**parts, **_of_speakers(*numbered[speakers : speakers + 2])} if numbered else parts


def _of_speakers(speakers: list[str], sessions: list[str] | None = None) -> dict[str, list[str]]:
    """Return both columns; where sessions of several speakers bear one name that of the speaker stands before it."""
    if sessions is None:
        return {"group": speakers}
    pairs = list(zip(speakers, sessions, strict=True))
    shared = len(set(pairs)) > len(set(sessions))
    return {"group": speakers, "session": list(map("/".join, pairs)) if shared else sessions}
