"""The optimiser and the rates of its groups. Rates follow from the step, so that they need no saving."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from engine.plan_sections import Training

from .lion import Lion
from .model import AudioModel
from .schedules import rate_factor

LION_BETA2 = 0.99
"""The most that Lion takes (Chen et al. 2023): its mean is read by its sign alone and has to forget faster than the
0.999 of an AdamW, which a plan holds when nobody said otherwise."""

ADAFACTOR_LEAST_SCALE = 1.0
"""torch multiplies the rate by the root mean square of each tensor, or by this where that is smaller. Weights of a
backbone are at 0.02 to 0.1 and biases at 0, so that under torch's own 0.001 a rate that is right for AdamW moves
almost nothing. With 1 the plan's rate is what a weight moves, as in transformers (`scale_parameter=False`)."""


def make_optimiser(
    model: AudioModel, training: Training, held: Callable[[nn.Parameter], nn.Parameter] | None = None
) -> torch.optim.Optimizer:
    """Return the plan's optimizer over the model's parameter groups, each with its own peak rate.

    `held` gives what this process holds of a parameter, where it is divided between several.
    """
    groups = model.parameter_groups(training)
    for group in groups:
        group["params"] = [held(one) if held else one for one in group["params"]]
        group["peak"] = group["lr"]
    betas = (training.beta1, training.beta2)
    if training.optimizer == "sgd":
        # Fused, torch 2.13 leaves the momentum uninitialised where the scaler skips the first step, as it mostly does.
        return torch.optim.SGD(groups, momentum=training.momentum, fused=training.precision != "fp16")
    if training.optimizer == "adafactor":
        return torch.optim.Adafactor(groups, eps=(None, ADAFACTOR_LEAST_SCALE))
    if training.optimizer == "lion":
        return Lion(groups, betas=(training.beta1, min(training.beta2, LION_BETA2)))
    # Fused: one pass over the parameters; 72 ms against 213 ms at 94 M of them (training.md 4.6).
    if training.optimizer == "adam":
        return torch.optim.Adam(groups, betas=betas, fused=True)
    return torch.optim.AdamW(groups, betas=betas, fused=True)


def set_rates(
    optimiser: torch.optim.Optimizer, training: Training, step: int, total_steps: int, plateaus: int = 0
) -> dict[str, float]:
    """Set the rate of every group for `step` (0 is the first) and return them by group name."""
    factor = rate_factor(training, step, total_steps, plateaus)
    rates = {}
    for group in optimiser.param_groups:
        group["lr"] = rates[group["name"]] = group["peak"] * factor
    return rates
