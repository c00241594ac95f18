"""The command that plays a clip, for whichever player is here; plays nothing itself."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Playback:
    """A command line that plays a clip."""

    command: str
    installed: bool
    """Whether its player was found on this machine."""


def play_command(
    file: Path,
    start_seconds: float = 0.0,
    stop_seconds: float | None = None,
    *,
    found: Callable[[str], str | None] | None = None,
) -> Playback:
    """Return the command that plays a file, or the part of it from `start_seconds` to `stop_seconds`."""
    whole = start_seconds == 0 and stop_seconds is None
    players = {
        "ffplay": _ffplay(file, start_seconds, stop_seconds),
        "play": _sox(file, start_seconds, stop_seconds),
        "afplay": ["afplay", str(file)],
        "aplay": ["aplay", str(file)],
    }
    able = [name for name in players if name in ("ffplay", "play") or (whole and _reads(name, file))]
    name = next((name for name in able if (found or shutil.which)(name)), None)
    return Playback(" ".join(map(_quoted, players[name or "ffplay"])), name is not None)


def _reads(player: str, file: Path) -> bool:
    return player != "aplay" or file.suffix.casefold() in (".wav", ".au")


def _ffplay(file: Path, start: float, stop: float | None) -> list[str]:
    part = (["-ss", f"{start:g}"] if start else []) + ([] if stop is None else ["-t", f"{stop - start:g}"])
    return ["ffplay", "-nodisp", "-autoexit", *part, _no_option(file)]


def _sox(file: Path, start: float, stop: float | None) -> list[str]:
    part = ["trim", f"{start:g}"] + ([] if stop is None else [f"{stop - start:g}"])
    return ["play", _no_option(file), *(part if start or stop is not None else [])]


def _no_option(file: Path) -> str:
    """A name that begins with a dash is no option of the player."""
    return f"./{file}" if str(file).startswith("-") else str(file)


def _quoted(word: str) -> str:
    """Quote for the shell; control characters are spelled, so that pasting the command obeys none of them."""
    if word.isprintable():
        return shlex.quote(word)
    spelled = "".join(char if char.isprintable() and char not in "'\\" else _spelled(char) for char in word)
    return f"$'{spelled}'"


def _spelled(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
