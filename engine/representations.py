"""Measures what vectors of clips are like before a head sees them; numpy only, and it judges nothing.

After S004: anisotropy is the mean cosine of all pairs, and each dimension's contribution is its share of that mean (Cai
et al. 2021, Timkey and van Schijndel 2021). Neither says whether a representation is good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SHARES = (0.5, 0.8, 0.9)
"""Shares of the similarity whose dimensions S004 counts (Table 3)."""
_TOPS = (1, 2, 3)
Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Contributions:
    """How many dimensions a cosine between two clips comes from."""

    anisotropy: float
    """Mean cosine of all pairs of different clips, -1/(clips - 1) to 1."""
    top: dict[int, float]
    """Share of the anisotropy that the 1, 2, 3 largest dimensions hold; NaN where there is none to share."""
    needed: dict[float, int]
    """Dimensions that together hold half, 80 and 90 % of it; 0 where there is none to share."""


def contributions(vectors: ArrayLike) -> Contributions:
    """Return anisotropy and contributions of (clips, features), without forming pairs.

    Raises:
        ValueError: fewer than two vectors, or one without length.
    """
    unit = _unit(vectors)
    each = np.sort(_by_dimension(unit))[::-1]
    whole = float(each.sum())
    if whole <= 0:  # the pairs point apart on average: there is no similarity to share out
        return Contributions(whole, dict.fromkeys(_TOPS, float("nan")), dict.fromkeys(_SHARES, 0))
    reached = np.cumsum(each) / whole
    needed = {share: int(np.argmax(reached >= share - 1e-12)) + 1 for share in _SHARES}
    return Contributions(whole, {top: float(reached[min(top, len(reached)) - 1]) for top in _TOPS}, needed)


def nearest_same_class(vectors: ArrayLike, classes: ArrayLike) -> float:
    """Return the share of clips whose nearest other clip by cosine has their class; the classes' own shares by luck."""
    unit, names = _unit(vectors), np.asarray(classes)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    return float(np.mean(names[alike.argmax(axis=1)] == names))


def spread(vectors: ArrayLike) -> float:
    """Return the mean distance of the vectors from their mean, over their mean length: 0 where all are one."""
    own = np.asarray(vectors, dtype=np.float64)
    apart = np.linalg.norm(own - own.mean(axis=0), axis=1).mean()
    length = np.linalg.norm(own, axis=1).mean()
    return float(apart / length) if length else 0.0


def similarity_kept(before: ArrayLike, after: ArrayLike) -> float:
    """Return how alike two representations of the same clips are, by linear CKA (Kornblith et al. 2019): 0 to 1.

    1 is the same up to rotation and scale; what fine-tuning forgets shows as less.

    Args:
        before: (clips, features).
        after: (clips, other features).
    """
    first, second = (np.asarray(one, dtype=np.float64) for one in (before, after))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    shared = np.square(first.T @ second).sum()
    scale = np.linalg.norm(first.T @ first) * np.linalg.norm(second.T @ second)
    return float(shared / scale) if scale else float("nan")


def _by_dimension(unit: Vectors) -> Vectors:
    """Return (features,): the mean over all pairs of different clips of the product in each dimension."""
    clips = len(unit)
    products: Vectors = (unit.sum(axis=0) ** 2 - (unit**2).sum(axis=0)) / (clips * (clips - 1))
    return products


def _unit(vectors: ArrayLike) -> Vectors:
    own = np.asarray(vectors, dtype=np.float64)
    if own.ndim != 2 or len(own) < 2:
        raise ValueError(f"expected (clips, features) of at least two clips, got {own.shape}")
    lengths = np.linalg.norm(own, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise ValueError("a vector without length has no direction")
    unit: Vectors = own / lengths
    return unit
