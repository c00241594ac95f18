"""Moves and swaps whole groups between splits while that makes them more even, many assignments side by side.

Each step takes of every assignment the one change that helps it most. Knows nothing of labels, rows or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LOST = 1e4
"""Cost of a class that a split lacks: above every other cost, so that evenness never buys a lost class."""
_SWAPPED_GROUPS = 600
"""Up to so many groups all pairs are tried for a swap; beyond, moves alone come out even."""
_BLOCK_CELLS = 1 << 20
"""Swaps (or moves) that are weighed at once: 8 MB a table."""
_HELPS = -1e-9


@dataclass(frozen=True)
class Problem:
    """What is to be assigned: groups as rows, strata as columns; the last column is the size."""

    counts: Floats  # (groups, strata + 1)
    target: Floats  # (splits, strata + 1)
    weight: Floats  # (splits, strata + 1)
    required: Floats  # (splits, strata + 1) weight of what a split must hold; 0 where it need not

    def held(self, assigned: Integers) -> Floats:
        """Return what each split holds, `(assignments, splits, strata + 1)`."""
        splits = np.arange(len(self.target))[:, None]
        held: Floats = (assigned[:, None] == splits).astype(np.float64) @ self.counts
        return held


def improved(problem: Problem, starts: Integers, most: int) -> Integers:
    """Take the best move or swap of each assignment `(assignments, groups)` while there is one, `most` times."""
    groups = len(problem.counts)
    swaps = groups <= _SWAPPED_GROUPS
    step = max(1, _BLOCK_CELLS // (groups * (groups if swaps else problem.counts.shape[1])))
    parts = [starts[start : start + step] for start in range(0, len(starts), step)]
    return np.concatenate([_improved(problem, part.copy(), most, swaps=swaps) for part in parts])


def _improved(problem: Problem, assigned: Integers, most: int, *, swaps: bool) -> Integers:
    held, active = problem.held(assigned), np.arange(len(assigned))
    alike = np.stack([(problem.counts * weight) @ problem.counts.T for weight in problem.weight]) if swaps else None
    for _ in range(most):
        cost, one, to, other = _best(problem, held[active], assigned[active], alike)
        helps = cost < _HELPS
        active, one, to, other = active[helps], one[helps], to[helps], other[helps]
        if not len(active):
            break
        back = assigned[active, one]
        _move(problem, held, assigned, (active, one, to))
        swapped = other >= 0
        _move(problem, held, assigned, (active[swapped], other[swapped], back[swapped]))
    return assigned


def _move(problem: Problem, held: Floats, assigned: Integers, change: tuple[Integers, Integers, Integers]) -> None:
    """Move in each of some assignments one group to a split."""
    row, group, split = change
    held[row, assigned[row, group]] -= problem.counts[group]
    held[row, split] += problem.counts[group]
    assigned[row, group] = split


def _best(
    problem: Problem, held: Floats, assigned: Integers, alike: Floats | None
) -> tuple[Floats, Integers, Integers, Integers]:
    """Return of each assignment the cost of its best change, the group that moves, where to, and the one moved back.

    Args:
        problem: what is assigned.
        held: what each split holds, `(assignments, splits, strata + 1)`.
        assigned: the split of each group, `(assignments, groups)`.
        alike: weighted products of any two groups, `(splits, groups, groups)`; None: groups are not swapped.
    """
    every, lost = np.arange(len(assigned)), _lost(problem, held, assigned)
    cost, gained = _moving(problem, held, assigned)  # (assignments, groups, splits)
    moved = cost + _LOST * (lost.sum(axis=2)[:, :, None] - gained)
    np.put_along_axis(moved, assigned[:, :, None], np.inf, axis=2)
    least, group, split = _lowest(moved)
    nobody = np.full(len(assigned), -1, np.int64)
    if alike is None:
        return least, group, split, nobody
    swapped, one, two = _lowest(_swapping(problem, assigned, cost - _LOST * gained, lost, alike))
    better = swapped < least
    split = np.where(better, assigned[every, two], split)
    return np.where(better, swapped, least), np.where(better, one, group), split, np.where(better, two, nobody)


def _lowest(costs: Floats) -> tuple[Floats, Integers, Integers]:
    """Return the lowest of each table `(assignments, rows, columns)`, with its row and its column."""
    flat = costs.reshape(len(costs), -1)
    best = flat.argmin(axis=1)
    return flat[np.arange(len(flat)), best], best // costs.shape[2], best % costs.shape[2]


def _moving(problem: Problem, held: Floats, assigned: Integers) -> tuple[Floats, Floats]:
    """Return what it costs to move each group to each split, and the required strata that it brings there."""
    squares = np.square(problem.counts) @ problem.weight.T  # (groups, splits)
    slope = 2 * problem.counts @ (problem.weight * (held - problem.target)).swapaxes(1, 2)
    leave = np.take_along_axis(squares - slope, assigned[:, :, None], axis=2)
    gained = (problem.counts > 0).astype(np.float64) @ (problem.required * (held == 0)).swapaxes(1, 2)
    return leave + squares + slope, gained


def _lost(problem: Problem, held: Floats, assigned: Integers) -> Floats:
    """Return the required strata that leave with each group, `(assignments, groups, strata + 1)`."""
    own = np.take_along_axis(held, assigned[:, :, None], axis=1)
    lost: Floats = problem.required[assigned] * ((problem.counts > 0) & (own == problem.counts))
    return lost


def _swapping(problem: Problem, assigned: Integers, moved: Floats, lost: Floats, alike: Floats) -> Floats:
    """Return the cost of every swap, `(assignments, groups, groups)`; infinite within a split.

    Squared deviations give the sum of both moves minus twice the product of the two groups, in both splits. A stratum
    is not lost where the other group brings it.
    """
    there = np.broadcast_to(assigned[:, None], (*assigned.shape, assigned.shape[1]))
    half = np.take_along_axis(moved, there, axis=2)
    half -= 2 * alike[assigned, np.arange(assigned.shape[1])]
    if lost.any():
        half += _LOST * (lost @ (problem.counts == 0).T)
    cost: Floats = half + half.swapaxes(1, 2)
    cost[there == assigned[:, :, None]] = np.inf
    return cost
