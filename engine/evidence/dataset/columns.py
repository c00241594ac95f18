"""Assigns the columns of a manifest to their parts, by option or by name; reads no file."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from knowledge.errors import UsageError

from .column_contents import guess_by_content
from .readers.headless import is_numbered
from .readers.table import Table
from .records import Columns, Part, split_of
from .suffixes import audio_names

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
    "text": ("text", "transcript", "transcription", "sentence", "utterancetext", "prompt"),
    "session": ("session", "sessionid", "recording", "recordingid", "sourcefile", "originalfile", "video", "videoid"),
}  # fmt: skip
_RATER = re.compile(
    r"^(.*?(?:rater|annotator|expert|judge|listener|labell?er|coder|(?:^|[ _-])r)[ _-]?)\d{1,3}$", re.IGNORECASE
)
"""`rater_1`, `total_r3`, `annotator2`: columns that differ in a number after such a word hold one rater each."""
_FORMAT_PARTS: tuple[Part, ...] = ("start", "stop", "duration", "channel")
"""Parts that only a format fixes; a CSV column `start` may mean anything."""
_LISTED = 40
"""Columns that a message names."""
REGION_COLUMNS = {"start": "region_start_seconds", "stop": "region_stop_seconds", "channel": "region_channel"}
"""Names that say it all: a manifest written here for clips that are parts of files has them."""


def assign_columns(
    table: Table,
    named: Mapping[str, str | None],
    raters: Sequence[str],
    where: str,
    known_share: Callable[[Sequence[str]], float] | None = None,
) -> Columns:
    """Return which column plays which part: as named, else as the format says, else as its name or content suggests.

    An empty name stands for "no such column". `known_share` tells which part of a column are names or ids of files;
    it is asked where no column holds names of audio files.

    Raises:
        UsageError: a named column does not exist, or no column can be the path.
    """
    header = table.header
    chosen = {part: _named(header, part, name, where) for part, name in named.items() if name}
    refused = {part for part, name in named.items() if name == ""}
    settled = {*chosen, *refused}
    roles = {**REGION_COLUMNS, **table.roles}
    fixed = {part: name for part, name in roles.items() if part not in settled and name in header}
    if "split" in fixed and not _fits("split", table.column(fixed["split"])):
        del fixed["split"]  # directories need not be splits
    guesses: dict[str, str] = {}
    for part in _NAMES:
        if part not in settled and part not in fixed:
            taken = {*chosen.values(), *fixed.values(), *guesses.values()}
            taken -= {chosen.get("label")} if part == "text" else set()  # a recogniser's label is what is said
            free = [column for column in header if column not in taken]
            guess = _guess(part, free, table)
            if guess is None and part == "path" and known_share is not None:
                guess = next((column for column in free if known_share(table.column(column)) >= 0.5), None)
            if guess is None and is_numbered(header):
                guess = guess_by_content(part, {column: table.column(column) for column in free})
            if guess is not None:
                guesses[part] = guess
    found = {**guesses, **fixed, **chosen}
    if "path" not in found:
        raise UsageError(
            f"{where}: no column can be the path of the clips; the columns are {listed(header)}",
            hint="Name it with --path COLUMN.",
        )
    return Columns(
        path=found["path"],
        label=found.get("label"),
        group=found.get("group"),
        split=found.get("split"),
        fold=found.get("fold"),
        text=found.get("text"),
        session=found.get("session"),
        guessed=tuple(part for part in _NAMES if part in guesses),
        raters=tuple(_named(header, "rater", name, where) for name in raters) or _raters(table, found.values()),
        **{part: fixed.get(part) for part in _FORMAT_PARTS},
    )


def listed(header: Sequence[str]) -> str:
    """Return the names of columns for a message; of very many the first."""
    more = len(header) - _LISTED
    return ", ".join(header) if more <= 0 else f"{', '.join(header[:_LISTED])} and {more} more"


def _named(header: Sequence[str], part: str, name: str, where: str) -> str:
    if name in header:
        return name
    close = difflib.get_close_matches(name, header, n=1, cutoff=0.4)
    raise UsageError(
        f"{where}: there is no column {name!r} for the {part}; the columns are {listed(header)}",
        hint=f"Did you mean {close[0]}?" if close else "",
    )


def _guess(part: str, free: list[str], table: Table) -> str | None:
    plain = {"".join(filter(str.isalnum, column.casefold())): column for column in reversed(free)}
    for name in _NAMES[part]:
        if name in plain and _fits(part, table.column(plain[name])):
            return plain[name]
    if part == "path":
        return next((column for column in free if _holds_audio_paths(table.column(column))), None)
    return None


def _fits(part: str, cells: Sequence[str]) -> bool:
    """A name alone proves little: a split column holds names of splits, a group column at least two groups."""
    if part == "path":
        return _holds_audio_paths(cells)
    filled = (stripped for cell in cells if (stripped := cell.strip()))
    if part == "split":
        counts = Counter(filled)
        known = sum(count for cell, count in counts.items() if split_of(cell))
        return known > 0 and known * 2 >= counts.total()
    first = next(filled, "")
    return any(cell != first for cell in filled) if part in ("group", "session") else bool(first)


def _raters(table: Table, taken: Iterable[str]) -> tuple[str, ...]:
    """Columns of numbers whose names differ in the rater's number only; empty for fewer than two."""
    families: dict[str, list[str]] = {}
    for column in table.header:
        match = _RATER.match(column)
        if match and column not in taken:
            families.setdefault(match[1].casefold(), []).append(column)
    for family in families.values():
        if len(family) > 1 and all(_holds_numbers(table.column(column)) for column in family):
            return tuple(family)
    return ()


def _holds_numbers(cells: Sequence[str]) -> bool:
    """Whether there is a number, and nothing else but empty cells: not every rater heard every clip."""
    filled = [cell for cell in dict.fromkeys(cells) if cell.strip()]
    return bool(filled) and all(re.fullmatch(r"\s*-?\d+(\.\d+)?([eE]-?\d+)?\s*", cell) for cell in filled)


def _holds_audio_paths(cells: Sequence[str]) -> bool:
    """Whether half of the values or more end like an audio file; the rest may be what is wrong with the manifest."""
    return audio_names(cells) * 2 >= len(cells)
