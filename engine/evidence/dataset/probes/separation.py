"""How well one condition alone tells one class from all others, and whether chance does as well; knows no audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SHUFFLES = 199
"""The smallest p is then 0.005, before the correction for several conditions."""
_ENOUGH = 10
"""Shuffles that do as well as the data: p is then known well enough (Besag and Clifford 1991)."""
_TOGETHER = 20
"""Shuffles that are weighed at once; what is drawn beyond the last that counts is left alone."""
_SEED = 20260301
_MOST_SHUFFLED = 600
"""Clips in one shuffle: with fewer clips chance separates better, so a random part of them gives no p too small."""


@dataclass(frozen=True, slots=True)
class Separation:
    """The class that one condition tells best."""

    code: int
    value: float
    """0 = not at all, 1 = without an error: share of the class inside the interval less the share of the others."""
    low: float
    high: float
    """The interval, both ends included, that holds the class (or, with `outside`, the others)."""
    outside: bool
    auc: float
    """Chance that a clip of the class has a higher value than another one."""


@dataclass(frozen=True, eq=False)
class _Sorted:
    order: Integers
    last: Integers
    """Places in the order where a run of equal values ends."""
    values: Floats


def _sort(values: Floats) -> _Sorted:
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    return _Sorted(order, last, ordered[last])


def _excess(ranked: _Sorted, codes: Integers, classes: int) -> Floats:
    """Return distribution function of each class less that of all others, `(different values + 1, classes)`."""
    excess: Floats = _excesses(ranked, codes[None], classes)[0]
    return excess


def _excesses(ranked: _Sorted, dealt: Integers, classes: int) -> Floats:
    """Return the same of several dealings of the codes, `(dealings, different values + 1, classes)`."""
    runs = np.repeat(np.arange(1, len(ranked.last) + 1), np.diff(ranked.last, prepend=-1))
    size = len(ranked.last) + 1
    counts = _counted(runs * classes + dealt[:, ranked.order], size * classes)
    running = counts.reshape(len(dealt), size, classes).cumsum(axis=1).astype(float)
    own = running[:, -1:]
    total = own.sum(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess: Floats = running / own - (running.sum(axis=2, keepdims=True) - running) / (total - own)
    return excess


def _counted(cells: Integers, size: int) -> Integers:
    """Return how often each number below `size` stands in each row, `(rows, size)`."""
    rows = np.arange(len(cells))[:, None] * size
    return np.bincount((cells + rows).ravel(), minlength=len(cells) * size).reshape(-1, size)


def separate(values: Floats, codes: Integers, judged: Flags) -> Separation | None:
    """Return the judged class that an interval of `values` tells best from all others; None without a judged class.

    The value is Kuiper's statistic of the class against the rest (Kuiper 1960): a recorder's noise floor is an
    interval in the middle as often as an end. Unknown values (NaN) count as the lowest.
    """
    known = np.where(np.isfinite(values), values, -np.inf)
    ranked = _sort(known)
    excess = _excess(ranked, codes, len(judged))
    spread = np.where(judged, np.ptp(excess, axis=0), -1.0)
    code = int(np.nanargmax(spread))
    if not judged[code] or not np.isfinite(spread[code]):
        return None
    top, bottom = int(excess[:, code].argmax()), int(excess[:, code].argmin())
    first, stop = sorted((top, bottom))
    return Separation(
        code,
        float(spread[code]),
        float(ranked.values[min(first, len(ranked.values) - 1)]),
        float(ranked.values[stop - 1]),
        top < bottom,
        _auc(known, codes == code),
    )


def _auc(values: Floats, own: Flags) -> float:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # mean ranks of ties, from 1
    n, m = int(own.sum()), int((~own).sum())
    return float((ranks[own].sum() - n * (n + 1) / 2) / (n * m)) if n and m else 0.5


def separate_categories(values: tuple[str, ...], codes: Integers, judged: Flags) -> tuple[int, float, str]:
    """Return the class told best, how well (total variation to the others), and the category that tells it."""
    names, numbers = np.unique(np.array(values), return_inverse=True)
    gap = _gap(numbers, codes, len(names), len(judged))
    distance = np.where(judged & np.isfinite(gap).all(axis=0), np.abs(gap).sum(axis=0) / 2, -1.0)
    code = int(distance.argmax())
    return code, max(0.0, float(distance[code])), str(names[int(gap[:, code].argmax())])


def _gap(numbers: npt.NDArray[np.integer], codes: Integers, categories: int, classes: int) -> Floats:
    """Return the share of each category in each class less that in all others, `(categories, classes)`."""
    gap: Floats = _gaps(numbers, codes[None], categories, classes)[0]
    return gap


def _gaps(numbers: npt.NDArray[np.integer], dealt: Integers, categories: int, classes: int) -> Floats:
    """Return the same of several dealings of the codes, `(dealings, categories, classes)`."""
    table = _counted(numbers * classes + dealt, categories * classes).reshape(len(dealt), categories, classes)
    own = table.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap: Floats = table / own - (table.sum(axis=2, keepdims=True) - table) / (own.sum(axis=2, keepdims=True) - own)
    return gap


Shuffle = Callable[[np.random.Generator], Integers]


def shuffler(codes: Integers, groups: Integers) -> Shuffle:
    """Return a function that deals the labels out anew, as far as the groups leave them free.

    Where most clips are in groups of one label only (all clips of a recording), whole groups swap labels; else labels
    are dealt within each group, so that what a speaker sounds like is not taken for what a class sounds like.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    sizes = np.diff(starts, append=len(order))
    lowest, highest = np.minimum.reduceat(codes[order], starts), np.maximum.reduceat(codes[order], starts)
    if sizes[lowest == highest].sum() * 2 > len(codes):

        def whole_groups(rng: np.random.Generator) -> Integers:
            dealt = np.empty_like(codes)
            dealt[order] = np.repeat(rng.permutation(lowest), sizes)
            return dealt

        return whole_groups

    def within_groups(rng: np.random.Generator) -> Integers:
        dealt = np.empty_like(codes)
        dealt[order] = codes[np.argsort(groups + rng.random(len(codes)))]
        return dealt

    return within_groups


