"""Chooses the pairs of clips that are worth decoding again: near by profile, and alike in outline; hears nothing.

The profile of a clip that lost its ends may be nearer to those of others than to that of its copy; the outline is laid
along the other's, so that a cut costs nothing. It takes a microsecond a pair, decoding and correlating a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .coded import different
from .neighbours import Reach, in_order, nearest, nearest_pairs
from .signals.kernel import outline_likeness
from .signals.outline import SIDES

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Cells = npt.NDArray[np.int8]
_Outlined = tuple[Cells, Integers, npt.NDArray[np.int16], Integers]
"""Cells and the first of each clip; the same of cells of twice the length."""

_REACH = Reach(count=3, close=1.5, farthest=3.8, mutual=5.2)
"""All altered copies but those cut by a fifth are closer than 1.5. Of those, 99 % are nearer than 3.8, and the nearest,
or second nearest, of each other; two takes of one word are 2 apart, two sentences 4. Cut copies of short emotional
sentences (Emo-DB) lie at 4.3 to 5.0, and are the nearest of each other: a few pairs more to compare in a set.
"""
_UNLIKE = 0.55
"""Pairs below are not decoded: of 1,100 copies of sentences and sounds, cut at both ends by up to a quarter, put
through a codec, resampled, padded or noisy, one lies below; of pairs of other sounds nineteen in twenty."""
_SAME = 0.5
"""Profiles nearer than this are those of a copy, whatever the outlines say: those of a held note are of its noise."""
_TELLING_CELLS = 32
"""A second. The outlines of single words are too much alike: theirs decide nothing."""
_WIDE_CELLS = 8
"""A quarter of a second: the most alike outline is one pair more to compare for each clip, and three of ten cut words
that the profile alone does not find are found by it; shorter ones say nothing."""
_ALIKE = 0.65
"""From here on pairs count that the profile alone would not have chosen."""
_MOST_ALIKE = 1
"""So many of those, of each clip."""
_COARSELY_ALIKE = 0.5
"""The same of cells of twice the length: of 2,700 copies, cut, padded, noisy or coded, whose outlines are alike none is
below 0.55, whatever the shift of half a cell does; of other pairs of sentences nine in ten are."""
_SPARE = 4
"""Neighbours more than are wanted, because some are too short to compare."""
_WIDE_PAIRS, _WIDE_LEAST, _WIDE_MOST = 16_000, 4, 64
"""Neighbours by profile whose outlines are compared: as many as a fixed time allows, in small sets nearly all."""
_FURTHER_PAIRS, _FURTHER_LEAST, _FURTHER_MOST = 96_000, 16, 32
_FURTHER_COARSELY_ALIKE, _FURTHER_ALIKE = 0.65, 0.8
"""The same of further neighbours, of clips whose outlines tell. Of 200 copies among 2,620 readings, cut by a fifth or
half, 47 are missed with six neighbours of each; all are at least 0.87 alike (coarsely 0.75), other pairs at most 0.77.
With 32 neighbours 21 are missed."""
_BLOCK_PAIRS = 256


def candidate_pairs(profiles: Floats, outlines: Sequence[bytes], *, workers: int = 1) -> Integers:
    """Return the pairs to compare, `(pairs, 2)`, the smaller number first, similar clips near one another.

    Args:
        profiles: `(clips, bands)`, finite.
        outlines: of each clip; an empty one is like every other.
        workers: processes that search.
    """
    if len(profiles) < 2:
        return np.empty((0, 2), np.int64)
    wide = _neighbours(len(profiles), _WIDE_PAIRS, _WIDE_LEAST, _WIDE_MOST)
    found = nearest(profiles, min(wide + _SPARE, len(profiles) - 1), workers=workers)
    pairs = nearest_pairs(found, _REACH)
    cells = np.frombuffer(b"".join(outlines), np.int8).reshape(-1, SIDES)
    lengths = np.array([len(each) // SIDES for each in outlines], np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    known = np.flatnonzero((lengths[pairs] >= _TELLING_CELLS).all(axis=1))
    known = known[np.linalg.norm(profiles[pairs[known, 0]] - profiles[pairs[known, 1]], axis=1) >= _SAME]
    kept = np.ones(len(pairs), np.bool_)
    kept[known] = likeness(cells, first, pairs[known]) >= _UNLIKE
    near = found.of(np.flatnonzero(lengths >= _WIDE_CELLS), wide)
    far = _further(profiles, np.flatnonzero(lengths >= _TELLING_CELLS), wide, workers)
    far = far[~np.isin(_codes(far, profiles), _codes(near, profiles))]
    outlined = cells, first, *_coarser(cells, first)
    wider = (
        _wider(near, outlined, _COARSELY_ALIKE, _ALIKE),
        _wider(far, outlined, _FURTHER_COARSELY_ALIKE, _FURTHER_ALIKE),
    )
    return in_order(np.concatenate((pairs[kept], *wider)), profiles)


def _neighbours(clips: int, pairs: int, least: int, most: int) -> int:
    """Return how many neighbours of each clip make so many pairs, within bounds."""
    return int(np.clip(pairs // max(1, clips), least, most))


def _further(profiles: Floats, telling: Integers, wide: int, workers: int) -> Integers:
    """Return pairs of clips whose outlines tell with twice as many neighbours as `wide` or more; else none."""
    count = _neighbours(len(telling), _FURTHER_PAIRS, _FURTHER_LEAST, _FURTHER_MOST)
    if not 2 * wide <= count < len(telling):
        return np.empty((0, 2), np.int64)
    found = nearest(profiles[telling], count, workers=workers)
    return telling[found.of(np.arange(len(telling)), count)]


def _codes(pairs: Integers, profiles: Floats) -> Integers:
    codes: Integers = pairs[:, 0] * len(profiles) + pairs[:, 1]
    return codes


def _wider(pairs: Integers, outlined: _Outlined, coarsely: float, finely: float) -> Integers:
    """Return the pairs of clips whose outlines say more than their profiles: so much alike, coarsely and finely."""
    if not len(pairs):
        return pairs
    cells, first, coarse, coarse_first = outlined
    pairs = pairs[likeness(coarse, coarse_first, pairs) >= coarsely]
    alike = likeness(cells, first, pairs)
    pairs, alike = pairs[alike >= finely], alike[alike >= finely]
    return pairs[_best_of_each(pairs, alike)]


def _coarser(cells: Cells, first: Integers) -> tuple[npt.NDArray[np.int16], Integers]:
    """Return cells of twice the length, and the first of each clip: a quarter of the work for each pair."""
    lengths = np.diff(first)
    halves = -(-lengths // 2)
    new = np.concatenate((np.zeros(1, np.int64), np.cumsum(halves)))
    starts = np.repeat(first[:-1] - 2 * new[:-1], halves) + 2 * np.arange(new[-1])
    wide = cells.astype(np.int16)
    summed = wide[starts]
    paired = starts + 1 < np.repeat(first[1:], halves)
    summed[paired] += wide[starts[paired] + 1]
    return summed, new


def _best_of_each(pairs: Integers, alike: Floats) -> npt.NDArray[np.bool_]:
    """Return which pairs are among the few most alike of one of their clips, `(pairs,)`."""
    best = np.zeros(len(pairs), bool)
    for side in (0, 1):
        order = np.lexsort((-alike, pairs[:, side]))
        owner = pairs[order, side]
        start = np.searchsorted(owner, owner, "left")
        best[order] |= np.arange(len(order)) - start < _MOST_ALIKE
    return best


def likeness(cells: Cells | npt.NDArray[np.int16], first: Integers, pairs: Integers) -> Floats:
    """Return how alike the outlines of each pair are at the lag where they are most, 0 to 1, `(pairs,)`.

    Args:
        cells: `(cells, SIDES)` of all clips, one after the other.
        first: `(clips + 1,)`: the first cell of each clip, and the number of cells.
        pairs: `(pairs, 2)`: two clips each, none without cells.
    """
    found = outline_likeness(cells, first, pairs)
    return likeness_by_numpy(cells, first, pairs) if found is None else found


def likeness_by_numpy(cells: Cells | npt.NDArray[np.int16], first: Integers, pairs: Integers) -> Floats:
    """Return what the kernel does, by transforms of many pairs at a time."""
    found = np.zeros(len(pairs), np.float32)
    lengths = np.diff(first)
    points = 1 << np.ceil(np.log2(np.maximum(lengths[pairs].sum(axis=1), 2))).astype(int)
    for size in different(points).tolist():
        own = np.flatnonzero(points == size)
        step = max(1, _BLOCK_PAIRS * 256 // size)
        for start in range(0, len(own), step):
            some = own[start : start + step]
            found[some] = _block(cells, first, pairs[some], size)
    return found


def _block(cells: Cells | npt.NDArray[np.int16], first: Integers, pairs: Integers, points: int) -> Floats:
    held = np.zeros((2, len(pairs), points, SIDES), np.float32)
    for side, row in np.ndindex(2, len(pairs)):
        clip = pairs[row, side]
        held[side, row, : first[clip + 1] - first[clip]] = cells[first[clip] : first[clip + 1]]
    spectrum = np.fft.rfft(held, axis=2)
    correlation = np.fft.irfft(np.einsum("ijk,ijk->ij", spectrum[1], spectrum[0].conj()), points)
    energy = np.concatenate((np.zeros((2, len(pairs), 1)), np.cumsum(np.square(held).sum(axis=3), axis=2)), axis=2)
    best = np.zeros(len(pairs), np.float32)
    for row, (a, b) in enumerate(np.diff(first)[pairs].tolist()):
        least = (min(a, b) + 1) // 2
        lags = np.arange(least - a, b - least + 1)
        start, stop = np.maximum(0, -lags), np.minimum(a, b - lags)
        own = energy[0, row, stop] - energy[0, row, start]
        theirs = energy[1, row, stop + lags] - energy[1, row, start + lags]
        alike = correlation[row, lags % points] / np.sqrt(np.maximum(own * theirs, 1e-9))
        best[row] = max(0.0, float(np.where((own > 0) & (theirs > 0), alike, 0.0).max()))
    return best
