"""What the runs of one log have in common, such as the folds of a cross-validation that prints two lines for each;
judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import RunSeries, Series
from .skill import oriented, scores

_NAMES = (
    "run.replicates",
    "run.replicates_smallest_rise",
    "run.replicates_train_change",
    "run.replicates_score_gap",
    "run.replicates_best_is_first",
    "run.replicates_pick_regret",
)


def replicates(runs: Sequence[RunSeries]) -> Measured:
    """Say what holds of every run in a log in which all name the same curves; each alone may be too short to judge."""
    if len(runs) < 2 or len({frozenset(one.name for one in run.series if len(one) > 1) for run in runs}) > 1:
        alone = known(_NAMES[0], 1, n=len(runs))
        return alone + unknown("the log does not hold several runs of the same curves", *_NAMES[1:])
    measured = known(_NAMES[0], len(runs), n=len(runs))
    losses = [run.validation_loss.finite() for run in runs if run.validation_loss]
    if len(losses) < len(runs) or any(len(one) < 2 or one.y.min() <= 0 for one in losses):
        return measured + unknown("not every run logged a validation loss twice", *_NAMES[1:])
    rises = [float(one.y[-1] / one.y.min()) - 1 for one in losses]
    cited = [Evidence(f"{one.name} {one.y.min():.4g} to {one.y[-1]:.4g}") for one in losses]
    measured += known(_NAMES[1], min(rises), n=len(runs), evidence=cited)
    measured += known(_NAMES[4], all(int(np.argmin(one.y)) == 0 for one in losses), n=len(runs), evidence=cited)
    return measured + _training(runs) + _gaps(runs) + _regrets(runs)


def _training(runs: Sequence[RunSeries]) -> Measured:
    """The change of the training loss in the run in which it fell least."""
    losses = [run.train_loss.finite() for run in runs if run.train_loss]
    if len(losses) < len(runs) or any(len(one) < 2 or one.y[0] <= 0 for one in losses):
        return unknown("not every run logged a training loss twice", _NAMES[2])
    cited = [Evidence(f"{one.name} {one.y[0]:.4g} to {one.y[-1]:.4g}") for one in losses]
    return known(_NAMES[2], max(float(one.y[-1] / one.y[0]) - 1 for one in losses), n=len(runs), evidence=cited)


def _gaps(runs: Sequence[RunSeries]) -> Measured:
    """The smallest distance of the last training score from the last validation score."""
    gaps = [(gap, text) for run in runs if (found := _gap(run)) for gap, text in [found]]
    if len(gaps) < len(runs):
        return unknown("not every run logged one score on both splits", _NAMES[3])
    return known(_NAMES[3], min(gap for gap, _ in gaps), n=len(runs), evidence=[Evidence(text) for _, text in gaps])


def _gap(run: RunSeries) -> tuple[float, str] | None:
    for score in scores(run):
        beside = run.get(f"train/{score.metric}")
        if beside is not None and len(beside.finite()) and len(score):
            train, held = _last(beside), _last(score)
            return train - held, f"{score.metric} {train:.4g} on training clips, {held:.4g} on validation clips"
    return None


def _last(series: Series) -> float:
    return float(oriented(series.finite())[-1])


def _regrets(runs: Sequence[RunSeries]) -> Measured:
    """How much better than at the lowest loss some score was, in the run in which it was least."""
    regrets = [regret for run in runs if (regret := _regret(run)) is not None]
    if len(regrets) < len(runs):
        return unknown("not every run logged a score beside its validation loss", _NAMES[5])
    return known(_NAMES[5], min(regrets), n=len(runs))


def _regret(run: RunSeries) -> float | None:
    loss = run.validation_loss
    beside = [one for one in scores(run) if loss is not None and one.beside(loss)]
    if loss is None or not beside:
        return None
    values = oriented(beside[0])
    return float(values.max() - values[int(np.argmin(loss.y))])
