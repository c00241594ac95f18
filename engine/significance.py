"""Whether two sets of paired scores differ by more than luck; numpy only, and it calls nothing significant.

What p-value is enough stands in the rulebooks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_EXACT_UP_TO = 14
"""Pairs of which every sign is tried: 16,384 sums; more are drawn."""
_DRAWS = 10_000
"""Random signs: a p-value of 0.05 is then known to 0.004."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Paired:
    """What a paired comparison found."""

    pairs: int
    difference: float
    """Mean of new minus old."""
    deviation: float
    """Of the differences, over n - 1; NaN for one pair."""
    p_value: float
    """Two-sided: share of the signs under which the mean difference is at least as large."""
    smallest_p: float
    """The smallest p-value that so few pairs can give: where that is large, nothing can be told."""


def sign_flip(new: ArrayLike, old: ArrayLike, seed: int = 0) -> Paired:
    """Compare paired scores by flipping signs of their differences (Fisher 1935): exact for few pairs, drawn for many.

    Pairs are what was measured independently of one another, such as speakers or seeds, not the clips of one speaker.

    Raises:
        ValueError: the scores are not paired, or there are none.
    """
    first, second = np.asarray(new, dtype=np.float64), np.asarray(old, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"expected two arrays (pairs,) with pairs > 0, got {first.shape} and {second.shape}")
    differences = first - second
    own, pairs = abs(differences.mean()), len(differences)
    means = np.abs(_signs(pairs, seed) @ differences) / pairs
    extreme = means >= own - _ROUNDING * max(float(np.abs(differences).max()), 1.0)
    exact = pairs <= _EXACT_UP_TO
    p_value = extreme.mean() if exact else (extreme.sum() + 1) / (len(extreme) + 1)
    deviation = float(differences.std(ddof=1)) if pairs > 1 else float("nan")
    smallest = 2.0 ** (1 - pairs) if exact else 1 / (_DRAWS + 1)
    return Paired(pairs, float(differences.mean()), deviation, float(p_value), smallest)


def _signs(pairs: int, seed: int) -> NDArray[np.float64]:
    """Return (draws, pairs) of -1 and 1."""
    if pairs <= _EXACT_UP_TO:
        return np.array(list(itertools.product((-1.0, 1.0), repeat=pairs)))
    return np.random.default_rng(seed).choice((-1.0, 1.0), size=(_DRAWS, pairs))
