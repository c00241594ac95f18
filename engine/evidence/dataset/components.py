"""Links rows that share a name in any of several columns, directly or through others; says nothing about audio."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .coded import Integers


def linked(columns: Iterable[Integers], rows: int) -> Integers:
    """Return a component number for each row, `(rows,)`, in the order of the first row of each.

    Every column holds `(rows,)` codes; rows with the same code belong together, -1 links nothing. Each round hooks
    every component to the lowest one that it meets and shortens all ways to the root, so a few rounds do (Shiloach and
    Vishkin, An O(log n) parallel connectivity algorithm, 1982).
    """
    root = np.arange(rows, dtype=np.int64)
    known = [(np.flatnonzero(codes >= 0), codes[codes >= 0]) for codes in columns]
    changed = True
    while changed:
        changed = False
        for places, codes in known:
            if not len(places):
                continue
            own = root[places]
            lowest = np.full(int(codes.max()) + 1, rows, dtype=np.int64)
            np.minimum.at(lowest, codes, own)
            target = lowest[codes]
            moved = target < own
            if moved.any():
                changed = True
                np.minimum.at(root, own[moved], target[moved])
                root = _shortened(root)
    return np.unique(root, return_inverse=True)[1].astype(np.int64) if rows else root


def _shortened(root: Integers) -> Integers:
    while True:
        shorter = root[root]
        if np.array_equal(shorter, root):
            return root
        root = shorter


def members(components: Integers) -> list[Integers]:
    """Return the rows of each component that has more than one, in the order of the first row of each."""
    if not len(components):
        return []
    counts = np.bincount(components)
    places = np.flatnonzero(counts[components] > 1)
    order = places[np.argsort(components[places], kind="stable")]
    return np.split(order, np.cumsum(counts[counts > 1])[:-1]) if len(order) else []
