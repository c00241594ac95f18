"""The optimiser and its learning rates. Rates follow from the step alone, so a schedule has no state to save."""

from __future__ import annotations

import math

import torch

from engine.plan import Training

from .model import AudioModel


def make_optimiser(model: AudioModel, training: Training) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov and Hutter 2019) over the model's parameter groups, each with its own peak rate."""
    groups = model.parameter_groups(training)
    for group in groups:
        group["peak"] = group["lr"]
    # Fused: one pass over the parameters; 72 ms against 213 ms at 94 M of them (training.md 4.6).
    return torch.optim.AdamW(groups, fused=True)


def set_rates(optimiser: torch.optim.Optimizer, training: Training, step: int, total_steps: int) -> dict[str, float]:
    """Set the rate of every group for `step` (0 is the first) and return them by group name."""
    factor = rate_factor(training, step, total_steps)
    rates = {}
    for group in optimiser.param_groups:
        group["lr"] = rates[group["name"]] = group["peak"] * factor
    return rates


def rate_factor(training: Training, step: int, total_steps: int) -> float:
    """Return the share of the peak rate at `step`: a linear rise over the warm-up, then a half cosine or a level.

    The rise starts above zero and the cosine ends above zero, so that no step is without effect.
    """
    warmup = round(training.warmup_fraction * total_steps)
    if step < warmup:
        return (step + 1) / warmup
    if training.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total_steps - warmup, 1)))
