"""Moves and swaps side by side: each assignment ends where no change helps it, as a search through all changes says."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.exchange import Integers, Problem, improved


def problem(seed: int, groups: int, strata: int) -> Problem:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(1, 5, (groups, 1)), (groups, strata)).astype(float)
    counts = np.concatenate((counts, counts.sum(axis=1, keepdims=True)), axis=1)
    target = np.outer((0.6, 0.2, 0.2), counts.sum(axis=0))
    required = np.array([(counts > 0).sum(axis=0) > least for least in range(3)], float)
    return Problem(counts, target, 1 / np.maximum(target, 1), required)


def cost(given: Problem, assigned: Integers) -> float:
    held = given.held(assigned[None])[0]
    return float((given.weight * (held - given.target) ** 2).sum() + 1e4 * given.required[held == 0].sum())


def changes(assigned: Integers) -> list[Integers]:
    made = []
    for group, split in itertools.product(range(len(assigned)), range(3)):
        made.append(np.where(np.arange(len(assigned)) == group, split, assigned))
    for one, two in itertools.combinations(range(len(assigned)), 2):
        swapped = assigned.copy()
        swapped[[one, two]] = assigned[[two, one]]
        made.append(swapped)
    return made


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), groups=st.integers(3, 12), strata=st.integers(1, 4))
def test_every_assignment_ends_where_no_move_and_no_swap_helps(seed: int, groups: int, strata: int) -> None:
    given, starts = problem(seed, groups, strata), np.random.default_rng(seed).integers(0, 3, (4, groups))

    found = improved(given, starts, 1000)

    for start, end in zip(starts, found, strict=True):
        assert cost(given, end) <= cost(given, start) + 1e-6
        assert cost(given, end) <= min(cost(given, change) for change in changes(end)) + 1e-6


def test_assignments_do_not_sway_one_another() -> None:
    given, starts = problem(3, 10, 3), np.random.default_rng(3).integers(0, 3, (6, 10))

    together = improved(given, starts, 1000)

    assert np.array_equal(together, np.concatenate([improved(given, start[None], 1000) for start in starts]))
    assert (together != starts).any()
