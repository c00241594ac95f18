"""Puts records of logged numbers together to curves: splits, runs, totals. Reads no file and judges no curve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..collecting import count
from ..series import RunMeta, RunSeries, Series, direction_of, is_share
from ..words import words
from .names import Meaning, meaning
from .record import Course, Record
from .totals import of_perplexity, total

_A_COURSE = 5
"""Training losses beside which one test score is the end of a story and no evaluation of its course."""
_PERCENT = 1.5
"""A share above this was logged in percent."""


Points = dict[str, dict[tuple[int, float | None], float]]
Replaced = list[tuple[tuple[int, float | None], float]]
"""Numbers that others took the place of, by the step and the epoch of both."""


def runs_of(
    records: Sequence[Record], source: Path, reader: str, notes: Iterable[str] = (), meta: RunMeta | None = None
) -> tuple[RunSeries, ...]:
    """Return one run for each time that the epochs begin anew, in the order of the log.

    None when no name tells a loss or a metric: then these numbers are not the log of a training.
    """
    names = _names(records)
    if not any(map(is_understood, names)) and not _by_first_letter({name: meaning(name) for name in names}):
        return ()
    parts = _separated(records)
    told = (*notes, f"{len(parts)} runs were appended to one log") if len(parts) > 1 else tuple(notes)
    known = replace(meta or RunMeta(), appended_runs=len(parts))
    return tuple(_run(part, source, reader, told, _of_part(known, part)) for part in parts)


def _of_part(meta: RunMeta, part: Sequence[Record]) -> RunMeta:
    """A planned number of epochs is that of a run that counts epochs."""
    if len(part) and all(record.epoch is None for record in part) and meta.appended_runs > 1:
        return replace(meta, planned_epochs=None, status="")
    return meta


def _names(records: Iterable[Record]) -> set[str]:
    return set().union(*{frozenset(record.values) for record in records})


def is_understood(name: str) -> bool:
    """Whether a name tells a loss or a metric, so that numbers under it are the log of a training."""
    found = meaning(name)
    return found.role == "curve" and bool(direction_of(found.metric))


def _separated(records: Sequence[Record]) -> list[list[Record]]:
    """A run begins where the epoch falls back to where the log began, or the step does and the loss with it."""
    parts: list[list[Record]] = [[]]
    course = Course()
    for record in records:
        if course.ends_before(record):
            parts.append([])
            course = Course()
        course.follow(record)
        parts[-1].append(record)
    return [part for part in parts if any(_has_curve(record) for record in part)] or parts[:1]


def _has_curve(record: Record) -> bool:
    return any(meaning(name).role == "curve" for name in record.values)


def _run(records: Sequence[Record], source: Path, reader: str, notes: tuple[str, ...], meta: RunMeta) -> RunSeries:
    meanings = {name: meaning(name) for name in _names(records)}
    meanings |= _by_first_letter(meanings) | _beside_a_total(meanings)
    curves = {name: _series(name, found) for name, found in _points(records, meanings).items()}
    curves = {name: _without_gaps(one) for name, one in counted(curves).items()}
    return run_of_curves(curves, source, reader, notes, meta)


def _without_gaps(one: Series) -> Series:
    """A curve of evaluations without the rows in which nothing was evaluated, where a table writes NaN for no number.

    A loss that is lost does not come back again and again.
    """
    if one.split == "train" or np.all(np.isfinite(one.y)):
        return one
    missing = np.isnan(one.y)
    ends = np.flatnonzero(missing[:-1] & ~missing[1:])
    return one.take(np.flatnonzero(~missing)) if len(ends) >= _GAPS else one


_GAPS = 3


def _by_first_letter(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """`tloss` beside `vloss`, `T_acc` beside `V_acc`: of two names that differ in these letters both tell a split."""
    plain = {
        re.sub(r"[^a-z]", "", name.lower()): name for name, one in meanings.items() if one.role in ("curve", "other")
    }
    found: dict[str, Meaning] = {}
    for short, name in plain.items():
        held, metric = plain.get(f"v{short[1:]}"), short[1:]
        if short[:1] == "t" and held is not None and direction_of(metric) and not meanings[name].split:
            found |= {name: Meaning("curve", "train", metric), held: Meaning("curve", "val", metric)}
    return found


def _beside_a_total(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """`score loss` beside `total loss` is a part of it: a word that says nothing elsewhere tells the two apart."""
    found: dict[str, Meaning] = {}
    losses = {name: one for name, one in meanings.items() if one.role == "curve" and one.metric == "loss"}
    for name, one in losses.items():
        said = set(re.split(r"[^a-z]+", name.lower()))
        part = sorted(said & words("part-beside-a-total"))
        if part and any(words("total") & set(re.split(r"[^a-z]+", other.lower())) for other in losses if other != name):
            found[name] = replace(one, metric=f"{part[0]}_loss")
    return found


def run_of_curves(
    curves: dict[str, Series], source: Path, reader: str, notes: tuple[str, ...], meta: RunMeta
) -> RunSeries:
    """Return one run from its curves by name: totals named, percentages as shares, rates and gradients apart."""
    said: list[str] = list(notes)
    _stand_in(curves, said)
    for name in [name for name in curves if "/step_" in name and name.replace("/step_", "/") in curves]:
        del curves[name]
    _name_means(curves)
    _falling_scores(curves, said)
    for split in ("train", "val"):
        total(curves, split, said)
        of_perplexity(curves, split, said)
    shown = _as_shares([series for name, series in curves.items() if not name.startswith(("lr/", "grad_norm"))])
    rates = tuple(series for name, series in curves.items() if name.startswith("lr/"))
    return RunSeries(source, reader, shown, rates, curves.get("grad_norm"), meta=meta, notes=tuple(said))


def _points(records: Sequence[Record], meanings: Mapping[str, Meaning]) -> Points:
    """Numbers of the same name, step and epoch replace each other: a progress bar tells its last state."""
    points: Points = {}
    explicit = {(one.split, one.metric) for one in meanings.values() if one.role == "curve" and one.split}
    bare = {one.metric for name, one in meanings.items() if one.role == "curve" and not _is_mean(name)}
    stepped, step = any(record.step is not None for record in records), 0
    counted_epochs = any(record.epoch is not None for record in records)
    curves: dict[tuple[str, str], str] = {}
    replaced: dict[str, Replaced] = {}
    for number, record in enumerate(records):
        if record.step is not None:
            step = count(record.step)
        elif not stepped and record.epoch is not None:
            step = count(record.epoch)
        elif not stepped and not counted_epochs:
            step = number
        for name, value in record.values.items():
            curve = curves.get((name, record.split))
            if curve is None:
                curve = curve_name(meanings[name], record.split, explicit)
                if curve == "train/loss" and "loss" in bare and _is_mean(name):
                    curve = "train/epoch_loss"
                curves[name, record.split] = curve
                points.setdefault(curve, {})
            at = (step, record.epoch)
            if at in points[curve] and curve.startswith("train/"):
                replaced.setdefault(curve, []).append((at, points[curve][at]))
            points[curve][at] = value
    points.pop("", None)
    for curve, found in replaced.items():
        _part_means(points, curve, found)
    return points


def _part_means(points: Points, curve: str, replaced: Replaced) -> None:
    """Where each epoch ends with a second number at the place of its last batch, these are the means of the epochs."""
    last = {epoch: (step, epoch) for step, epoch in points[curve]}
    means = f"train/epoch_{curve.partition('/')[2]}"
    once = len(replaced) == len({at for at, _ in replaced}) >= max(_FEWEST_MEANS, len(last) - 1)
    if None in last or len(points.get(means, ())) in range(1, len(last) + 1) or not once:
        return
    if len(points[curve]) < 2 * len(last):
        return
    if any(last[at[1]] != at for at, _ in replaced):
        return
    points[means] = {at: points[curve][at] for at, _ in replaced}
    points[curve] |= dict(replaced)


_FEWEST_MEANS = 3


def _is_mean(name: str) -> bool:
    """Whether a name says that its number is a mean, as of an epoch beside the losses of its batches."""
    return bool(_MEANS & set(re.split(r"[^a-z]+", name.lower())))


_MEANS = {"avg", "average", "mean"}


def curve_name(one: Meaning, place: str, explicit: set[tuple[str, str]]) -> str:
    """Return the curve that a name belongs to, from what the place in the log and the names beside it say."""
    if one.role == "rate":
        return f"lr/{one.metric}"
    if one.role == "gradient":
        return "grad_norm"
    if one.role == "clock":
        return f"time/{one.metric}"
    if one.role != "curve":
        return ""
    return f"{one.split or place or _unsaid(one.metric, explicit)}/{one.metric}"


def _unsaid(metric: str, explicit: set[tuple[str, str]]) -> str:
    """The split of a name that tells none, from the names beside it."""
    if words("held-out-by-nature") & set(metric.split("_")):
        return "val"
    in_train = ("train", metric) in explicit or ("train", f"epoch_{metric}") in explicit
    in_val = ("val", metric) in explicit or ("test", metric) in explicit
    if in_train != in_val:
        return "val" if in_train else "train"
    if metric == "loss" or not any(split == "train" for split, _ in explicit):
        return "train"
    held_out = "val" if any(split == "val" for split, _ in explicit) else "test"
    return "train" if in_train else held_out


def counted(curves: dict[str, Series]) -> dict[str, Series]:
    """Give a place in training to curves that count the batches of an epoch: their steps begin anew, or stand still."""
    curves = {name: _counted_on(one) for name, one in curves.items()}
    still = {name for name, one in curves.items() if _stands_still(one)}
    if not still:
        return curves
    moving = [one for name, one in curves.items() if name not in still and _rises(one.at) and _rises(one.when)]
    clock = max(moving, key=len, default=None)
    return {name: _placed(one, clock) if name in still else one for name, one in curves.items()}


def _counted_on(one: Series) -> Series:
    """Where steps fall or stay with each new epoch, and rise within it, count them on through the run."""
    steps, epochs = np.diff(one.at), np.diff(one.when)
    if not len(one) or not np.all(one.when == np.round(one.when)) or np.any(epochs < 0):
        return one
    new = epochs > 0
    if not np.any(steps[new] < 0) or np.any(steps[new] > 0) or np.any(steps[~new] < 0):
        return one
    inside = steps[~new]
    each = int(one.at.max()) + (int(np.median(inside)) if len(inside) and one.at.min() == 0 else 0)
    return replace(one, at=one.at + (one.when - one.when[0]).astype(np.int64) * max(1, each))


def _stands_still(one: Series) -> bool:
    return len(one) > 1 and bool(np.all(one.at == one.at[0])) and _rises(one.when)


def _rises(values: NDArray[Any]) -> bool:
    return len(values) > 1 and bool(np.all(values[1:] >= values[:-1])) and bool(values[-1] > values[0])


def _placed(one: Series, clock: Series | None) -> Series:
    """At the last step that another curve has of each epoch; at the epoch itself where none counts steps."""
    if clock is None:
        return replace(one, at=one.when.astype(np.int64))
    last = np.searchsorted(clock.when, one.when + 1, side="left") - 1
    return replace(one, at=clock.at[np.clip(last, 0, len(clock) - 1)])


def _series(name: str, points: Mapping[tuple[int, float | None], float]) -> Series:
    return Series(name, tuple(step for step, _ in points), tuple(epoch for _, epoch in points), tuple(points.values()))


def _stand_in(curves: dict[str, Series], said: list[str]) -> None:
    """Where no validation was logged, the test curves are what the run was judged by.

    A single number at the end, such as a mean over folds, is no validation beside test curves.
    """
    held = {name: one for name, one in curves.items() if name.startswith("val/")}
    longest = max((len(one) for name, one in curves.items() if name.startswith("test/")), default=0)
    trained = max((len(one) for name, one in curves.items() if name.startswith("train/")), default=0)
    if any(len(one) > 1 for one in held.values()) or (longest < 2 and (held or trained >= _A_COURSE)):
        return
    for name in held:
        del curves[name]
    tested = [name for name in curves if name.startswith("test/")]
    for name in tested:
        series = curves.pop(name)
        curves[f"val/{series.metric}"] = replace(series, name=f"val/{series.metric}")
    if tested:
        said.append("no validation was logged; the test curves are read in its place")


def _name_means(curves: dict[str, Series]) -> None:
    """Means over epochs are the curve of the training where nothing finer was logged beside them."""
    for name in [name for name in curves if name.startswith("train/epoch_")]:
        plain = name.replace("/epoch_", "/", 1)
        if plain not in curves:
            curves[plain] = replace(curves.pop(name), name=plain)


def _falling_scores(curves: dict[str, Series], said: list[str]) -> None:
    """Columns that are headed by nothing but their split hold losses where they fall as losses do.

    What is trained on gets no worse over a run; beside a training loss, what falls from above 1 is no share either.
    """
    train, val, loss = (curves.get(name) for name in ("train/score", "val/score", "train/loss"))
    if train is not None and loss is None and _fell(train):
        found = [one for one in (train, val) if one is not None]
    elif train is None and val is not None and loss is not None and _fell(loss) and _fell(val):
        found = [val] if 1 < float(val.finite().y[0]) < _HIGHEST_LOSS else []
    else:
        return
    for one in found:
        name = f"{one.split}/loss"
        if name not in curves:
            curves[name] = replace(curves.pop(one.name), name=name)
            said.append(f"{name} is the column {one.split}, which falls as a loss does")


def _fell(one: Series) -> bool:
    values = one.finite().y
    third = max(1, len(values) // 3)
    return len(values) > 2 and float(np.median(values[-third:])) < _FALLEN * float(np.median(values[:third]))


_FALLEN = 0.9
_HIGHEST_LOSS = 20.0
"""A number above is rather a score in percent."""


def _as_shares(curves: Sequence[Series]) -> tuple[Series, ...]:
    """Scores that were logged in percent become shares, as every threshold reads them.

    A metric is in percent on every split when it is on one: a validation accuracy of 0.4 % looks like a share.
    """
    percent = {_plain(one.metric) for one in curves if is_share(one.metric) and _highest(one) > _PERCENT}
    return tuple(_divided(one) if _plain(one.metric) in percent and is_share(one.metric) else one for one in curves)


def _plain(metric: str) -> str:
    return metric.removeprefix("epoch_").removeprefix("step_")


def _highest(series: Series) -> float:
    return float(np.max(series.finite().y, initial=0.0))


def _divided(series: Series) -> Series:
    return replace(series, y=series.y / 100)
