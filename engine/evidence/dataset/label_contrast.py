"""Whether one held-out split keeps to the labels of training far closer than the other; draws no line between them.

A split that was drawn by label lies much nearer to training than chance brings it. Where validation does and test does
not, test was changed afterwards, or drawn in another way: by far more than a comparison of test with a random split can
tell, which forgives it as much as chance moves a random one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .coded import Integers

_SHUFFLES = 2000
"""Random splits; the smallest p is then 0.0005."""
_SEED = 20261121
_EQUAL = 1e-3
"""Added to both distances, chi-squares of some degrees of freedom: two splits that both equal training are alike."""
Numbers = npt.NDArray[np.floating]


def contrast_p(train: Integers, one: Integers, other: Integers) -> float:
    """Return the share of random splits in which the distances of two parts from training differ as much, or more.

    The quotient of their chi-squares is compared, the larger over the smaller. Speakers with labels of their own
    widen both, and the quotient hardly: random splits by speaker alarm no more often than those by clip.

    Args:
        train, one, other: clips of each label, `(labels,)`.
    """
    rng = np.random.default_rng(_SEED)
    pooled = train + one + other
    ones = rng.multivariate_hypergeometric(pooled, int(one.sum()), size=_SHUFFLES)
    others = drawn_without_return(rng, pooled - ones, int(other.sum()))
    quotients = _quotient(pooled - ones - others, ones, others)
    extreme = int((quotients >= _quotient(train, one, other) * (1 - 1e-9)).sum())
    return (1 + extreme) / (1 + _SHUFFLES)


def drawn_without_return(rng: np.random.Generator, left: Integers, count: int) -> Integers:
    """Return of how many clips of each label `count` drawn ones are, for each row of counts, `(rows, labels)`.

    numpy draws of one row at a time, which takes ten times as long with five labels, twice with fifty.
    """
    drawn = np.zeros_like(left)
    behind, wanted = left.sum(axis=1), np.full(len(left), count)
    for label in range(left.shape[1]):
        behind = behind - left[:, label]
        drawn[:, label] = rng.hypergeometric(left[:, label], behind, wanted)
        wanted = wanted - drawn[:, label]
    return drawn


def evenness_p(train: Integers, one: Integers, other: Integers) -> float:
    """Return the share of random splits whose nearer part keeps to training as closely as the nearer one here.

    A small one tells a split that was drawn by label: chance does not deal every label so evenly.

    Args:
        train, one, other: clips of each label, `(labels,)`.
    """
    near = min((one, other), key=lambda part: float(_distance(train, part)))
    pooled = train + near
    drawn = np.random.default_rng(_SEED).multivariate_hypergeometric(pooled, int(near.sum()), size=_SHUFFLES)
    closer = int((chi_square(pooled - drawn, drawn) <= chi_square(train, near) * (1 + 1e-9)).sum())
    return min(1.0, 2 * (1 + closer) / (1 + _SHUFFLES))  # Bonferroni: the nearer of two was picked


def _distance(train: Integers, part: Integers) -> Numbers:
    distance: Numbers = np.abs(train / train.sum() - part / part.sum()).sum()
    return distance


def _quotient(train: Integers, one: Integers, other: Integers) -> Numbers:
    """Return the larger of two chi-squares against training over the smaller; counts `(..., labels)` -> `(...)`."""
    first, second = chi_square(train, one) + _EQUAL, chi_square(train, other) + _EQUAL
    quotient: Numbers = np.maximum(first, second) / np.minimum(first, second)
    return quotient


def chi_square(a: Integers, b: Integers) -> Numbers:
    """Return Pearson's chi-square of two rows of counts, `(..., labels)` -> `(...)`; 0 = one distribution."""
    a_total, b_total = (counts.sum(axis=-1, keepdims=True).astype(float) for counts in (a, b))
    both = np.maximum(a + b, 1)  # a label that neither holds adds 0
    summed: Numbers = ((a * b_total - b * a_total) ** 2 / (both * a_total * b_total)).sum(axis=-1)
    return summed
