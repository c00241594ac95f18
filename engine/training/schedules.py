"""Schedules: which share of its peak rate a step has. Each follows from the step alone and has no state to save."""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.plan_sections import Training

_LEAST_FACTOR = 0.01
"""Where `exponential` ends and `cyclic` turns, as a share of the peak: two decades, so that no step is without effect
(Smith 2017 takes a third to a quarter of the peak as the base; a wider range also serves where the peak is high)."""
_PLATEAU_FACTOR = 0.1
"""What a plateau multiplies the rate by (ReduceLROnPlateau in torch)."""
_TIMESCALE_STEPS = 10_000
"""Steps after which `inverse-square-root` without a warm-up has fallen to 0.71 (transformers)."""


def rate_factor(training: Training, step: int, total_steps: int, plateaus: int = 0) -> float:
    """Return the share of the peak rate at `step`: a linear rise over the warm-up, then what the schedule says.

    The rise starts above zero and every fall ends above zero, so that no step is without effect.

    Args:
        training: names the schedule.
        step: 0 is the first.
        total_steps: of the whole plan.
        plateaus: how often the score has stood still so far.
    """
    warmup = round(training.warmup_fraction * total_steps)
    if step < warmup:
        return (step + 1) / warmup
    if training.schedule == "plateau":
        return float(_PLATEAU_FACTOR**plateaus)
    return _FALLS[training.schedule](training, step - warmup, max(total_steps - warmup, 1), warmup)


def _cosine(_: Training, done: int, left: int, __: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * done / left))


def _linear(_: Training, done: int, left: int, __: int) -> float:
    return 1 - done / left


def _stable_then_decay(training: Training, done: int, left: int, warmup: int) -> float:
    """Level, then a straight fall over the last `decay_fraction` of all steps (Hu et al. 2024, MiniCPM)."""
    falling = min(max(round(training.decay_fraction * (left + warmup)), 1), left)
    return min(1.0, (left - done) / falling)


def _inverse_square_root(_: Training, done: int, __: int, warmup: int) -> float:
    scale = warmup or _TIMESCALE_STEPS
    return math.sqrt(scale / (done + scale))


def _noam(_: Training, done: int, __: int, warmup: int) -> float:
    """Return 1 / sqrt(step), as a share of its value after the warm-up (Vaswani et al. 2017).

    The paper's peak is (width * warm-up)^-0.5; here the plan names the peak. Without a warm-up it falls from step 1.
    """
    return math.sqrt(max(warmup, 1) / (done + max(warmup, 1)))


def _exponential(_: Training, done: int, left: int, __: int) -> float:
    return float(_LEAST_FACTOR ** (done / left))


def _cyclic(training: Training, done: int, left: int, _: int) -> float:
    """Triangles between peak and base, beginning at the peak (Smith 2017)."""
    place = done / left * training.cycles % 1.0
    return _LEAST_FACTOR + (1 - _LEAST_FACTOR) * abs(2 * place - 1)


_FALLS: dict[str, Callable[[Training, int, int, int], float]] = {
    "constant": lambda *_: 1.0,
    "warmup-cosine": _cosine,
    "linear": _linear,
    "warmup-stable-decay": _stable_then_decay,
    "inverse-square-root": _inverse_square_root,
    "noam": _noam,
    "exponential": _exponential,
    "cyclic": _cyclic,
}
