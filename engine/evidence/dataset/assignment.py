"""Assigns whole groups to splits so that labels and sizes come out even; knows nothing of audio, rows or files.

A greedy start (large groups first), then moves and swaps of groups while they help, from several random orders; the
best is kept. The same input gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

RESTARTS = 20
_FEW_GROUPS, _MORE_RESTARTS = 200, 100
"""Few groups fit badly and cost little: more starts find the best fit more often."""
_RESTARTED_CELLS = 200_000
"""Groups times strata times restarts; of many groups, small beside the whole, any start comes out even."""
_MOVED_CELLS = 20_000_000
"""Groups times strata times moves, so that a hundred thousand groups take seconds and not minutes."""
_SWAPPED_GROUPS = 600
"""Up to so many groups all pairs are tried for a swap; beyond, moves alone come out even."""
_FEWEST_MOVES, _MOVES = 20, 1000
_LOST = 1e4
"""Cost of a class that a split lacks: above every other cost, so that evenness never buys a lost class."""
_SIZE_WEIGHT = 4.0
"""A split that is too large or small costs as much as four labels that are off by as much."""


@dataclass(frozen=True)
class _Problem:
    """What is to be assigned: groups as rows, strata as columns; the last column is the size."""

    counts: Floats  # (groups, strata + 1)
    target: Floats  # (splits, strata + 1)
    weight: Floats  # (splits, strata + 1)
    required: Floats  # (splits, strata + 1) weight of what a split must hold; 0 where it need not


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
    starts = [_greedy(problem, np.random.default_rng(seed)) for seed in range(restarts)]
    different = {start.tobytes(): start for start in starts}  # of few groups, many orders begin alike
    found = [_improved(problem, start) for start in different.values()]
    best = min(found, key=lambda assigned: _unevenness(problem, assigned))
    return Assignment(best, *_unevenness(problem, best))


def _problem(counts: Integers, shares: tuple[float, ...], required: npt.NDArray[np.bool_]) -> _Problem:
    sized = counts.astype(np.float64)
    target = np.outer(shares, sized.sum(axis=0))
    weight = np.zeros_like(target)
    np.divide(1.0, target, out=weight, where=target > 0)
    weight[:, -1] *= _SIZE_WEIGHT
    urgent = required.astype(np.float64)
    urgent[:, -1] *= required.shape[1]  # an empty split is worse than all classes lost
    return _Problem(sized, target, weight, urgent)


def _unevenness(problem: _Problem, assigned: Integers) -> tuple[int, float]:
    """Return how many required strata are lacking, and the worst label distance plus the worst size error."""
    held = _held(problem, assigned)
    lacking = int(problem.required[held == 0].sum())
    labels, sizes = held[:, :-1], held[:, -1:]
    overall = labels.sum(axis=0) / max(1.0, labels.sum())
    own = labels / np.maximum(1.0, labels.sum(axis=1, keepdims=True))
    distance = float(np.abs(own - overall).sum(axis=1).max() / 2)
    size_error = float(np.abs(sizes - problem.target[:, -1:]).max() / max(1.0, sizes.sum()))
    return lacking, distance + size_error


def _held(problem: _Problem, assigned: Integers) -> Floats:
    held = np.zeros_like(problem.target)
    np.add.at(held, assigned, problem.counts)
    return held


def _greedy(problem: _Problem, rng: np.random.Generator) -> Integers:
    """Large groups first, in a random order among similar ones, each to the split that it serves best."""
    sizes = problem.counts[:, -1] * rng.uniform(0.7, 1.0, len(problem.counts))
    assigned = np.zeros(len(sizes), dtype=np.int64)
    gap = -problem.target.copy()  # held minus target
    for group in np.argsort(-sizes, kind="stable"):
        own = problem.counts[group]
        rise = (problem.weight * own * (2 * gap + own)).sum(axis=1)
        best = int(rise.argmin())
        assigned[group] = best
        gap[best] += own
    return assigned


def _improved(problem: _Problem, assigned: Integers) -> Integers:
    """Take the best move or swap while there is one that lowers the cost."""
    assigned = assigned.copy()
    swaps = len(assigned) <= _SWAPPED_GROUPS
    held = _held(problem, assigned)
    for _ in range(min(_MOVES, max(_FEWEST_MOVES, _MOVED_CELLS // problem.counts.size))):
        gain, change = min(
            (
                _best(problem, held, assigned, a, b, swaps=swaps)
                for a in range(len(held))
                for b in range(len(held))
                if a != b
            ),
            key=lambda option: option[0],
        )
        if gain > -1e-9:
            break
        for group, split in change:
            held[assigned[group]] -= problem.counts[group]
            held[split] += problem.counts[group]
            assigned[group] = split
    return assigned


_Change = tuple[tuple[int, int], ...]


def _best(problem: _Problem, held: Floats, assigned: Integers, a: int, b: int, *, swaps: bool) -> tuple[float, _Change]:
    """Return the cheapest move of a group from split `a` to `b`, or swap of two, with the cost it adds."""
    here, there = (assigned == a).nonzero()[0], (assigned == b).nonzero()[0]
    if not len(here):
        return 0.0, ()
    out = problem.counts[here]
    leave, lost = _leaving(problem, held, a, out)
    join, gained = _joining(problem, held, b, out)
    move = leave + join + _LOST * (lost.sum(axis=1) - gained.sum(axis=1))
    best = int(move.argmin())
    option: tuple[float, _Change] = (float(move[best]), ((int(here[best]), b),))
    if not swaps or not len(there) or a > b:
        return option
    cost = _swap_costs(problem, held, (a, b), (out, problem.counts[there]), (leave + join, lost, gained))
    row, column = np.unravel_index(int(cost.argmin()), cost.shape)
    swap: _Change = ((int(here[row]), b), (int(there[column]), a))
    return min(option, (float(cost[row, column]), swap), key=lambda item: item[0])


def _swap_costs(
    problem: _Problem,
    held: Floats,
    splits: tuple[int, int],
    counts: tuple[Floats, Floats],
    outward: tuple[Floats, Floats, Floats],
) -> Floats:
    """Return the added cost of every swap, `(groups here, groups there)`.

    Squared deviations give the sum of both moves minus twice the product of the two groups, in both splits.
    """
    (a, b), (out, back), (move_out, lost_out, gained_out) = splits, counts, outward
    leave, lost_back = _leaving(problem, held, b, back)
    join, gained_back = _joining(problem, held, a, back)
    product = (out * (problem.weight[a] + problem.weight[b])) @ back.T
    lost = lost_out @ (back == 0).T + (out == 0) @ lost_back.T
    gained = gained_out.sum(axis=1)[:, None] + gained_back.sum(axis=1)[None, :]
    cost: Floats = move_out[:, None] + (leave + join)[None, :] - 2 * product + _LOST * (lost - gained)
    return cost


def _leaving(problem: _Problem, held: Floats, split: int, own: Floats) -> tuple[Floats, Floats]:
    """Return the cost added when a group leaves, and the required strata that leave with it."""
    gap = held[split] - problem.target[split]
    cost = (problem.weight[split] * own * (own - 2 * gap)).sum(axis=1)
    return cost, problem.required[split] * ((own > 0) & (held[split] == own))


def _joining(problem: _Problem, held: Floats, split: int, own: Floats) -> tuple[Floats, Floats]:
    """Return the cost added when a group joins, and the required strata that it brings."""
    gap = held[split] - problem.target[split]
    cost = (problem.weight[split] * own * (own + 2 * gap)).sum(axis=1)
    return cost, problem.required[split] * ((own > 0) & (held[split] == 0))
