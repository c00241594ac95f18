"""Measures of many clips side by side, filled part by part in any order; NaN until a part brings them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating]
Places = Sequence[int] | npt.NDArray[np.integer]

_OUTLINE_BYTES = 96 << 20
"""A hundred hours. Clips beyond are compared without: the search is slower then, and finds the same."""


class MeasureTable:
    """Columns by name, and the two tables that every clip has a row of."""

    def __init__(self, clips: int) -> None:
        self._clips = clips
        self.measures: dict[str, Numbers] = {}
        self.profiles: Numbers = np.empty((clips, 0), np.float32)
        self.cepstra: Numbers = np.empty((clips, 0), np.float32)
        self.outlines = [b""] * clips
        self._room = _OUTLINE_BYTES

    def put(
        self,
        places: Places,
        measures: Mapping[str, Numbers],
        profiles: Numbers,
        cepstra: Numbers,
        outlines: Sequence[bytes] = (),
    ) -> None:
        """Keep the rows of some clips; what the part lacks stays unknown."""
        rows = _run(places)
        for name, values in measures.items():
            if name not in self.measures:
                self.measures[name] = np.full(self._clips, np.nan)
            self.measures[name][rows] = values
        self.profiles = _placed(self.profiles, rows, profiles)
        self.cepstra = _placed(self.cepstra, rows, cepstra)
        size = sum(map(len, outlines))
        if isinstance(rows, slice) and size <= self._room and outlines:
            self.outlines[rows] = outlines
            self._room -= size
            return
        for place, outline in zip(places, outlines, strict=False):
            if self._room >= len(outline):
                self.outlines[place] = outline
                self._room -= len(outline)


def _run(places: Places) -> Places | slice:
    """Return places that follow one another as a slice, which tables are cut by a good deal faster."""
    if not len(places):
        return places
    start, stop = int(places[0]), int(places[-1]) + 1
    return slice(start, stop) if np.array_equal(places, np.arange(start, stop)) else places


def _placed(table: Numbers, places: Places | slice, found: Numbers) -> Numbers:
    if not found.size:
        return table
    if not table.shape[1]:
        table = np.full((len(table), found.shape[1]), np.nan, np.float32)
    table[places] = found
    return table
