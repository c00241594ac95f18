"""Loss functions. Lower is better; regression losses are in units of the label's deviation, whatever its range."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.plan import Plan
from knowledge.errors import PlanError

Loss = Callable[[Tensor, Tensor], Tensor]
"""Outputs of a model and labels (batch,) to one number."""

CCC_LEAST_ITEMS = 16
"""Fewest clips a forward pass for which 1 - CCC is a usable loss: the mean over batches is .68 for a true .746 with
8 clips and .715 with 16, and summing gradients over passes does not repair it (training.md 2.9)."""
_TINY = 1e-8
"""Added to the denominator of the CCC: constant predictions of constant labels give 0 / 0."""


def loss_function(plan: Plan, class_weights: Tensor | None = None, label_std: float = 1.0) -> Loss:
    """Return the loss of a plan.

    Args:
        plan: names the loss.
        class_weights: (classes,), mean 1 over the training clips; cross-entropy only.
        label_std: standard deviation of the training labels; regression only.

    Every loss but the CCC is a mean over clips, so passes of unequal size add up by their number of clips.

    Raises:
        PlanError: passes are too small for the CCC.
    """
    name, training = plan.training.loss, plan.training
    scale = label_std if label_std > 0 else 1.0
    if name == "cross-entropy":
        return lambda scores, labels: cross_entropy(scores, labels, class_weights)
    if name == "mse":
        return lambda predictions, labels: mean_squared_error(predictions / scale, labels / scale)
    _check_pass_size(training.batch_size // training.accumulation, training.batch_size, training.accumulation)

    def concordance(predictions: Tensor, labels: Tensor) -> Tensor:
        if predictions.requires_grad:
            _check_pass_size(len(labels), training.batch_size, training.accumulation)
        predictions, labels = predictions / scale, labels / scale
        loss = concordance_loss(predictions, labels)
        return loss if name == "ccc" else loss + mean_squared_error(predictions, labels)

    return concordance


def cross_entropy(scores: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Return the mean negative log probability of the true class; scores (batch, classes), labels (batch,).

    Weighted clips are divided by their number, not by the sum of their weights, which differs from batch to batch.
    """
    each = torch.nn.functional.cross_entropy(scores, labels, reduction="none")
    return (each if class_weights is None else each * class_weights.to(each)[labels]).mean()


def mean_squared_error(predictions: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of the squared differences of predictions (batch,) and labels (batch,)."""
    return (predictions - labels.to(predictions)).square().mean()


def concordance_loss(predictions: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - CCC of predictions (batch,) and labels (batch,): 0 is perfect, 1 is chance, 2 is reversed.

    Source: Lin 1989, A concordance correlation coefficient to evaluate reproducibility, with 1/n moments.
    """
    labels = labels.to(predictions)
    centred, true = predictions - predictions.mean(), labels - labels.mean()
    shift = predictions.mean() - labels.mean()
    denominator = centred.square().mean() + true.square().mean() + shift.square() + _TINY
    return 1 - 2 * (centred * true).mean() / denominator


def _check_pass_size(clips: int, batch_size: int, accumulation: int) -> None:
    if clips < CCC_LEAST_ITEMS:
        raise PlanError(
            f"training.loss uses the CCC on {clips} clips a forward pass (training.batch_size {batch_size}, "
            f"training.accumulation {accumulation}), expected at least {CCC_LEAST_ITEMS}; "
            "its gradient is biased below that",
            hint="Raise training.batch_size, lower training.accumulation, or set training.loss to mse.",
        )
