"""Learn sixteen clips by heart (Karpathy 2019): a sound model, loss and gradient bring their loss near 0.

It ends as soon as it is settled: clips that are learned as planned need no attempt without regularisation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.separating import Outcome

from ..evaluation import scored_answers
from ..items import Item
from ..job import Job
from .bench import UNREGULARISED, Bench, skill_of, walk
from .modes import each_answer, without_dropout

_CLIPS = 16
_STEPS = 150
_RATES = (1e-3, 1e-2)
"""Tried beside the plan's own: one at which heads on features learn, and one for small ones."""
_PLAIN = {"training.class_balance": "as-they-come", "training.clips_per_class": 0, "training.accumulation": 1}
_LOOK_EVERY = 10
_LEARNED_LOSS, _LEARNED_SCORE = 0.02, 0.97
"""Better on both sides than any limit that a cause is held against: further steps would change no verdict."""


@dataclass(frozen=True)
class _Learned:
    """How far the clips were learned in one way."""

    left: float
    """Share of the first loss; infinite where it was lost."""
    score: float
    """On the very clips; not a number where the loss was lost."""
    steps: int

    @property
    def wholly(self) -> bool:
        """Whether nothing is left to learn."""
        return self.left < _LEARNED_LOSS and self.score >= _LEARNED_SCORE


def one_batch(bench: Bench) -> Outcome:
    """Learn the same clips as planned, then without regularisation, then at other rates, until they are learned."""
    items = bench.spread(_CLIPS)
    ways: list[tuple[str, Mapping[str, Any]]] = [("as planned", {}), ("without regularisation", UNREGULARISED)]
    ways += [
        (f"without regularisation, rate {rate:g}", {**UNREGULARISED, "training.learning_rate": rate}) for rate in _RATES
    ]
    found: list[tuple[str, _Learned]] = []
    for what, changes in ways:
        found.append((what, _learned(bench, items, changes)))
        if found[-1][1].wholly:
            break
    return _outcome(items, found)


def _outcome(items: tuple[Item, ...], found: list[tuple[str, _Learned]]) -> Outcome:
    planned, free = found[0][1], found[1][1] if len(found) > 1 else None
    best = min((one for _, one in found), key=lambda one: (-_number(one.score, -1.0), one.left))
    facts = {
        "test.one_batch_planned_loss_left": planned.left,
        "test.one_batch_unregularised_loss_left": free.left if free else math.nan,
        "test.one_batch_loss_left": best.left,
        "test.one_batch_planned_score": planned.score,
        "test.one_batch_unregularised_score": free.score if free else math.nan,
        "test.one_batch_score": best.score,
    }
    kept = {name: value for name, value in facts.items() if math.isfinite(value)}
    reason = "the loss is not a number" if free else "they were learned as planned, so nothing else was tried"
    shown = [
        f"{what}: {one.left:.0%} of the loss left after {one.steps} steps, score {one.score:.2f}" for what, one in found
    ]
    gone = {name: reason for name in facts if name not in kept}
    return Outcome("one-batch", dict(kept), (f"{len(items)} clips", *shown), gone, len(items))


def _learned(bench: Bench, items: tuple[Item, ...], changes: Mapping[str, Any]) -> _Learned:
    job = bench.job({**changes, **_PLAIN, "training.batch_size": max(len(items), 16)}, items)

    def enough(losses: list[float]) -> bool:
        told = len(losses) % _LOOK_EVERY == 0 and 0 < max(losses[-2:]) < _LEARNED_LOSS * losses[0]
        return told and _skill(job, items) >= _LEARNED_SCORE

    losses = walk(job, itertools.repeat(items, _STEPS), [1.0] * _STEPS, bench.stop, enough)
    if not math.isfinite(losses[-1]) or losses[0] <= 0:
        return _Learned(math.inf, math.nan, len(losses))
    return _Learned(min(losses[-2:]) / losses[0], _skill(job, items), len(losses))


def _skill(job: Job, items: tuple[Item, ...]) -> float:
    """Score in the mode in which they were learned, but for dropout; what differs in evaluation is another test's."""
    job.model.train()
    with without_dropout(job.model):
        return skill_of(scored_answers(job, items, each_answer(job, items)))


def _number(value: float, otherwise: float) -> float:
    return value if math.isfinite(value) else otherwise
