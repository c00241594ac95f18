"""Neutralises text that others wrote, such as file names, before it is shown; changes no text that is harmless."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Control, format (reversals of the reading direction), surrogates, private use, line and paragraph separators."""
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that words of several scripts, and emoji, are written with."""


def shown(text: str) -> str:
    """Return the text with everything that steers a terminal or hides in a line written out, such as `\\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if _plain(letter) else _written_out(letter) for letter in text)


def _plain(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.category(letter) not in _HIDDEN


def _written_out(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
