"""Compares the clips of a prediction file by group, and with those of other data; knows no kind of answer.

An error is a statistic over columns of clips: `error(*columns)`, lower is better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.records import Evidence, Fact, Measured

from .. import metrics
from .prediction_facts import SAMPLES, known, unknown

GROUPS = ("predictions.worst_group_gap", "predictions.worst_group_apart")
EXTERNAL = ("predictions.external_gap",)


@dataclass(frozen=True)
class Part:
    """Some clips, and what a statistic over them is made of."""

    name: str
    path: Path
    columns: tuple[NDArray[Any], ...]
    """`(clips,)` each."""

    def __len__(self) -> int:
        return len(self.columns[0])


def worst_group(part: Part, groups: NDArray[Any], error: metrics.Statistic, unit: str, fewest: int) -> Measured:
    """Compare the worst group with all others.

    The interval of the difference is widened for the number of groups that were compared (Bonferroni).

    Args:
        part: the clips.
        groups: `(clips,)` text, empty where unknown.
        error: of some clips.
        unit: what the error counts, in words.
        fewest: clips below which a group's score says little.
    """
    names, counts = np.unique(groups[groups != ""], return_counts=True)
    names = names[counts >= fewest]
    if len(names) < 2:
        return unknown(f"fewer than 2 groups have {fewest} clips", *GROUPS)

    def gap(*columns: NDArray[Any]) -> float:
        *values, inside = columns
        if inside.all() or not inside.any():
            return math.nan
        return error(*(one[inside] for one in values)) - error(*(one[~inside] for one in values))

    gaps = {str(name): gap(*part.columns, groups == name) for name in names}
    worst = max(gaps, key=gaps.__getitem__)
    inside = groups == worst
    low, _ = metrics.bootstrap_interval(gap, *part.columns, inside, samples=SAMPLES, level=1 - 0.05 / len(names))
    own, others = (error(*(one[mask] for one in part.columns)) for mask in (inside, ~inside))
    text = f"group {worst}: {own:.3f} {unit}, all others {others:.3f}"
    evidence = Evidence(text, path=str(part.path), n=int(inside.sum()))
    return known(GROUPS[0], gaps[worst], len(names), evidence) + known(GROUPS[1], bool(low > 0), len(names), evidence)


def external(here: Part, others: Iterable[Part], score: metrics.Statistic, label: str) -> Measured:
    """Upper end of the interval on external data minus the lower end on validation; below 0 they do not overlap.

    Args:
        here: the validation clips.
        others: other data sets.
        score: of some clips, higher is better.
        label: what the score is called.
    """
    given = list(others)
    if not given:
        return unknown("no external data set was evaluated (`tonmeister evaluate`)", *EXTERNAL)
    low, high = metrics.bootstrap_interval(score, *here.columns, samples=SAMPLES)
    gaps = []
    for part in (one for one in given if len(one)):
        bottom, top = metrics.bootstrap_interval(score, *part.columns, samples=SAMPLES)
        text = (
            f"{label} {score(*here.columns):.3f} [{low:.3f}, {high:.3f}] on {len(here)} validation clips, "
            f"{score(*part.columns):.3f} [{bottom:.3f}, {top:.3f}] on {len(part)} clips of {part.name}"
        )
        evidence = Evidence(text, path=str(part.path), n=len(part))
        gaps.append(Fact(EXTERNAL[0], top - low, "predictions", f"split:{part.name}", len(part), (evidence,)))
    if not gaps:
        return unknown("the external prediction files are empty", *EXTERNAL)
    worst = min(gaps, key=lambda fact: float(fact.value))
    return Measured((*gaps, Fact(worst.name, worst.value, "predictions", "", worst.n, worst.evidence)))
