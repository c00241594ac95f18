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
        for name, values in measures.items():
            if name not in self.measures:
                self.measures[name] = np.full(self._clips, np.nan)
            self.measures[name][places] = values
        self.profiles = _placed(self.profiles, places, profiles)
        self.cepstra = _placed(self.cepstra, places, cepstra)
        for place, outline in zip(places, outlines, strict=False):
            if self._room >= len(outline):
                self.outlines[place] = outline
                self._room -= len(outline)


def _placed(table: Numbers, places: Places, found: Numbers) -> Numbers:
    if not found.size:
        return table
    if not table.shape[1]:
        table = np.full((len(table), found.shape[1]), np.nan, np.float32)
    table[places] = found
    return table
