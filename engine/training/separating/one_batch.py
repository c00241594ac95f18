"""Learn sixteen clips by heart (Karpathy 2019): a sound model, loss and gradient bring their loss near 0."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from engine.separating import Outcome

from ..items import Item
from ..job import Job
from ..scored import Scored
from .bench import UNREGULARISED, Bench, skill_of, walk
from .modes import SAME_LENGTH, answers, without_dropout

_CLIPS = 16
_STEPS = 150
_RATES = (1e-3, 1e-2)
"""Tried beside the plan's own: one at which heads on features learn, and one for small ones."""
_PLAIN = {"training.class_balance": "as-they-come", "training.clips_per_class": 0, "training.accumulation": 1}


def one_batch(bench: Bench) -> Outcome:
    """Learn the same clips as planned, then without regularisation, then at other rates as well."""
    items = bench.spread(_CLIPS)
    planned = _learned(bench, items, {})
    free = _learned(bench, items, UNREGULARISED)
    others = {rate: _learned(bench, items, {**UNREGULARISED, "training.learning_rate": rate}) for rate in _RATES}
    best = min((free, *others.values()), key=lambda one: (-_number(one[1], -1.0), one[0]))
    facts = {
        "test.one_batch_planned_loss_left": planned[0],
        "test.one_batch_unregularised_loss_left": free[0],
        "test.one_batch_loss_left": best[0],
        "test.one_batch_planned_score": planned[1],
        "test.one_batch_unregularised_score": free[1],
        "test.one_batch_score": best[1],
    }
    kept = {name: value for name, value in facts.items() if math.isfinite(value)}
    rows = [("as planned", planned), ("without regularisation", free)]
    rows += [(f"without regularisation, rate {rate:g}", one) for rate, one in others.items()]
    shown = tuple(f"{what}: {left:.0%} of the loss left, score {score:.2f}" for what, (left, score) in rows)
    gone = {name: "it is not a number, or the answers have no length in common" for name in facts if name not in kept}
    return Outcome("one-batch", dict(kept), (f"{len(items)} clips, {_STEPS} steps", *shown), gone, len(items))


def _learned(bench: Bench, items: tuple[Item, ...], changes: Mapping[str, Any]) -> tuple[float, float]:
    """Return the share of the first loss that is left, and the score on the very clips that were learned."""
    job = bench.job({**changes, **_PLAIN, "training.batch_size": max(len(items), 16)}, items)
    losses = walk(job, itertools.repeat(items, _STEPS), [1.0] * _STEPS, bench.stop)
    if not math.isfinite(losses[-1]) or losses[0] <= 0:
        return math.inf, math.nan
    left = min(losses[-1], losses[-2]) / losses[0]
    return left, skill_of(_as_trained(job, items)) if job.plan.answer in SAME_LENGTH else math.nan


def _as_trained(job: Job, items: tuple[Item, ...]) -> Scored:
    """Score in the mode in which they were learned, but for dropout; what differs in evaluation is another test's."""
    with without_dropout(job.model):
        return Scored(job.plan, items, answers(job, items), job.classes)


def _number(value: float, otherwise: float) -> float:
    return value if math.isfinite(value) else otherwise
