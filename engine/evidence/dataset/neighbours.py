"""Finds the nearest profiles of each clip: the candidates for near duplicates; hears nothing and judges nothing.

A few thousand clips are compared all with all, in blocks. More are first laid into cells around some of them, and a
clip is compared only with its own cell and the nearest others: what is lost is a copy whose profile changed a lot.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    found: list[Integers] = []
    for own, others in _searches(profiles):
        _search(profiles, own, others, reach, found)
    directed = np.concatenate([*found, np.empty((0, 3), np.int64)])
    sided = np.sort(directed[:, :2], axis=1)
    candidates, sides = np.unique(sided[directed[:, 2] == 0], axis=0, return_counts=True)
    pairs = np.concatenate((sided[directed[:, 2] == 1], candidates[sides == 2]))
    return in_order(pairs, profiles)


def close_pairs(profiles: Floats, count: int) -> Integers:
    """Return the pairs of each clip and its `count` nearest, however far, `(pairs, 2)`, the smaller number first."""
    found: list[Integers] = []
    for own, others in _searches(profiles):
        nearest = min(count, len(others) - 1)
        step = max(1, _BLOCK_ENTRIES // len(others))
        for start in range(0, len(own) if nearest > 0 else 0, step):
            part = own[start : start + step]
            squared = _squared(profiles[part], profiles[others])
            squared[part[:, None] == others] = np.inf
            chosen = others[np.argpartition(squared, nearest - 1, axis=1)[:, :nearest]]
            found.append(np.stack((np.repeat(part, nearest), chosen.ravel()), axis=1))
    pairs = np.sort(np.concatenate([*found, np.empty((0, 2), np.int64)]), axis=1)
    return _different(pairs, len(profiles))


def _different(pairs: Integers, clips: int) -> Integers:
    """Return each pair once, in order."""
    codes = np.unique(pairs[:, 0] * clips + pairs[:, 1])
    return np.stack((codes // clips, codes % clips), axis=1)


def in_order(pairs: Integers, profiles: Floats) -> Integers:
    """Return each pair once, the smaller number first, sorted so that similar clips stand near one another."""
    pairs = _different(np.sort(pairs, axis=1), len(profiles))
    cells = _cells(profiles)
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


def _searches(profiles: Floats) -> Iterator[tuple[Integers, Integers]]:
    """Yield clips, and the clips that their neighbours are searched among."""
    if len(profiles) <= _ALL_WITH_ALL:
        everyone = np.arange(len(profiles))
        yield everyone, everyone
        return
    cells, centres = _cells(profiles), _centres(profiles)
    order = np.argsort(cells, kind="stable")
    bounds = np.searchsorted(cells[order], np.arange(len(centres) + 1))
    visited = np.argsort(_squared(centres, centres), axis=1, kind="stable")[:, :_CELLS_VISITED]
    for cell in range(len(centres)):
        own = order[bounds[cell] : bounds[cell + 1]]
        others = np.concatenate([order[bounds[each] : bounds[each + 1]] for each in visited[cell]])
        if len(own) and len(others) > 1:
            yield own, others


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
