"""Makes text from outside fit to be shown: control and direction characters become visible escapes. Prints nothing."""

from __future__ import annotations

import json
import unicodedata

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories of characters that a terminal obeys, that turn or break a line, or that show nothing at all."""
_JOINERS = "\u200c\u200d"
"""Format characters that names in Persian, Hindi or emoji need; they move no text."""


def shown(text: str) -> str:
    r"""Return text in which nothing is obeyed by a terminal or hidden from a reader: ESC becomes `\x1b`.

    Markup stays as it is: a renderer of markup escapes it for its own language.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def shown_json(text: str) -> str:
    r"""Return JSON that says the same, with every character that a terminal obeys or a reader misses written as `\u..`.

    Half a surrogate pair, which UTF-8 has no form for, is such a character too.
    """
    if text.replace("\n", "").isprintable():
        return text
    kept = "\n" + _JOINERS
    return "".join(
        json.dumps(char)[1:-1] if unicodedata.category(char) in _HIDDEN and char not in kept else char for char in text
    )


def _escaped(char: str) -> str:
    if char in _JOINERS:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
