"""How even an assignment of groups to splits is, and the single moves and swaps that make one more even.

Knows nothing of labels, rows or files.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .exchange import Floats, Integers, Problem

_CELLS = 1_000_000
"""Changes times what splits hold, weighed at once: beyond, groups are only moved, or left; many are even already."""
_CHANGED_CELLS = 10_000_000
"""The same of all changes that are taken one after the other: some tenths of a second."""
_HELPS = 1e-9


def judged(problem: Problem, held: Floats) -> tuple[Integers, Floats, Floats]:
    """Return how many required strata each assignment lacks, its worst label distance, and its worst size error.

    Args:
        problem: what is assigned.
        held: what each split holds, `(assignments, splits, strata + 1)`.
    """
    lacking = np.where(held == 0, problem.required, 0).sum(axis=(1, 2)).astype(np.int64)
    labels, sizes = held[:, :, :-1], held[:, :, -1]
    overall = problem.counts[:, :-1].sum(axis=0) / max(1.0, problem.counts[:, :-1].sum())
    own = labels / np.maximum(1.0, labels.sum(axis=2, keepdims=True))
    distance = np.abs(own - overall).sum(axis=2).max(axis=1) / 2
    size_error = np.abs(sizes - problem.target[:, -1]).max(axis=1) / max(1.0, problem.counts[:, -1].sum())
    return lacking, distance, size_error


def evened(problem: Problem, assigned: Integers, size_error: float) -> Integers:
    """Take the move or swap of groups that makes an assignment `(groups,)` most even, while there is one.

    Args:
        problem: what is assigned.
        assigned: the split of each group.
        size_error: share of all clips by which a split may be off: no change goes beyond, nor farther beyond.
    """
    (lacks,), (distance,), (size,) = judged(problem, problem.held(assigned[None]))
    worth, left = worths(lacks, distance, size, size_error), _CHANGED_CELLS
    while len(changes := _changes(problem, assigned)) and left > 0:
        left -= len(changes) * problem.target.size
        found = judged(problem, problem.held(assigned[None]) + _moved(problem, assigned, changes))
        compared = worths(*found, size_error)
        best = np.lexsort(compared[::-1])[0]
        most_even = tuple(each[best] for each in compared)
        if most_even >= (*worth[:-1], worth[-1] - _HELPS):
            break
        worth = most_even
        assigned = _taken(assigned, *changes[best].tolist())
    return assigned


def worths(lacking: Any, distance: Any, size: Any, most: float) -> tuple[Any, ...]:
    """Return what is compared, the most important first: classes, sizes that are off by too much, evenness."""
    return lacking, np.maximum(np.round(size - most, 9), 0), distance + size


def _taken(assigned: Integers, one: int, to: int, other: int) -> Integers:
    """Return the assignment after one change."""
    changed = assigned.copy()
    changed[one] = to
    if other >= 0:
        changed[other] = assigned[one]
    return changed


def _changes(problem: Problem, assigned: Integers) -> Integers:
    """Return every move and swap as the group, the split that it goes to, and the group that comes back, or -1."""
    groups, splits = len(assigned), len(problem.target)
    if groups * splits * problem.target.size > _CELLS:
        return np.empty((0, 3), np.int64)
    one, to = np.divmod(np.arange(groups * splits), splits)
    moves: Integers = np.stack((one, to, np.full(len(one), -1)), axis=1)[to != assigned[one]]
    if groups * groups // 2 * problem.target.size > _CELLS:
        return moves
    one, other = _pairs(groups)
    swaps = np.stack((one, assigned[other], other), axis=1)[assigned[one] != assigned[other]]
    return np.concatenate((moves, swaps))


@lru_cache(maxsize=2)
def _pairs(groups: int) -> tuple[Integers, Integers]:
    one, other = np.triu_indices(groups, 1)
    return one, other


def _moved(problem: Problem, assigned: Integers, changes: Integers) -> Floats:
    """Return what each change adds to the splits, `(changes, splits, strata + 1)`."""
    one, to, other = changes.T
    more = problem.counts[one] - np.where(other[:, None] >= 0, problem.counts[other], 0)
    added, every = np.zeros((len(changes), *problem.target.shape)), np.arange(len(changes))
    added[every, assigned[one]] -= more
    added[every, to] += more
    return added
