"""Assigns whole groups to splits so that labels and sizes come out even; knows nothing of audio, rows or files.

A greedy start (large groups first), then moves and swaps of groups while they help (exchange.py), from several random
orders side by side; the best is kept. The same input gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    found = improved(problem, starts, moves)
    lacking, uneven = _unevenness(problem, found)
    best = np.lexsort((uneven, lacking))[0]
    return Assignment(found[best], int(lacking[best]), float(uneven[best]))


def _problem(counts: Integers, shares: tuple[float, ...], required: npt.NDArray[np.bool_]) -> Problem:
    sized = counts.astype(np.float64)
    target = np.outer(shares, sized.sum(axis=0))
    weight = np.zeros_like(target)
    np.divide(1.0, target, out=weight, where=target > 0)
    weight[:, -1] *= _SIZE_WEIGHT
    urgent = required.astype(np.float64)
    urgent[:, -1] *= required.shape[1]  # an empty split is worse than all classes lost
    return Problem(sized, target, weight, urgent)


def _unevenness(problem: Problem, assigned: Integers) -> tuple[Integers, Floats]:
    """Return how many required strata each assignment lacks, and its worst label distance plus worst size error."""
    held = problem.held(assigned)
    lacking = np.where(held == 0, problem.required, 0).sum(axis=(1, 2)).astype(np.int64)
    labels, sizes = held[:, :, :-1], held[:, :, -1]
    overall = problem.counts[:, :-1].sum(axis=0) / max(1.0, problem.counts[:, :-1].sum())
    own = labels / np.maximum(1.0, labels.sum(axis=2, keepdims=True))
    distance = np.abs(own - overall).sum(axis=2).max(axis=1) / 2
    size_error = np.abs(sizes - problem.target[:, -1]).max(axis=1) / max(1.0, problem.counts[:, -1].sum())
    return lacking, distance + size_error


def _greedy(problem: Problem, starts: int) -> Integers:
    """Large groups first, in a random order among similar ones, each to the split that it serves best; several times.

    Returns:
        `(starts, groups)`.
    """
    counts = problem.counts
    factors = np.stack([np.random.default_rng(seed).uniform(0.7, 1.0, len(counts)) for seed in range(starts)])
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
