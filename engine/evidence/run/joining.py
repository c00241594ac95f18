"""Joins the logs of one run that a script wrote apart, one for each split; reads no file and guesses no order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .series import RunSeries
from .words import splits


def joined_splits(logs: Sequence[Sequence[RunSeries]]) -> RunSeries | None:
    """Return one run of two logs, one with training losses alone and one with evaluations alone.

    `train/log.txt` and `val/log.txt`, as FastSpeech 2 writes them: their names say the split, their steps are of one
    count, and no log of the folder holds both. None of any others.
    """
    last = [_of_its_split(runs[-1]) for runs in logs if runs]
    trained = [run for run in last if run.train_loss is not None and not run.evaluations and _names(run, "train")]
    judged = [run for run in last if run.train_loss is None and run.evaluations and _names(run, "val")]
    if len(trained) != 1 or len(judged) != 1 or any(run.train_loss is not None and run.evaluations for run in last):
        return None
    train, val = trained[0], judged[0]
    return replace(train, series=(*train.series, *val.series)) if _count_alike(train, val) else None


def joined_curves(logs: Sequence[Sequence[RunSeries]]) -> RunSeries | None:
    """Return one run of several logs that hold one curve each, as trackers export them; None of any others."""
    last = [runs[-1] for runs in logs if len(runs) == 1]
    curves = [one for run in last for one in (*run.series, *run.learning_rates)]
    names = {one.name for one in curves}
    if len(last) < 2 or len(last) < len(logs) or len(curves) > len(last) or len(names) < len(curves):
        return None
    ends = [int(one.at[-1]) for one in curves if len(one)]
    if not ends or 2 * min(ends) < max(ends):
        return None
    series = tuple(one for run in last for one in run.series)
    rates = tuple(one for run in last for one in run.learning_rates)
    return replace(last[0], source=last[0].source.parent, series=series, learning_rates=rates)


def _of_its_split(run: RunSeries) -> RunSeries:
    """A log that is named after what is held out and names no split itself, as that of evaluations."""
    split = split_of_name(run.source)
    if split not in ("val", "test") or any(one.split != "train" for one in run.series):
        return run
    held = tuple(replace(one, name=f"val/{one.metric.removeprefix('epoch_')}") for one in run.series)
    return replace(run, series=held)


def _names(run: RunSeries, split: str) -> bool:
    return split_of_name(run.source) == split


def split_of_name(path: Path) -> str:
    """Return the split that the name of a log says; empty when it says none, or several."""
    told = {splits()[word] for word in re.split(r"[^a-z0-9]+", path.stem.lower()) if word in splits()}
    return told.pop() if len(told) == 1 else ""


def _count_alike(train: RunSeries, val: RunSeries) -> bool:
    """Whether the evaluations lie where the training was, and not all at its begin: epochs beside steps would."""
    ends = [max(int(one.at[-1]) for one in run.series if len(one)) for run in (train, val)]
    return ends[0] / 2 <= ends[1] <= ends[0]
