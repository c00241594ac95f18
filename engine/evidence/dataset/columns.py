"""Assigns the columns of a manifest to their parts, by option or by name; reads no file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from knowledge.errors import UsageError

from .records import Columns, split_of

AUDIO_SUFFIXES = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64", ".caf",
     ".m4a", ".mp4", ".aac", ".wma", ".webm")
)  # fmt: skip
# Names are compared without case and punctuation; earlier ones win.
_NAMES: dict[str, tuple[str, ...]] = {
    "path": (
        "path", "filepath", "filename", "file", "audiofilepath", "audiopath", "audiofile", "audio", "wavpath",
        "wavfile", "wav", "fname", "clip",
    ),
    "label": (
        "label", "labels", "class", "classname", "category", "target", "score", "mos", "meanopinionscore", "rating",
        "emotion", "intensity", "word", "digit", "command", "event", "accent", "language",
    ),
    "group": (
        "speaker", "speakerid", "spk", "spkid", "speakername", "talker", "singer", "subject", "subjectid",
        "participant", "participantid", "patient", "patientid", "clientid", "userid", "voice",
        "voiceid", "group", "groupid", "recording", "recordingid", "session", "sessionid",
    ),
    "split": ("repairedsplit", "split", "subset", "partition", "set", "dataset", "usage"),
    "fold": ("repairedfold", "fold", "folds", "cvfold", "kfold"),
}  # fmt: skip
Table = Sequence[Sequence[str]]


def assign_columns(header: Sequence[str], table: Table, named: Mapping[str, str | None], where: str) -> Columns:
    """Return which column plays which part: as named by the caller, else as its name suggests; "" stands for none.

    Raises:
        UsageError: a named column does not exist, or no column can be the path.
    """
    chosen = {part: _named(header, part, name, where) for part, name in named.items() if name}
    guesses: dict[str, str] = {}
    for part in _NAMES:
        if part not in chosen and named.get(part) != "":
            taken = {*chosen.values(), *guesses.values()}
            free = [column for column in header if column not in taken]
            guess = _guess(part, header, free, table)
            if guess is not None:
                guesses[part] = guess
    found = {**guesses, **chosen}
    if "path" not in found:
        raise UsageError(
            f"{where}: no column can be the path of the clips; the columns are {', '.join(header)}",
            hint="Name it with --path COLUMN.",
        )
    guessed = tuple(part for part in _NAMES if part in guesses)
    return Columns(
        found["path"], found.get("label"), found.get("group"), found.get("split"), found.get("fold"), guessed
    )


def _named(header: Sequence[str], part: str, name: str, where: str) -> str:
    if name in header:
        return name
    close = difflib.get_close_matches(name, header, n=1, cutoff=0.4)
    raise UsageError(
        f"{where}: there is no column {name!r} for the {part}; the columns are {', '.join(header)}",
        hint=f"Did you mean {close[0]}?" if close else "",
    )


def _guess(part: str, header: Sequence[str], free: list[str], table: Table) -> str | None:
    plain = {"".join(filter(str.isalnum, column.casefold())): column for column in reversed(free)}
    for name in _NAMES[part]:
        if name in plain and _fits(part, _values(header, plain[name], table)):
            return plain[name]
    if part == "path":
        return next((column for column in free if _holds_audio_paths(_values(header, column, table))), None)
    return None


def _values(header: Sequence[str], column: str, table: Table) -> list[str]:
    place = list(header).index(column)
    return [row[place].strip() for row in table]


def _fits(part: str, values: list[str]) -> bool:
    """A name alone proves little: a split column holds names of splits, a group column at least two groups."""
    if part == "split":
        known = sum(1 for value in values if split_of(value))
        return known > 0 and known * 2 >= sum(1 for value in values if value)
    if part == "group":
        return len(set(values) - {""}) > 1
    if part == "path":
        return _holds_audio_paths(values)
    return any(values)


def _holds_audio_paths(values: list[str]) -> bool:
    """Whether half of the values or more end like an audio file; the rest may be what is wrong with the manifest."""
    return sum(map(has_audio_suffix, values)) * 2 >= len(values)


def has_audio_suffix(name: str) -> bool:
    """Whether a file of that name is audio, by the end of the name."""
    return "." + name.rpartition(".")[2].casefold() in AUDIO_SUFFIXES
