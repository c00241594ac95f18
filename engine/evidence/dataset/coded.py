"""Columns of text as whole numbers: equal names share a number, however they are spelled; judges no spelling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """One column: the number of each row's name, and how names are written."""

    codes: Integers
    """`(rows,)`: number of the name, in the order of first occurrence; -1 for an empty cell."""
    names: tuple[str, ...]
    """By number: the most common spelling, without blanks around it; of two, the one written as most names are."""
    keys: tuple[str, ...]
    """By number: the form in which two spellings are equal."""
    respelled: npt.NDArray[np.bool_]
    """`(rows,)`: whether the row spells the name otherwise than most."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def counts(self) -> Integers:
        """`(names,)`: rows of each name."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))


def numbered(cells: Sequence[str]) -> tuple[Integers, list[str]]:
    """Return the number of each cell's text, `(rows,)`, and the texts in the order of first occurrence."""
    texts = list(dict.fromkeys(cells))
    number = dict(zip(texts, range(len(texts)), strict=True))
    return np.fromiter(map(number.__getitem__, cells), np.int64, len(cells)), texts


def coded(cells: Sequence[str], fold: Callable[[list[str]], list[str]]) -> Coded:
    """Number the cells of a column by what `fold` makes of all different ones; an empty result is no name.

    Each different text is folded once, so a column of few names costs little more than reading it.
    """
    raw, texts = numbered(cells)
    keys = fold(texts)
    if len(set(keys)) == len(keys) and "" not in keys:  # nothing is spelled twice: numbers are those of the texts
        names = [text.strip() for text in texts]
        blanks = np.fromiter(map(str.__ne__, names, texts), bool, len(texts))
        return Coded(raw, tuple(names), tuple(keys), blanks[raw])
    counts = np.bincount(raw, minlength=len(texts))
    spelled: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        spelled.setdefault(key, []).append(place)
    spelled.pop("", None)
    code_of = np.full(len(texts), -1, dtype=np.int64)
    unusual = np.zeros(len(texts), dtype=bool)
    names = []
    styles = _styles(texts) if any(len(places) > 1 for places in spelled.values()) else []
    for number, places in enumerate(spelled.values()):
        one = len(places) == 1
        usual = places[0] if one else min(places, key=lambda place: (-counts[place], -styles[place], texts[place]))
        code_of[places] = number
        names.append(texts[usual].strip())
        unusual[[place for place in places if texts[place] != names[-1]]] = True  # blanks count, all rows may have them
    empty = np.zeros(0, dtype=np.int64)
    codes = code_of[raw] if len(texts) else empty
    return Coded(codes, tuple(names), tuple(spelled), unusual[raw] if len(texts) else empty.astype(bool))


def _styles(texts: Sequence[str]) -> list[int]:
    """Return of each text how many others are written in capitals, in small letters or mixed, as it is."""
    kinds = [(text.isupper(), text.islower(), text.istitle()) for text in texts]
    common = Counter(kinds)
    return [common[kind] for kind in kinds]


_Entry = TypeVar("_Entry", bound=np.generic)


def different(values: npt.NDArray[_Entry]) -> npt.NDArray[_Entry]:
    """Return the different values in order; numpy's own loads masked arrays, which takes a hundredth of a second."""
    ordered = np.sort(values, axis=None)
    found: npt.NDArray[_Entry] = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return found


def quantiles(values: npt.NDArray[np.floating], shares: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return what numpy's own does by default, which calls its search for different values, of values without NaN."""
    ordered = np.sort(values, axis=None).astype(np.float64)
    place = np.asarray(shares, np.float64) * (len(ordered) - 1)
    low = np.floor(place).astype(np.int64)
    below, above, part = ordered[low], ordered[np.minimum(low + 1, len(ordered) - 1)], place - low
    # from the nearer side, as numpy does: the same number to the last bit
    found: npt.NDArray[np.float64] = np.where(
        part < 0.5, below + (above - below) * part, above - (above - below) * (1 - part)
    )
    return found


def medians(table: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the median of what is known in each column; NaN where nothing is."""
    ordered = np.sort(table, axis=0)  # NaN last
    known = len(table) - np.isnan(table).sum(axis=0)
    if not len(table):
        return np.full(table.shape[1:], np.nan)
    low, high = np.maximum((known - 1) // 2, 0), np.minimum(known // 2, len(table) - 1)
    both = [np.take_along_axis(ordered, np.asarray(place)[None], axis=0)[0] for place in (low, high)]
    found: npt.NDArray[np.floating] = (both[0] + both[1]) / 2  # where nothing is known, NaN stands there
    return found
