"""Finds the nearest profiles of each clip: the candidates for near duplicates; hears nothing and judges nothing.

A few thousand clips are compared all with all, in blocks. More are first laid into cells around some of them, and a
clip is compared only with its own cell and the nearest others: what is lost is a copy whose profile changed a lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_BLOCK_ENTRIES = 1 << 22
"""Distances held at once: 16 MB."""
_ALL_WITH_ALL = 12_000
_CELL_SIZE = 400
_CELLS_VISITED = 12
_MUTUAL = 2
_SEED = 20261121


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the search for neighbours goes."""

    count: int
    """Most neighbours of a clip within `close`."""
    close: float
    farthest: float
    """Up to here count the nearest neighbour of a clip, and two clips that are among the two nearest of each other."""
    mutual: float = 0.0
    """Up to here count two clips that are the nearest of each other."""


def nearest_pairs(profiles: Floats, reach: Reach) -> Integers:
    """Return the pairs of clips that are neighbours.

    Args:
        profiles: `(clips, bands)`, finite.
        reach: which neighbours count.

    Returns:
        `(pairs, 2)`, the smaller number first, sorted so that similar clips stand near one another.
    """
    if len(profiles) < 2:
        return np.empty((0, 2), np.int64)
    cells = _cells(profiles)
    found: list[Integers] = []
    if len(profiles) <= _ALL_WITH_ALL:
        everyone = np.arange(len(profiles))
        _search(profiles, everyone, everyone, reach, found)
    else:
        _by_cells(profiles, cells, reach, found)
    directed = np.concatenate([*found, np.empty((0, 3), np.int64)])
    sided = np.sort(directed[:, :2], axis=1)
    candidates, sides = np.unique(sided[directed[:, 2] == 0], axis=0, return_counts=True)
    pairs = np.concatenate((sided[directed[:, 2] == 1], candidates[sides == 2]))
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0], cells[pairs[:, 0]]))]


def _cells(profiles: Floats) -> Integers:
    """Number the cell of each clip: that of the nearest among a random few hundredths of the clips."""
    centres = _centres(profiles)
    number = np.empty(len(profiles), np.int64)
    step = max(1, _BLOCK_ENTRIES // len(centres))
    for start in range(0, len(profiles), step):
        number[start : start + step] = _squared(profiles[start : start + step], centres).argmin(axis=1)
    return number


def _centres(profiles: Floats) -> Floats:
    chosen = np.random.default_rng(_SEED).choice(len(profiles), max(1, len(profiles) // _CELL_SIZE), replace=False)
    return profiles[np.sort(chosen)]


def _by_cells(profiles: Floats, cells: Integers, reach: Reach, found: list[Integers]) -> None:
    centres = _centres(profiles)
    order = np.argsort(cells, kind="stable")
    bounds = np.searchsorted(cells[order], np.arange(len(centres) + 1))
    visited = np.argsort(_squared(centres, centres), axis=1, kind="stable")[:, :_CELLS_VISITED]
    for cell in range(len(centres)):
        own = order[bounds[cell] : bounds[cell + 1]]
        others = np.concatenate([order[bounds[each] : bounds[each + 1]] for each in visited[cell]])
        if len(own) and len(others) > 1:
            _search(profiles, own, others, reach, found)


def _search(profiles: Floats, own: Integers, others: Integers, reach: Reach, found: list[Integers]) -> None:
    """Add, for the clips of `own`, their neighbours among `others`: `(found, 3)`, 1 last where one side is enough."""
    step = max(1, _BLOCK_ENTRIES // len(others))
    for start in range(0, len(own), step):
        part = own[start : start + step]
        squared = _squared(profiles[part], profiles[others])
        squared[part[:, None] == others] = np.inf
        every = np.arange(len(part))
        for rank in range(min(max(_MUTUAL, reach.count), len(others) - 1)):
            nearest = squared.argmin(axis=1)
            distance = squared[every, nearest]
            sure = (distance <= reach.close**2) & (rank < reach.count)
            if rank == 0:
                sure |= distance <= reach.farthest**2
            held = sure | ((distance <= reach.farthest**2) & (rank < _MUTUAL))
            if rank == 0:  # beyond the farthest only one rank is held, so that two sides are two nearest
                held |= distance <= reach.mutual**2
            found.append(np.stack((part[held], others[nearest[held]], sure[held]), axis=1))
            squared[every, nearest] = np.inf


def _squared(a: Floats, b: Floats) -> Floats:
    """Return the squared distance of each of `a` to each of `b`."""
    product = a @ b.T
    product *= -2
    product += np.einsum("ij,ij->i", a, a)[:, None]
    product += np.einsum("ij,ij->i", b, b)
    result: Floats = product
    return result
