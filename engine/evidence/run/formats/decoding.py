"""Reads a file as text whatever its encoding, and cleans what terminals were told; interprets nothing."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

LARGEST_BYTES = 1 << 30
"""What is larger is no log that one process wrote; reading it would fill the memory."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_ZEROS_OF_UTF16 = (0.6, 0.1)
"""Of text of Latin letters in UTF-16 every other byte is zero: at least so many of those, at most of the rest.

Where two processes wrote into one file it has holes, in which all of them are.
"""


def read_text(path: Path) -> str:
    """Return the text of a log; bytes that no encoding explains become replacement characters."""
    raw = path.read_bytes()[:LARGEST_BYTES]
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    halves = [half.count(0) / max(1, len(half)) for half in (raw[1:4096:2], raw[:4096:2])]
    if max(halves) >= _ZEROS_OF_UTF16[0] and min(halves) <= _ZEROS_OF_UTF16[1]:
        return raw.decode("utf-16-le" if halves[0] > halves[1] else "utf-16-be", errors="replace")
    return raw.replace(b"\0", b"").decode("utf-8", errors="replace")


_CONFLICT = re.compile(
    r"^<<<<<<< [^\n]*\n(?P<ours>(?:(?!=======\r?$)[^\n]*\n)*)=======\r?\n(?:(?!>>>>>>> )[^\n]*\n)*>>>>>>> [^\n]*\n?",
    re.MULTILINE,
)


def one_version(text: str) -> str:
    """Return a text in which git left a conflict of two versions with the first of them, without the marks."""
    return _CONFLICT.sub(lambda found: found["ours"], text) if "<<<<<<< " in text else text


def plain_lines(text: str) -> list[str]:
    """Return what a terminal would show at the end: no colours, of a line that was redrawn only the last state."""
    return [_last_state(line) for line in _ESCAPE.sub("", text).replace("\r\n", "\n").split("\n")]


def _last_state(line: str) -> str:
    """A progress bar goes back to the beginning by a carriage return or by as many backspaces as it needs."""
    states = [state for state in re.split(r"\r|\x08+", line) if state.strip()]
    return states[-1] if states else ""
