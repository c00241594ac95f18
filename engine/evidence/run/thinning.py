"""Medians of equal stretches, so that a long log costs no more than a short one; knows no log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 1000
"""Stretches: finer than any screen, and few enough for statistics that look at every pair."""


def lengths(count: int, most: int = MOST) -> NDArray[np.intp]:
    """How many of `count` values each of `most` stretches holds, the first ones one more if need be."""
    short, longer = divmod(count, most)
    return np.where(np.arange(most) < longer, short + 1, short)


def thinned(values: NDArray[np.float64], most: int = MOST) -> NDArray[np.float64]:
    """Medians of at most `most` stretches of equal length, the first ones longer by one if need be."""
    if len(values) <= most:
        return values
    short, longer = divmod(len(values), most)
    border = longer * (short + 1)
    parts = [
        part for part in (values[:border].reshape(longer, short + 1), values[border:].reshape(-1, short)) if part.size
    ]
    medians: NDArray[np.float64] = np.concatenate([np.median(part, axis=1) for part in parts])
    return medians