def chance_of(values: Floats, codes: Integers, groups: Integers, judged: Flags, found: float) -> float:
    """Return the share of shuffles that tell some judged class at least as well: p, corrected for the classes."""
    part = _part(codes)
    ranked = _sort(np.where(np.isfinite(values[part]), values[part], -np.inf))
    return _chance(codes[part], groups[part], judged, found, lambda dealt: _excesses(ranked, dealt, len(judged)))


def chance_of_categories(
    values: tuple[str, ...], codes: Integers, groups: Integers, judged: Flags, found: float
) -> float:
    """Return the same for categories."""
    part = _part(codes)
    names, numbers = np.unique(np.array(values)[part], return_inverse=True)
    if len(names) < 2:
        return 1.0

    def excess(dealt: Integers) -> Floats:
        gap = np.abs(_gaps(numbers, dealt, len(names), len(judged))).sum(axis=1, keepdims=True) / 2
        return np.concatenate((np.zeros_like(gap), gap), axis=1)

    return _chance(codes[part], groups[part], judged, found, excess)


def _part(codes: Integers) -> Integers:
    if len(codes) <= _MOST_SHUFFLED:
        return np.arange(len(codes))
    return np.sort(np.random.default_rng(_SEED).choice(len(codes), _MOST_SHUFFLED, replace=False))


def _chance(
    codes: Integers, groups: Integers, judged: Flags, found: float, excess_of: Callable[[Integers], Floats]
) -> float:
    rng = np.random.default_rng(_SEED)
    deal = shuffler(codes, groups)
    extreme = 0
    for start in range(0, SHUFFLES, _TOGETHER):
        dealt = np.stack([deal(rng) for _ in range(min(_TOGETHER, SHUFFLES - start))])
        best = np.nanmax(np.where(judged, np.ptp(excess_of(dealt), axis=1), -1.0), axis=1)
        for done, as_well in enumerate((best >= found - 1e-12).tolist(), start=start + 1):
            extreme += bool(as_well)
            if extreme >= _ENOUGH:
                return extreme / done
    return (1 + extreme) / (1 + SHUFFLES)


def holm(values: dict[str, float]) -> dict[str, float]:
    """Correct several p-values for their number (Holm 1979)."""
    corrected: dict[str, float] = {}
    worst = 0.0
    for place, name in enumerate(sorted(values, key=lambda name: (values[name], name))):
        worst = max(worst, min(1.0, values[name] * (len(values) - place)))
        corrected[name] = worst
    return corrected


def cramers_v(left: Integers, right: Integers) -> float:
    """Return the bias-corrected association of two columns of numbers, 0 to 1 (Bergsma 2013)."""
    table = np.zeros((int(left.max()) + 1, int(right.max()) + 1))
    np.add.at(table, (left, right), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (rows, columns) = table.sum(), table.shape
    if n < 2 or min(rows, columns) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    rows, columns = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(phi / max(1e-12, min(rows, columns) - 1))))
