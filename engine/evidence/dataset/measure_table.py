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
        places = _run(places)
        for name, values in measures.items():
            if name not in self.measures:
                self.measures[name] = np.full(self._clips, np.nan)
            self.measures[name][places] = values
        self.profiles = _placed(self.profiles, places, profiles)
        self.cepstra = _placed(self.cepstra, places, cepstra)
        size = sum(map(len, outlines))
        if isinstance(places, slice) and size <= self._room and outlines:
            self.outlines[places] = outlines
            self._room -= size
            return
        for place, outline in zip(_each(places), outlines, strict=False):
            if self._room >= len(outline):
                self.outlines[place] = outline
                self._room -= len(outline)


def _run(places: Places) -> Places | slice:
    """Return places that follow one another as a slice, which tables are cut by a good deal faster."""
    if len(places) and places[-1] - places[0] + 1 == len(places) and list(places) == list(_each(_around(places))):
        return _around(places)
    return places


def _around(places: Places) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1)


def _each(places: Places | slice) -> Sequence[int]:
    return range(places.start, places.stop) if isinstance(places, slice) else places  # type: ignore[return-value]


def _placed(table: Numbers, places: Places | slice, found: Numbers) -> Numbers:
    if not found.size:
        return table
    if not table.shape[1]:
        table = np.full((len(table), found.shape[1]), np.nan, np.float32)
    table[places] = found
    return table
