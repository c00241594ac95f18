"""Lays what was heard beside what was said, step by step; numpy only. Says where an error lies and judges none.

Steps are the fewest replacements, omissions and insertions that turn one into the other (Levenshtein 1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Aligned:
    """The steps from what was said to what was heard."""

    replaced: tuple[tuple[int, int], ...]
    """Places in what was said, each with the place in what was heard that stands for it."""
    omitted: tuple[int, ...]
    """Places in what was said."""
    inserted: tuple[int, ...]
    """Places in what was heard."""

    @property
    def errors(self) -> int:
        """How many steps there are."""
        return len(self.replaced) + len(self.omitted) + len(self.inserted)


def aligned(said: Sequence[str], heard: Sequence[str]) -> Aligned:
    """Return the fewest steps from one sequence of words or characters to the other; of equals, replacements first."""
    table = _table(said, heard)
    row, column = len(said), len(heard)
    replaced, omitted, inserted = [], [], []
    while row or column:
        here = table[row, column]
        if row and column and table[row - 1, column - 1] + (said[row - 1] != heard[column - 1]) == here:
            row, column = row - 1, column - 1
            if said[row] != heard[column]:
                replaced.append((row, column))
        elif row and table[row - 1, column] + 1 == here:
            row -= 1
            omitted.append(row)
        else:
            column -= 1
            inserted.append(column)
    return Aligned(tuple(replaced), tuple(omitted), tuple(inserted))


def _table(said: Sequence[str], heard: Sequence[str]) -> NDArray[np.int32]:
    """Return the fewest steps between every two beginnings, `(said + 1, heard + 1)`."""
    numbers: dict[str, int] = {}
    one, other = ([numbers.setdefault(part, len(numbers)) for part in parts] for parts in (said, heard))
    columns, against = np.arange(len(other) + 1, dtype=np.int32), np.array(other, dtype=np.int32)
    table = np.empty((len(one) + 1, len(other) + 1), dtype=np.int32)
    table[0] = columns
    for number, part in enumerate(one, start=1):
        row = table[number - 1]
        best = np.append(np.int32(number), np.minimum(row[1:] + 1, row[:-1] + (against != part)))
        # An insertion depends on its neighbour to the left; the lowest sum so far stands for all of them at once.
        table[number] = np.minimum.accumulate(best - columns) + columns
    return table
