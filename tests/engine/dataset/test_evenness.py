"""Single moves and swaps make an assignment more even by what is judged in the end, and lose no class."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.assignment import _problem
from engine.evidence.dataset.evenness import evened, judged
from engine.evidence.dataset.exchange import Integers, Problem

SHARES = (0.7, 0.15, 0.15)


def drawn(seed: int, groups: int, strata: int) -> tuple[Problem, Integers]:
    """Return a table of groups of any size, and some assignment of them."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(2, (groups, strata)) + np.eye(groups, strata, dtype=int)
    counts = np.column_stack([counts, counts.sum(axis=1)]).astype(np.int64)
    spread = (counts > 0).sum(axis=0)
    required = np.array([spread > place for place in (0, 2, 1)])
    return _problem(counts, SHARES, required), rng.integers(0, 3, groups)


def worth(problem: Problem, assigned: Integers, most: float = 0.01) -> tuple[int, float, float]:
    """Return what counts, the most important first: lacking classes, sizes that are off by too much, evenness."""
    (lacking,), (distance,), (size_error,) = judged(problem, problem.held(assigned[None]))
    return int(lacking), round(max(size_error - most, 0), 6), round(distance + size_error, 6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 9), st.integers(1, 4), st.floats(0.01, 0.3))
def test_it_ends_where_no_move_and_no_swap_helps(seed: int, groups: int, strata: int, most: float) -> None:
    problem, start = drawn(seed, groups, strata)

    end = evened(problem, start, most)

    assert worth(problem, end, most) <= worth(problem, start, most)
    others = []
    for group, split in itertools.product(range(groups), range(3)):
        others.append(end.copy())
        others[-1][group] = split
    for one, two in itertools.combinations(range(groups), 2):
        others.append(end.copy())
        others[-1][[one, two]] = end[[two, one]]
    assert all(worth(problem, other, most) >= worth(problem, end, most) for other in others)


def test_what_is_given_stays_as_it_is() -> None:
    problem, start = drawn(1, 8, 3)
    before = start.copy()

    evened(problem, start, 0.01)

    np.testing.assert_array_equal(start, before)


def test_many_groups_are_moved_and_not_swapped() -> None:
    """A swap for each pair of 2,000 groups would take gigabytes."""
    problem, start = drawn(2, 2000, 5)

    assert worth(problem, evened(problem, start, 0.01)) < worth(problem, start)


def test_too_many_groups_are_left_as_they_are() -> None:
    problem, start = drawn(3, 60_000, 5)

    np.testing.assert_array_equal(evened(problem, start, 0.01), start)
