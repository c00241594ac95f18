"""Puts columns together to curves, as `records` does with records; gives up on whatever is not in plain order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..series import Floats, RunMeta, RunSeries, Series
from .columns import Layout
from .names import Meaning, meaning
from .records import curve_name, is_understood, run_of_curves
from .tensorboard import Scalars

_LARGEST_STEP = 1 << 53
_BATCHES = 3
"""Times that each step must have been written to be one of batches; a run that was resumed writes some steps twice."""


def run_of_layouts(layouts: Sequence[Layout], source: Path, reader: str) -> RunSeries | None:
    """Return the one run of a log; None when steps or epochs run backwards or repeat, or no name is understood."""
    names = [name for layout in layouts for name in layout.columns]
    if not any(map(is_understood, names)):
        return None
    meanings = {name: meaning(name) for name in names}
    explicit = {(one.split, one.metric) for one in meanings.values() if one.role == "curve" and one.split}
    places = _places(layouts, meanings)
    if places is None:
        return None
    curves: dict[str, Series] = {}
    for layout, (at, when) in zip(layouts, places, strict=True):
        for name, column in layout.columns.items():
            curve = curve_name(meanings[name], "", explicit)
            if curve in curves:
                return None
            if curve:
                curves[curve] = Series(curve, at, when, np.ascontiguousarray(column))
    return run_of_curves(curves, source, reader, (), RunMeta())


def run_of_scalars(scalars: Sequence[Scalars], source: Path, reader: str) -> RunSeries | None:
    """Return the run that the tags of event files hold together; None when no tag is understood."""
    if not any(is_understood(one.tag) for one in scalars):
        return None
    meanings = [meaning(one.tag) for one in scalars]
    explicit = {(one.split, one.metric) for one in meanings if one.role == "curve" and one.split}
    parts: dict[str, list[Scalars]] = {}
    for one, what in zip(scalars, meanings, strict=True):
        if curve := curve_name(what, one.split, explicit):
            parts.setdefault(curve, []).append(one)
    curves = {name: _joined(name, found) for name, found in parts.items()}
    return run_of_curves(curves, source, reader, (), RunMeta())


def _joined(name: str, parts: Sequence[Scalars]) -> Series:
    """Tags of one curve behind each other; of a step that was written twice the last number counts.

    Where every step was written several times, each number is that of one batch of an evaluation: their mean counts.
    """
    at = np.concatenate([np.array(one.steps, dtype=np.int64) for one in parts])
    y = np.concatenate([np.array(one.values, dtype=np.float64) for one in parts])
    if np.any(at[1:] <= at[:-1]):
        _, first, group, times = np.unique(at, return_index=True, return_inverse=True, return_counts=True)
        last = np.zeros(len(first))
        last[group] = y
        if times.min() >= _BATCHES:
            last = np.bincount(group, weights=y) / times
        order = np.argsort(first)
        at, y = at[first[order]], last[order]
    return Series(name, at, np.full(len(at), np.nan), y)


def _places(
    layouts: Sequence[Layout], meanings: Mapping[str, Meaning]
) -> list[tuple[NDArray[np.int64], Floats]] | None:
    """Steps and epochs of the rows of each layout, as `records` counts them; None where they are not in order."""
    epochs = [_column(layout, meanings, "epoch") for layout in layouts]
    steps = [_column(layout, meanings, "step") for layout in layouts]
    if not _in_order(epochs, layouts) or not _in_order(steps, layouts):
        return None
    stepped = [one for one in steps if one is not None]
    if stepped and (len(stepped) < len(steps) or any(float(one.max()) >= _LARGEST_STEP for one in stepped)):
        return None
    found = []
    for layout, epoch, step in zip(layouts, epochs, steps, strict=True):
        counted = step if step is not None else layout.place if epoch is None else epoch
        when = np.full(len(layout.place), np.nan) if epoch is None else np.ascontiguousarray(epoch)
        if len(counted) and max(abs(float(counted.min())), abs(float(counted.max()))) >= _LARGEST_STEP:
            return None
        at = counted.astype(np.int64)
        again = np.flatnonzero(at[1:] == at[:-1]) + 1
        if np.any((when[again] == when[again - 1]) | np.isnan(when[again])):
            return None
        found.append((at, when))
    return found


def _column(layout: Layout, meanings: Mapping[str, Meaning], role: str) -> Floats | None:
    return next((column for name, column in layout.columns.items() if meanings[name].role == role), None)


def _in_order(columns: Sequence[Floats | None], layouts: Sequence[Layout]) -> bool:
    """Whether a counter never runs backwards over the whole log, and is known in every row that has it."""
    known = [(one, layout.place) for one, layout in zip(columns, layouts, strict=True) if one is not None]
    if not known:
        return True
    values, rows = np.concatenate([one for one, _ in known]), np.concatenate([place for _, place in known])
    ordered = values[np.argsort(rows, kind="stable")] if len(known) > 1 else values
    in_order = bool(np.all(ordered[1:] >= ordered[:-1]))  # false where one is no number
    return in_order and bool(np.all(np.isfinite(ordered[:1])) and np.all(np.isfinite(ordered[-1:])))
