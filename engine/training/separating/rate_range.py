"""Raise the learning rate from step to step (Smith 2017): where the loss falls fastest, and where it blows up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from engine.separating import Outcome

from ..items import Item
from ..job import Job
from ..loop import sampler_of
from .bench import Bench, walk

_STEPS = 120
_LOWEST, _HIGHEST = 1e-6, 10.0
_MEAN_OF = 7
"""Steps of a running median: one hard batch is no blow-up."""
_BLOWN_UP = 2.0
"""Loss over the lowest before it, and above the first loss; the trainer's own mark of a divergence."""
_FACTS = (
    "test.rate_steepest", "test.rate_planned_over_steepest", "test.rate_blow_up", "test.rate_planned_over_blow_up",
)  # fmt: skip


def rate_range(bench: Bench) -> Outcome:
    """Walk from a rate at which nothing moves to one at which nothing holds."""
    peak = bench.plan.training.learning_rate
    if peak <= 0:
        return Outcome("rate-range", {}, (), dict.fromkeys(_FACTS, "the planned learning rate is 0"))
    job = bench.job({"training.accumulation": 1, "training.weight_decay": 0.0})
    rates = np.geomspace(_LOWEST, _HIGHEST, _STEPS)
    losses = np.array(walk(job, endless(job), list(rates / peak), bench.stop))
    steepest, blow_up = _steepest(rates, losses), _blow_up(rates, losses)
    facts: dict[str, float] = {}
    if steepest:
        facts |= {_FACTS[0]: steepest, _FACTS[1]: peak / steepest}
    if blow_up:
        facts |= {_FACTS[2]: blow_up, _FACTS[3]: peak / blow_up}
    shown = (
        f"planned rate {peak:g}; the loss falls fastest at {steepest:.2g}" if steepest else "the loss falls nowhere",
        f"it blows up at {blow_up:.2g}" if blow_up else f"it does not blow up below {_HIGHEST:g}",
    )
    gone = {name: "the loss did not fall, or did not blow up" for name in _FACTS if name not in facts}
    return Outcome("rate-range", dict(facts), shown, gone, len(bench.parts.train))


def endless(job: Job) -> Iterator[tuple[Item, ...]]:
    """Yield the clips of every batch, epoch after epoch, in the order of the plan."""
    sampler = sampler_of(job)
    for epoch in itertools.count():
        for batch in sampler.order(epoch):
            yield tuple(job.parts.train[row] for row in batch)


def _smoothed(losses: np.ndarray) -> np.ndarray:
    finite = losses[np.isfinite(losses)]
    half = _MEAN_OF // 2
    return np.array([np.median(finite[max(i - half, 0) : i + half + 1]) for i in range(len(finite))])


def _steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """The rate at which the smoothed loss falls fastest against the logarithm of the rate; 0 where it does not fall."""
    smooth = _smoothed(losses)
    if len(smooth) < 2 * _MEAN_OF or smooth.min() > 0.95 * smooth[:_MEAN_OF].mean():
        return 0.0
    end = int(smooth.argmin()) + 1
    if end < _MEAN_OF:
        return 0.0
    slope = np.convolve(np.diff(smooth[:end]), np.ones(_MEAN_OF) / _MEAN_OF, mode="same")
    return float(rates[int(slope.argmin())])


def _blow_up(rates: np.ndarray, losses: np.ndarray) -> float:
    """The first rate at which the loss is far above its lowest, and above where it began; 0 where there is none."""
    if not np.isfinite(losses[-1]):
        return float(rates[len(losses) - 1])
    smooth = _smoothed(losses)
    lowest = np.minimum.accumulate(smooth)
    start = smooth[:_MEAN_OF].mean()
    beyond = np.flatnonzero((smooth > _BLOWN_UP * lowest) & (smooth > start) & math.isfinite(start))
    return float(rates[beyond[0]]) if len(beyond) else 0.0
