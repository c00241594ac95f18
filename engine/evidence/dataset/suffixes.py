"""Tells audio files by the end of their names; opens none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

AUDIO_SUFFIXES = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64", ".caf",
     ".m4a", ".mp4", ".aac", ".wma", ".webm")
)  # fmt: skip


def audio_names(names: Iterable[str]) -> int:
    """Return how many of the names are those of audio files."""
    ends = Counter(name.rpartition(".")[2] for name in names)
    return sum(count for end, count in ends.items() if has_audio_suffix("." + end))


def has_audio_suffix(name: str) -> bool:
    """Whether a file of that name is audio, by the end of the name."""
    return "." + name.rstrip().rpartition(".")[2].casefold() in AUDIO_SUFFIXES
