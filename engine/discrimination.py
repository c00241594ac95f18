"""ABX discrimination: whether a clip lies nearer to one of its class than to one of another; numpy only, no judgement.

Of each triple, A and X share a class and B has another; the delta is how much nearer X lies to A than to B. Distances
are the mean angle along the best alignment (Schatz et al. 2013; the angle as in libri-light). All three of one
speaker, or X of another one. Every cell (class of A, class of B, speaker) counts alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]
Distances = NDArray[np.float64]
_CELLS = 2**21
"""Cells of the cost matrices that are filled at once: 16 MB each. Pairs of similar length stand together."""


@dataclass(frozen=True)
class Cell:
    """The triples of two classes and one speaker."""

    same: str
    other: str
    speaker: str
    """Of X."""
    deltas: tuple[float, ...]

    @property
    def score(self) -> float:
        """Share of the triples that are told right; a tie is half."""
        own = np.asarray(self.deltas)
        return float(np.mean((own > 0) + 0.5 * (own == 0)))


@dataclass(frozen=True)
class Discrimination:
    """How well classes are told apart."""

    cells: tuple[Cell, ...]

    @property
    def score(self) -> float:
        """Mean over the cells; 0.5 is chance."""
        return float(np.mean([cell.score for cell in self.cells])) if self.cells else float("nan")

    @property
    def deltas(self) -> Distances:
        """Every delta, (triples,)."""
        return np.concatenate([np.asarray(cell.deltas) for cell in self.cells]) if self.cells else np.zeros(0)

    def by_speaker(self) -> dict[str, float]:
        """Return the score of each speaker: what is independent enough to be compared in pairs."""
        speakers = sorted({cell.speaker for cell in self.cells})
        return {one: float(np.mean([cell.score for cell in self.cells if cell.speaker == one])) for one in speakers}


def abx(
    distances: Distances, classes: Sequence[str], speakers: Sequence[str], *, across: bool = False
) -> Discrimination:
    """Return all cells that have a triple.

    Args:
        distances: (clips, clips), symmetric.
        classes: of each clip.
        speakers: of each clip.
        across: X is of another speaker than A and B, so that the speaker must not matter.
    """
    of_class, of_speaker = np.asarray(classes), np.asarray(speakers)
    cells = []
    for speaker in sorted(set(speakers)):
        own = of_speaker == speaker
        for same, other in permutations(sorted(set(classes)), 2):
            x = np.flatnonzero(own & (of_class == same))
            others = [name for name in sorted(set(speakers)) if name != speaker] if across else [speaker]
            deltas = [
                _deltas(
                    distances, x, *(np.flatnonzero((of_speaker == one) & (of_class == name)) for name in (same, other))
                )
                for one in others
            ]
            joined = np.concatenate(deltas) if deltas else np.zeros(0)
            if len(joined):
                cells.append(Cell(same, other, speaker, tuple(joined.tolist())))
    return Discrimination(tuple(cells))


def _deltas(distances: Distances, x: NDArray[np.intp], a: NDArray[np.intp], b: NDArray[np.intp]) -> Distances:
    """Return d(B, X) - d(A, X) of all triples with A other than X."""
    near, far = distances[np.ix_(x, a)], distances[np.ix_(x, b)]
    differences = far[:, None, :] - near[:, :, None]
    kept: Distances = differences[x[:, None] != a[None, :]]
    return kept.ravel()


def alignment_distances(clips: Sequence[Frames]) -> Distances:
    """Return (clips, clips): the mean angle, 0 to 1, along the cheapest alignment of their frames (frames, features).

    The alignment may repeat frames of either side and goes from both beginnings to both ends.
    """
    units = [_unit(clip) for clip in clips]
    longest = max(len(clip) for clip in units)
    padded = np.zeros((len(units), longest, units[0].shape[1]), dtype=np.float32)
    for row, clip in enumerate(units):
        padded[row, : len(clip)] = clip
    lengths = np.array([len(clip) for clip in units])
    first, second = np.triu_indices(len(units), 1)
    found = np.zeros((len(units), len(units)))
    for block in _blocks(lengths[first], lengths[second]):
        i, j = first[block], second[block]
        height, width = lengths[i].max(), lengths[j].max()
        cosines = padded[i, :height] @ padded[j, :width].transpose(0, 2, 1)
        costs = np.arccos(np.clip(cosines, -1, 1)) / np.pi
        found[i, j] = found[j, i] = _aligned(costs.astype(np.float64), lengths[i], lengths[j])
    return found


def _blocks(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield the places of pairs of similar size, as many as their cells allow, one at least."""
    order = np.lexsort((columns, rows))
    start, widest = 0, 0
    for end, place in enumerate(order.tolist()):
        widest = max(widest, int(columns[place]))
        if (end + 1 - start) * int(rows[place]) * widest > _CELLS and end > start:
            yield order[start:end]
            start, widest = end, int(columns[place])
    if len(order):
        yield order[start:]


def _aligned(costs: Distances, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Distances:
    """Return (pairs,): the cost of the cheapest path through each (rows, columns), over the steps that it takes."""
    pairs, height, width = costs.shape
    best = np.full((pairs, height + 1, width + 1), np.inf)
    steps = np.zeros((pairs, height + 1, width + 1))
    best[:, 0, 0] = 0
    for diagonal in range(height + width - 1):
        row = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        column = diagonal - row
        ways = np.stack([best[:, row, column], best[:, row, column + 1], best[:, row + 1, column]])
        taken = ways.argmin(axis=0)[None]
        lengths = np.stack([steps[:, row, column], steps[:, row, column + 1], steps[:, row + 1, column]])
        best[:, row + 1, column + 1] = np.take_along_axis(ways, taken, 0)[0] + costs[:, row, column]
        steps[:, row + 1, column + 1] = np.take_along_axis(lengths, taken, 0)[0] + 1
    place = (np.arange(pairs), rows, columns)
    found: Distances = best[place] / steps[place]
    return found


def _unit(frames: Frames) -> Frames:
    own = np.asarray(frames, dtype=np.float32)
    lengths = np.linalg.norm(own, axis=1, keepdims=True)
    unit: Frames = own / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
