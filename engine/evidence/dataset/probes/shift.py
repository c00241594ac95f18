"""How far level, bandwidth and noise of the splits lie apart, and whether groups dealt at random do as well."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from knowledge.records import Measured

from ..counting import measured, unknown
from ..records import SPLITS
from .gather import Floats, Probed
from .minimums import Minimums
from .separation import holm

Flags = npt.NDArray[np.bool_]

SHIFT = "dataset.condition_split_distance dataset.condition_split_p"
_JUDGED = ("level_dbfs", "bandwidth_hz", "hiss_dbfs")
_SHUFFLES = 199
_TOGETHER = 50
_SEED = 20260301
_LONG = {"train": "training", "val": "validation", "test": "test"}


def measure_shift(probed: Probed, least: Minimums) -> Measured:
    """Return the largest Kolmogorov distance between training and another split; p by dealing out whole groups."""
    splits = np.array([*SPLITS, ""])[probed.dataset.splits[probed.places]]
    first, *others = [split for split in SPLITS if (splits == split).sum() >= least.split_clips] or [""]
    values = {name: probed.conditions[name] for name in _JUDGED if name in probed.conditions}
    if not others or not values:
        return Measured(
            unknown=unknown(SHIFT, f"fewer than two splits have {least.split_clips} clips with known conditions")
        )
    distances: dict[str, float] = {}
    chances: dict[str, float] = {}
    for split in others:
        either = (splits == first) | (splits == split)
        for name, column in values.items():
            known = either & np.isfinite(column)
            key = f"{name} of {_LONG[first]} and {_LONG[split]}"
            inside = splits[known] == split
            distances[key], chances[key] = _distance_and_chance(
                column[known], inside, probed.units[known], least.split_groups
            )
    corrected = holm(chances)
    worst = min(distances, key=lambda key: (corrected[key], -distances[key]))
    texts = [
        f"{key}: distance {distances[key]:.2f}, p {corrected[key]:.3f}"
        for key in sorted(distances, key=distances.__getitem__)[::-1]
    ]
    n = int(min((splits == split).sum() for split in (first, *others)))
    return Measured(
        (
            measured("dataset.condition_split_distance", distances[worst], n, texts),
            measured("dataset.condition_split_p", corrected[worst], n, texts),
        )
    )


def _distance_and_chance(
    values: Floats, inside: Flags, units: npt.NDArray[np.int64], fewest: int
) -> tuple[float, float]:
    """Units are dealt whole, as many as either side has: two speakers differ more than two clips of one."""
    if inside.all() or not inside.any():
        return 0.0, 1.0
    order = np.argsort(values, kind="stable")
    last = np.append(np.diff(values[order]) > 0, True)
    _, numbers = np.unique(units, return_inverse=True)
    sizes = np.bincount(numbers)
    held = np.bincount(numbers, weights=inside) / sizes
    found = float(_distances(inside[order].astype(float)[None], last)[0])
    if len(sizes) < 2 * fewest or min((held > 0.5).sum(), (held <= 0.5).sum()) < fewest:
        return found, 1.0
    rng = np.random.default_rng(_SEED)
    extreme = 0
    for start in range(0, _SHUFFLES, _TOGETHER):
        draws = np.stack([rng.permutation(held) for _ in range(min(_TOGETHER, _SHUFFLES - start))])
        extreme += int((_distances(draws[:, numbers[order]], last) >= found - 1e-12).sum())
    return found, (1 + extreme) / (1 + _SHUFFLES)


def _distances(inside: npt.NDArray[np.floating], last: Flags) -> npt.NDArray[np.floating]:
    """Return the largest gap of the two distribution functions of each row of `inside`, `(rows,)`.

    Args:
        inside: `(rows, values)`: how much of each value, in order, is in the one; the rest is in the other.
        last: marks the end of equal values.
    """
    ends = np.flatnonzero(last)
    a = inside.cumsum(axis=1)[:, ends]
    b = ends + 1 - a
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = np.abs(a / a[:, -1:] - b / b[:, -1:]).max(axis=1)
    distances: npt.NDArray[np.floating] = np.where((a[:, -1] > 0) & (b[:, -1] > 1e-9), gaps, 0.0)
    return distances
