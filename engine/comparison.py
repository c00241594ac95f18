"""Whether one run is better than another on the clips that both were scored on; reads prediction files, numpy only.

A run may be one training, a cross-validation, or several seeds. It calls nothing significant: it says how large the
difference is, how far it may be off, and how often runs that are equally good would differ as much.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError

from . import metrics, transcript_metrics
from .plan import read_plan
from .significance import Paired, sign_flip

_SPLITS = ("test", "out-of-fold", "external", "val")
"""Prediction files in the order in which they say something: what no choice was made by comes first."""
_EXACT_UP_TO = 12
"""Groups of which every exchange is tried, 4096; of more, 2000 are drawn: a p-value of 0.05 is then known to 0.005."""
_DRAWS = 2000
_ROUNDING = 1e-12
_COLUMNS = ("label", "group", "prediction")
Statistic = Callable[[NDArray[Any], NDArray[Any]], float]


@dataclass(frozen=True)
class Comparison:
    """What was found of one metric."""

    metric: str
    higher_is_better: bool
    scored_on: str
    clips: int
    units: int
    """Groups, or clips where no groups are known: what is drawn and exchanged as a whole."""
    of: str
    """`groups` or `clips`."""
    first: float
    second: float
    """Means over the seeds, where there are several."""
    interval: tuple[float, float]
    """95 % of second minus first, over the units."""
    p_value: float
    """Share of the exchanges of answers between both, unit by unit, under which they differ at least as much."""
    smallest_p: float
    """The smallest that so few units can give."""
    over_seeds: Paired | None
    """The same over seeds, where both were trained with the same ones."""


@dataclass(frozen=True)
class _Metric:
    name: str
    function: Statistic
    higher_is_better: bool
    numbers: Callable[[NDArray[Any], NDArray[Any], bool], NDArray[Any]]
    """Labels and answers (clips,) of text, and whether transcripts are plain: what the function is called with."""


def _classes(_labels: NDArray[Any], said: NDArray[Any], _plain: bool) -> NDArray[Any]:
    return said


def _scores(_labels: NDArray[Any], said: NDArray[Any], _plain: bool) -> NDArray[Any]:
    return said.astype(float)


def _spelled(labels: NDArray[Any], said: NDArray[Any], plain: bool) -> NDArray[Any]:
    """Return (clips, 2): errors in words and characters; where the label itself is given, how many it has."""
    right = [transcript_metrics.transcript_of(str(label), plain) for label in labels]
    if said is labels:
        return np.array([transcript_metrics.counts(one, one)[0] for one in right])
    return np.array([transcript_metrics.counts(one, str(heard))[1] for one, heard in zip(right, said, strict=True)])


_METRICS = {
    "class": _Metric("accuracy", metrics.accuracy, True, _classes),
    "vector": _Metric("accuracy of the nearest clip", metrics.accuracy, True, _classes),
    "score": _Metric("ccc", metrics.ccc, True, _scores),
    "symbols": _Metric("word error rate", transcript_metrics.word_error_rate, False, _spelled),
}


def compare_runs(first: Path, second: Path, scored_on: str | None = None) -> Comparison:
    """Compare the answers of two runs for the clips that both have.

    Raises:
        InputError: they have no predictions for the same clips, other labels, another number of trainings, or answers
            that are not compared.
    """
    plans = [read_plan(run / "plan.yaml") for run in (first, second)]
    if plans[0].answer != plans[1].answer:
        raise InputError(
            f"{first} says a {plans[0].answer} of a clip and {second} a {plans[1].answer}, expected one kind"
        )
    where, files = _files(first, second, scored_on)
    tables = [[_rows(path) for path in paths] for paths in files]
    clips = [path for path in tables[0][0] if all(path in table for side in tables for table in side)]
    if not clips:
        raise InputError(f"{first} and {second}: no clip is in the {where} predictions of both")
    columns = [[{name: np.array([table[path][name] for path in clips]) for name in _COLUMNS} for table in side]
               for side in tables]  # fmt: skip
    labels, groups = columns[0][0]["label"], columns[0][0]["group"]
    if any(not np.array_equal(one["label"], labels) for side in columns for one in side):
        raise InputError(f"{first} and {second} have other labels for the same clips, expected one manifest")
    metric = _METRICS.get(plans[0].answer)
    if metric is None:
        raise InputError(f"answers of the kind {plans[0].answer} are not compared; classes, scores and transcripts are")
    plain = plans[0].data.transcripts == "plain"
    truth = metric.numbers(labels, labels, plain)
    said = [np.stack([metric.numbers(labels, one["prediction"], plain) for one in side]) for side in columns]
    of = "groups" if len(set(groups.tolist())) > 1 else "clips"
    units = np.unique(groups, return_inverse=True)[1] if of == "groups" else np.arange(len(clips))
    function = metric.function
    values = [[function(truth, one) for one in side] for side in said]

    def difference(rows: NDArray[Any]) -> float:
        return float(np.mean([function(truth[rows], new[rows]) - function(truth[rows], old[rows])
                              for old, new in zip(*said, strict=True)]))  # fmt: skip

    interval = metrics.bootstrap_interval(difference, np.arange(len(clips)), groups=units)
    p_value, smallest = _exchanged(function, truth, said[0], said[1], units)
    seeds = sign_flip(values[1], values[0]) if len(values[0]) > 1 else None
    means = [float(np.mean(side)) for side in values]
    return Comparison(
        metric.name, metric.higher_is_better, where, len(clips), int(units.max()) + 1, of, means[0], means[1], interval,
        p_value, smallest, seeds,
    )  # fmt: skip


def told(found: Comparison, names: tuple[str, str]) -> list[str]:
    """Return the comparison in sentences."""
    low, high = found.interval
    difference = found.second - found.first
    lines = [
        f"{found.metric} on {found.scored_on}, {found.clips} clips that both have"
        + (f" of {found.units} groups" if found.of == "groups" else ""),
        f"  {names[0]}  {found.first:.4f}",
        f"  {names[1]}  {found.second:.4f}",
        f"  difference {difference:+.4f}, 95 % {low:+.4f} to {high:+.4f} over {found.of}",
        f"  p = {found.p_value:.3g}: of runs that are equally good, {found.p_value:.1%} would differ as much"
        + (
            f" (no less than {found.smallest_p:.3g} can come out of {found.units} {found.of})"
            if found.units < 20
            else ""
        ),
    ]
    if found.over_seeds is not None:
        seeds = found.over_seeds
        lines.append(
            f"  over {seeds.pairs} seeds: {seeds.difference:+.4f} +- {seeds.deviation:.4f}, p = {seeds.p_value:.3g} "
            f"(no less than {seeds.smallest_p:.3g} can come out of {seeds.pairs})"
        )
    if found.scored_on == "val":
        lines.append(
            "  both checkpoints were chosen by these clips, so that both are flattered: `train --test` opens others"
        )
    better = names[1] if (difference > 0) == found.higher_is_better else names[0]
    lines.append("Inconclusive: no difference lies within the interval" if low <= 0 <= high else f"{better} is better")
    return lines


def _files(first: Path, second: Path, wanted: str | None) -> tuple[str, list[list[Path]]]:
    """Return which predictions both runs have, and the files of each: one, or one for each seed."""
    found: dict[str, list[list[Path]]] = {}
    for name in (wanted,) if wanted else _SPLITS:
        found[name] = [_of(run, name) for run in (first, second)]
        one, other = map(len, found[name])
        if one and other and one != other:
            raise InputError(
                f"{first} was trained {one} times and {second} {other} times, expected as many",
                hint="Train both with the same --seeds, or name one training of each, such as RUN/seed-0.",
            )
        if one and other:
            return name, found[name]
    lacking = ", ".join(str(run) for run, files in zip((first, second), found[name], strict=True) if not files)
    what = wanted or " or ".join(_SPLITS)
    raise InputError(
        f"{lacking}: no predictions for {what} that the other has too",
        hint="Train both with --test, or score both by `tonmeister evaluate RUN MANIFEST`.",
    )


def _of(run: Path, name: str) -> list[Path]:
    own = run / "predictions" / f"{name}.csv"
    return [own] if own.is_file() else sorted(run.glob(f"seed-*/predictions/{name}.csv"))


def _rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        rows = {row.get("path", ""): row for row in csv.DictReader(stream)}
    if not rows or any(name not in row for row in rows.values() for name in ("label", "prediction", "group")):
        raise InputError(f"{path}: not the predictions of a run")
    return rows


def _exchanged(
    function: Statistic, truth: NDArray[Any], first: NDArray[Any], second: NDArray[Any], units: NDArray[Any]
) -> tuple[float, float]:
    """Return the share of the exchanges that differ at least as much (Noreen 1989), and the smallest there can be.

    Args:
        function: of truth and answers.
        truth: (clips, ...).
        first: (trainings, clips, ...), answers of one run.
        second: the same of the other.
        units: (clips,) numbers of what is exchanged together.
    """
    count = int(units.max()) + 1
    exact = count <= _EXACT_UP_TO
    if exact:
        swaps = np.array(list(itertools.product((False, True), repeat=count)))
    else:
        swaps = np.random.default_rng(0).integers(0, 2, (_DRAWS, count)).astype(bool)

    def difference(swap: NDArray[np.bool_]) -> float:
        rows = swap[units].reshape(-1, *[1] * (first.ndim - 2))
        new, old = np.where(rows, first, second), np.where(rows, second, first)
        return float(np.mean([function(truth, a) - function(truth, b) for a, b in zip(new, old, strict=True)]))

    own = abs(difference(np.zeros(count, dtype=bool)))
    extreme = sum(abs(difference(swap)) >= own - _ROUNDING for swap in swaps)
    if exact:
        return extreme / len(swaps), 2.0 ** (1 - count)
    return (extreme + 1) / (len(swaps) + 1), 1 / (_DRAWS + 1)
