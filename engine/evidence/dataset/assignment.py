"""Assigns whole groups to splits so that labels and sizes come out even; knows nothing of audio, rows or files.

A greedy start (large groups first), then moves and swaps of groups while they help (exchange.py), from several random
orders side by side; the best is evened out (evenness.py). The same input gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .evenness import evened, judged, worths
from .exchange import Problem, improved

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

RESTARTS = 20
_FEW_GROUPS, _MORE_RESTARTS = 200, 100
"""Few groups fit badly and cost little: more starts find the best fit more often."""
_RESTARTED_CELLS = 200_000
"""Groups times strata times restarts; of many groups, small beside the whole, any start comes out even."""
_MOVED_CELLS = 20_000_000
"""Groups times strata times moves, so that a hundred thousand groups take seconds and not minutes."""
_FEWEST_MOVES, _MOVES = 20, 1000
_SIZE_ERROR = 0.01
"""Share of all clips by which a split may be off for the sake of its labels; more only where it was before."""
_KICKS, _GROUPS_A_KICK = 15, 4
_FEWEST_KICKED, _MOST_KICKED = 8, 64
"""Of fewer groups the starts reach nearly every split; of more, any start comes out even."""
_SIZE_WEIGHT = 4.0
"""A split that is too large or small costs as much as four labels that are off by as much."""


@dataclass(frozen=True)
class Assignment:
    """The split (0, 1, ...) of each group, and how even it came out."""

    splits: Integers  # (groups,)
    lacking: int
    """Required strata that a split does not hold; an empty split counts for more than all of them."""
    unevenness: float
    """Worst label distance (total variation) of a split to the whole, plus its worst error of size."""


def assign(counts: Integers, shares: tuple[float, ...], required: npt.NDArray[np.bool_]) -> Assignment:
    """Return the most even assignment found.

    Args:
        counts: clips of each stratum in each group, `(groups, strata + 1)`; the last column is the group's size.
        shares: wanted share of each split; they add up to 1.
        required: whether a split must hold a stratum, `(splits, strata + 1)`.
    """
    problem = _problem(counts, shares, required)
    most = _MORE_RESTARTS if len(counts) <= _FEW_GROUPS else RESTARTS
    restarts = max(1, min(most, _RESTARTED_CELLS // counts.size))
    different = {start.tobytes(): start for start in _greedy(problem, restarts)}  # of few groups, many begin alike
    starts = np.stack(list(different.values()))
    moves = min(_MOVES, max(_FEWEST_MOVES, _MOVED_CELLS // counts.size))
    best = _ranked(problem, improved(problem, starts, moves))[0]
    return _assignment(problem, evened(problem, best, _size_error(problem, best)))


def reassign(
    counts: Integers, shares: tuple[float, ...], required: npt.NDArray[np.bool_], found: Integers
) -> Assignment:
    """Look longer for an assignment, where that helps: throw a few groups about, even out again, keep what is better.

    So a search leaves the place where it rests. The arguments are those of `assign`, and what it found.
    """
    problem, rng = _problem(counts, shares, required), np.random.default_rng(0)
    best, size_error = found, _size_error(problem, found)
    for _ in range(_KICKS if _FEWEST_KICKED < len(counts) <= _MOST_KICKED else 0):
        other = best.copy()
        other[rng.permutation(len(best))[:_GROUPS_A_KICK]] = rng.integers(0, len(shares), _GROUPS_A_KICK)
        best = _ranked(problem, np.stack((best, evened(problem, other, size_error))), size_error)[0]
    return _assignment(problem, best)


def _size_error(problem: Problem, splits: Integers) -> float:
    """Return by which share of all clips a split may be off for the sake of the labels."""
    return max(_SIZE_ERROR, float(judged(problem, problem.held(splits[None]))[2][0]))


def _assignment(problem: Problem, splits: Integers) -> Assignment:
    (lacking,), (distance,), (size_error,) = judged(problem, problem.held(splits[None]))
    return Assignment(splits, int(lacking), float(distance + size_error))


def _ranked(problem: Problem, assigned: Integers, size_error: float = 1.0) -> Integers:
    """Return assignments `(assignments, groups)`, the best first."""
    worth = worths(*judged(problem, problem.held(assigned)), size_error)
    ranked: Integers = assigned[np.lexsort(worth[::-1])]
    return ranked


def _problem(counts: Integers, shares: tuple[float, ...], required: npt.NDArray[np.bool_]) -> Problem:
    sized = counts.astype(np.float64)
    target = np.outer(shares, sized.sum(axis=0))
    weight = np.zeros_like(target)
    np.divide(1.0, target, out=weight, where=target > 0)
    weight[:, -1] *= _SIZE_WEIGHT
    urgent = required.astype(np.float64)
    urgent[:, -1] *= required.shape[1]  # an empty split is worse than all classes lost
    return Problem(sized, target, weight, urgent)


def _greedy(problem: Problem, starts: int) -> Integers:
    """Large groups first, in a random order among similar ones, each to the split that it serves best; several times.

    Returns:
        `(starts, groups)`.
    """
    counts = problem.counts
    factors = np.random.default_rng(0).uniform(0.7, 1.0, (starts, len(counts)))
    orders = np.argsort(-counts[:, -1] * factors, axis=1, kind="stable")
    assigned = np.zeros((starts, len(counts)), dtype=np.int64)
    gap = np.repeat(-problem.target[None], starts, axis=0)  # held minus target
    every = np.arange(starts)
    for groups in orders.T:
        own = counts[groups][:, None]  # (starts, 1, strata + 1)
        best = (problem.weight * own * (2 * gap + own)).sum(axis=2).argmin(axis=1)
        assigned[every, groups] = best
        gap[every, best] += own[:, 0]
    return assigned
