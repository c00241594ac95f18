"""Finds what is said in clips by the text files of their tree: one a clip, or lists of names and texts; opens no audio.

A file a clip lies beside it or elsewhere in the tree (LibriTTS, VCTK, TIMIT, THCHS-30); a list has a line a clip, of a
chapter, a speaker, a split or all (LibriSpeech, MLS, CMU ARCTIC, AISHELL).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

from knowledge.errors import InputError

from ..suffixes import has_audio_suffix
from .text import read_lines

_SUFFIXES = (".normalized.txt", ".original.txt", ".txt", ".lab", ".trn", ".trans", ".data")
"""Of several files of one clip the first is read: LibriTTS has a sentence as it is spoken, and as it is printed."""
_NAMES = ("text", "prompts")
_HERE = Path()
_LAST = chr(0x10FFFF)
"""After it no character comes."""
_FIRST_LINE_SUFFIX = ".trn"
"""THCHS-30 has the sounds of the words, and then the phones, below the words."""
_MOST_BYTES = 1 << 16
"""What is said in ten minutes takes a tenth of that."""
_SAMPLED_LINES = 20
_BOUNDS = re.compile(r"^\d+ \d+ (?=\S)")
"""First and last sample, as TIMIT has them before the sentence."""
_LABELLED = re.compile(r"^\s*\d+(\.\d+)?\s+\d+(\.\d+)?\s")
"""Begin and end of a label: a file of such lines says what sounds when."""
_MICROPHONE = re.compile(r"[_-](mic|ch)\d+$", re.IGNORECASE)
_LISTED = (re.compile(r'^\(\s*(\S+)\s+"(.*)"\s*\)$'), re.compile(r"^([^\s|]+)[\s|]+(\S.*)$"))
"""A line of Festival, which CMU ARCTIC has, and one of nearly all others."""


def may_be_transcript(name: str) -> bool:
    """Whether a file of this name may say what is said."""
    return name.casefold().endswith(_SUFFIXES) or name.casefold() in _NAMES


def transcripts(folder: Path, clips: Sequence[Path], texts: Sequence[Path]) -> Mapping[str, str]:
    """Return what is said in each clip of which that is known, by its path.

    Args:
        folder: where they lie.
        clips: relative to it.
        texts: the files that may say it, likewise.
    """
    named = defaultdict(list)
    for clip in clips:
        named[_MICROPHONE.sub("", clip.stem)].append(clip.as_posix())
    for paths in named.values():
        paths.sort()
    found: dict[str, str] = {}
    lists = []
    for file in sorted(texts, key=_rank):
        spoken_in = _nearest(named.get(_stem(file.name), []), file.parent)
        if not spoken_in:
            lists.append(file)
        elif not found.keys() >= set(spoken_in):
            said = _sentence(folder / file)
            found.update((clip, said) for clip in spoken_in if said)
    for file in lists:
        for name, said in _listed(folder / file, named):
            for path in _nearest(named.get(name, []), file.parent):
                found.setdefault(path, said)
    return found


def _rank(file: Path) -> tuple[int, Path]:
    name = file.name.casefold()
    return next((rank for rank, suffix in enumerate(_SUFFIXES) if name.endswith(suffix)), len(_SUFFIXES)), file


def _stem(name: str) -> str:
    """Return the name without the suffix of a text, and without that of a clip before it (`A2_0.wav.trn`)."""
    suffix = next((suffix for suffix in _SUFFIXES if name.casefold().endswith(suffix)), "")
    return _without_audio_suffix(name[: len(name) - len(suffix)])


def _without_audio_suffix(name: str) -> str:
    return name.rpartition(".")[0] if has_audio_suffix(name) else name


def _nearest(clips: Sequence[str], place: Path) -> Sequence[str]:
    """Return the clips of one name that lie nearest to a text; none where there is no telling which is meant.

    Microphones of one take differ in their names; takes of several speakers may not (`SA1.WAV` of TIMIT).

    Args:
        clips: in order, so that those of a folder follow one another.
        place: the folder of the text.
    """
    if len(clips) == 1:
        return clips
    for scope in (place, *place.parents):
        prefix = "" if scope == _HERE else f"{scope.as_posix()}/"
        near = clips[bisect_left(clips, prefix) : bisect_left(clips, f"{prefix}{_LAST}")]
        if near:
            return near if len({PurePosixPath(clip).stem for clip in near}) == len(near) else []
    return []


def _sentence(file: Path) -> str:
    """Return what a file says on one line; empty where it holds labels, or figures rather than text."""
    try:
        with file.open("rb") as stream:
            lines = [line.strip() for line in stream.read(_MOST_BYTES).decode("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return ""
    if file.suffix.casefold() == _FIRST_LINE_SUFFIX:
        lines = lines[:1]
    if len(lines) == 1:
        lines = [_BOUNDS.sub("", lines[0])]
    return "" if any(map(_LABELLED.match, lines)) else _worded(" ".join(lines))


def _worded(said: str) -> str:
    """Return a text that has more letters than digits; figures are nothing that is said."""
    return said if sum(map(str.isalpha, said)) > sum(map(str.isdigit, said)) else ""


def _listed(file: Path, known: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield names and texts of a list; nothing where half of its first lines name no clip."""
    try:
        first = list(map(_parted, islice(read_lines(file), _SAMPLED_LINES)))
        if first and 2 * sum(name in known for name, _ in first) >= len(first):
            yield from filter(all, map(_parted, read_lines(file)))
    except InputError:
        return


def _parted(numbered: tuple[int, str]) -> tuple[str, str]:
    """Return the name of the clip in a line, without folders and suffix, and the text behind it."""
    match = next(filter(None, (form.match(numbered[1].strip()) for form in _LISTED)), None)
    if match is None:
        return "", ""
    return _without_audio_suffix(match[1].replace("\\", "/").rpartition("/")[2]), _worded(match[2].strip())
