"""Tells audio files by the end of their names; opens none."""

from __future__ import annotations

AUDIO_SUFFIXES = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64", ".caf",
     ".m4a", ".mp4", ".aac", ".wma", ".webm")
)  # fmt: skip


def has_audio_suffix(name: str) -> bool:
    """Whether a file of that name is audio, by the end of the name."""
    return "." + name.rstrip().rpartition(".")[2].casefold() in AUDIO_SUFFIXES
