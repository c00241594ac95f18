"""Spells transcripts alike and counts what is wrong in them; numpy only, and it reads and writes no file.

An error is a word or character that was replaced, left out or put in, by the fewest such steps (Levenshtein 1966).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

_KEPT = frozenset("' ")


def transcript_of(text: str, plain: bool) -> str:
    """Return a transcript with single blanks; plain: small letters, digits and apostrophes alone."""
    text = unicodedata.normalize("NFC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if plain:
        # Marks belong to letters: Devanagari and Thai spell vowels with them.
        text = "".join(
            char if char in _KEPT or unicodedata.category(char)[0] in "LNM" else " " for char in text.lower()
        )
    return " ".join(text.split())


def edit_distance(said: Sequence[Hashable], heard: Sequence[Hashable]) -> int:
    """Return the fewest replacements, omissions and insertions that turn one sequence into the other."""
    numbers: dict[Hashable, int] = {}
    one, other = ([numbers.setdefault(part, len(numbers)) for part in parts] for parts in (said, heard))
    columns = np.arange(len(other) + 1)
    row, against = columns.copy(), np.array(other)
    for number, part in enumerate(one, start=1):
        best = np.append(number, np.minimum(row[1:] + 1, row[:-1] + (against != part)))
        # An insertion depends on its neighbour to the left; the lowest sum so far stands for all of them at once.
        row = np.minimum.accumulate(best - columns) + columns
    return int(row[-1])


def counts(said: str, heard: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (words, characters) of what was said, and the errors in each; a blank is a character."""
    words, characters = (said.split(), heard.split()), (said, heard)
    return (len(words[0]), len(said)), (edit_distance(*words), edit_distance(*characters))


def word_error_rate(lengths: ArrayLike, errors: ArrayLike) -> float:
    """Return errors for each word said, of (clips, 2) counts as `counts` gives them. 0 is best, above 1 is possible."""
    return _rate(np.asarray(lengths), np.asarray(errors), 0)


def character_error_rate(lengths: ArrayLike, errors: ArrayLike) -> float:
    """Return the same for characters."""
    return _rate(np.asarray(lengths), np.asarray(errors), 1)


def _rate(lengths: NDArray[np.float64], errors: NDArray[np.float64], column: int) -> float:
    said = lengths[:, column].sum()
    return float(errors[:, column].sum() / said) if said else float("nan")
