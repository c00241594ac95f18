"""Loss functions. Lower is better; regression losses are in units of the label's deviation, whatever its range."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine.plan import Plan
from knowledge.errors import PlanError

from .augmentation import copies_of_classes
from .contrastive import contrastive_loss
from .frame_answers import frame_targets, unpacked

Loss = Callable[[Tensor, Tensor], Tensor]
"""Outputs of a model and labels, as `data.targets_of` gives them, to one number."""

CCC_LEAST_ITEMS = 16
"""Fewest clips a batch for which 1 - CCC is a usable loss: the mean over batches is .68 for a true .746 with 8 clips
and .715 with 16 (training.md 2.9). Passes of a batch are joined before it is taken."""
_TINY = 1e-8
"""Added to the denominator of the CCC: constant predictions of constant labels give 0 / 0."""
_CLIPPED_BELOW, _RANK_MARGIN, _RANK_WEIGHT = 0.25, 0.1, 0.5
"""UTMOS (Saeki et al. 2022), of scores that are scaled to -1 .. 1."""
_MOST_WEIGHT = 100.0
"""Most that a clip of a rare tag counts more than one without it: of rarer ones single clips would lead every step."""
_HALF_RANGE_DEVIATIONS = math.sqrt(3)
"""Half the range of evenly spread scores in their deviations: what stands for -1 .. 1 where the range is not named."""


def adds_up(name: str) -> bool:
    """Say whether a loss is a mean over clips; what compares the clips of a batch needs all of them at once."""
    return name not in ("ccc", "mse+ccc", "clipped-mse+rank", "supcon")


def loss_function(
    plan: Plan, class_shares: Tensor | None = None, label_std: float = 1.0, frame_seconds: float = 0.0
) -> Loss:
    """Return the loss that a plan trains with.

    Args:
        plan: names the loss.
        class_shares: (classes,), share of the training clips that each class has; needed by `weighted-loss` and
            `logit-adjustment` alone.
        label_std: standard deviation of the training labels; regression only.
        frame_seconds: between two answers of the model; detection only.

    Those of which `adds_up` says so are means over clips, so that passes of unequal size add up by their number of
    clips.

    Raises:
        PlanError: batches are too small for the CCC.
    """
    if plan.answer == "class":
        return _class_loss(plan, class_shares)
    if plan.answer == "vector":
        training = plan.training
        return lambda vectors, labels: contrastive_loss(
            vectors, labels, training.pair_temperature, training.pair_hardest
        )
    if plan.answer == "tags":
        return _tag_loss(plan, class_shares)
    if plan.answer == "symbols":
        return symbol_loss
    if plan.answer == "events":
        return lambda answers, labels: event_loss(answers, labels, frame_seconds)
    return _score_loss(plan, label_std if label_std > 0 else 1.0)


def evaluation_loss(plan: Plan, label_std: float = 1.0, frame_seconds: float = 0.0) -> Loss:
    """Return the loss that validation is scored by: the same, without smoothed labels, weights and margins.

    Those, and the mining of hard pairs, push training in a direction; what is left is comparable between runs and with
    the level of chance.
    """
    plain = {"label_smoothing": 0.0, "class_balance": "as-they-come", "pair_hardest": 1.0}
    plan = plan.model_copy(update={"training": plan.training.model_copy(update=plain)})
    return loss_function(plan, None, label_std, frame_seconds)


def _class_loss(plan: Plan, shares: Tensor | None) -> Loss:
    training, balance = plan.training, plan.training.class_balance
    if shares is not None and (copies := copies_of_classes(plan.augmentation)) > 1:
        shares = shares.repeat(copies) / copies
    weights = class_weights(shares) if balance == "weighted-loss" and shares is not None else None
    margins = shares.log() if balance == "logit-adjustment" and shares is not None else None
    function = cross_entropy if training.loss == "cross-entropy" else binary_cross_entropy

    def loss(scores: Tensor, labels: Tensor) -> Tensor:
        if margins is not None and scores.requires_grad:  # Menon et al. 2021: in training only
            scores = scores + margins.to(scores)
        return function(scores, labels, weights, training.label_smoothing)

    return loss


def _tag_loss(plan: Plan, shares: Tensor | None) -> Loss:
    training, balance = plan.training, plan.training.class_balance
    odds = None if shares is None else shares / (1 - shares).clamp(min=1e-6)
    weights = (1 / odds).clamp(max=_MOST_WEIGHT) if balance == "weighted-loss" and odds is not None else None
    margins = odds.log() if balance == "logit-adjustment" and odds is not None else None

    def loss(scores: Tensor, labels: Tensor) -> Tensor:
        if margins is not None and scores.requires_grad:
            scores = scores + margins.to(scores)
        return binary_cross_entropy(scores, several_hot(labels, scores.shape[-1]), weights, training.label_smoothing)

    return loss


def _score_loss(plan: Plan, scale: float) -> Loss:
    name, training, output = plan.training.loss, plan.training, plan.output
    if name == "mse":
        return lambda predictions, labels: mean_squared_error(predictions / scale, labels / scale)
    if name == "huber":
        return lambda predictions, labels: huber(predictions / scale, labels / scale)
    if name == "clipped-mse+rank":
        named = output.low is not None and output.high is not None
        half = (output.high - output.low) / 2 if named else scale * _HALF_RANGE_DEVIATIONS  # type: ignore[operator]
        return lambda predictions, labels: clipped_and_ranked(predictions / half, labels / half)
    check_concordance(training.batch_size, training.batch_size)

    def concordance(predictions: Tensor, labels: Tensor) -> Tensor:
        if predictions.requires_grad:
            check_concordance(len(labels), training.batch_size)
        predictions, labels = predictions / scale, labels / scale
        loss = concordance_loss(predictions, labels)
        return loss if name == "ccc" else loss + mean_squared_error(predictions, labels)

    return concordance


def class_weights(shares: Tensor) -> Tensor:
    """Return (classes,) weights under which every class counts alike; their mean over the training clips is 1."""
    return 1 / (shares * len(shares))


def cross_entropy(
    scores: Tensor, labels: Tensor, class_weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Return the mean negative log probability of the true class; scores (batch, classes), labels (batch,).

    Weighted clips are divided by their number, not by the sum of their weights, which differs from batch to batch.
    """
    each = torch.nn.functional.cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
    return (each if class_weights is None else each * class_weights.to(each)[labels]).mean()


def binary_cross_entropy(
    scores: Tensor, labels: Tensor, class_weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Return the mean over clips and classes of the cross-entropy of "this class or not".

    Args:
        scores: (batch, classes) logits.
        labels: (batch,) class numbers, or (batch, classes) of zeros and ones where several are true.
        class_weights: (classes,): how much more a true clip of each class counts (pos_weight of torch).
        smoothing: share of each label that is spread over all classes.
    """
    classes = scores.shape[-1]
    targets = labels if labels.ndim > 1 else torch.nn.functional.one_hot(labels, classes)
    targets = targets.to(scores) * (1 - smoothing) + smoothing / classes
    weights = None if class_weights is None else class_weights.to(scores)
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, targets, pos_weight=weights)


def several_hot(labels: Tensor, classes: int) -> Tensor:
    """Return (batch, classes) of zeros and ones from (batch, most) class numbers, filled up with -1."""
    hot = torch.zeros(len(labels), classes + 1, device=labels.device)
    return hot.scatter_(1, labels + 1, 1.0)[:, 1:]


def symbol_loss(answers: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over clips of the CTC loss for each symbol (Graves et al. 2006).

    A clip with fewer frames than its transcript needs has no way to be spelled; it counts as 0.

    Args:
        answers: (batch, frames, 1 + symbols), packed; symbol 0 is the blank.
        labels: (batch, most) symbols in order, filled up with -1.
    """
    scores, frames = unpacked(answers)
    lengths = (labels >= 0).sum(1)
    shares = scores.log_softmax(-1).transpose(0, 1)
    each = torch.nn.functional.ctc_loss(
        shares, labels.clamp(min=0), frames, lengths, reduction="none", zero_infinity=True
    )
    return (each / lengths.clamp(min=1)).mean()


def event_loss(answers: Tensor, labels: Tensor, frame_seconds: float) -> Tensor:
    """Return the mean over clips, and within each over its frames and classes, of the cross-entropy of "sounds now".

    Args:
        answers: (batch, frames, 1 + classes), packed.
        labels: (batch, events, 3) begin and end in seconds and class; a class of -1 is none.
        frame_seconds: between two answers.
    """
    scores, frames = unpacked(answers)
    targets = frame_targets(labels, scores.shape[1], scores.shape[2], frame_seconds)
    each = torch.nn.functional.binary_cross_entropy_with_logits(scores, targets.to(scores), reduction="none")
    return ((each.mean(-1) * answers[..., 0]).sum(1) / frames.clamp(min=1)).mean()


def mean_squared_error(predictions: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of the squared differences of predictions (batch,) and labels (batch,)."""
    return (predictions - labels.to(predictions)).square().mean()


def huber(predictions: Tensor, labels: Tensor) -> Tensor:
    """Return the squared difference up to one deviation and a straight line beyond it (Huber 1964): wild labels pull
    with a limited force."""
    return torch.nn.functional.huber_loss(predictions, labels.to(predictions))


def clipped_and_ranked(predictions: Tensor, labels: Tensor) -> Tensor:
    """Return the two losses of UTMOS, of predictions (batch,) and labels (batch,) in half ranges of the scale.

    Small errors, within what listeners disagree by, cost nothing; each pair of clips has to lie as far apart as its
    labels do, up to a margin.
    """
    labels = labels.to(predictions)
    error = predictions - labels
    clipped = error.square().where(error.abs() > _CLIPPED_BELOW, torch.zeros_like(error)).mean()
    apart = (error[:, None] - error[None, :]).abs() - _RANK_MARGIN
    pairs = max(len(error) * (len(error) - 1), 1)
    # The diagonal is -margin, so that it adds nothing.
    return clipped + _RANK_WEIGHT * apart.clamp(min=0).sum() / pairs


def concordance_loss(predictions: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - CCC of predictions (batch,) and labels (batch,): 0 is perfect, 1 is chance, 2 is reversed.

    Source: Lin 1989, A concordance correlation coefficient to evaluate reproducibility, with 1/n moments.
    """
    labels = labels.to(predictions)
    centred, true = predictions - predictions.mean(), labels - labels.mean()
    shift = predictions.mean() - labels.mean()
    denominator = centred.square().mean() + true.square().mean() + shift.square() + _TINY
    return 1 - 2 * (centred * true).mean() / denominator


def check_concordance(clips: int, batch_size: int) -> None:
    """Refuse batches in which a concordance means nothing.

    Raises:
        PlanError: the smallest batch has too few clips.
    """
    if clips < CCC_LEAST_ITEMS:
        raise PlanError(
            f"training.loss uses the CCC, and a batch of {clips} clips comes out of training.batch_size {batch_size}, "
            f"expected at least {CCC_LEAST_ITEMS} in every batch; its gradient is biased below that",
            hint=f"Set training.batch_size to {2 * CCC_LEAST_ITEMS} or more, training.batch_seconds to 0, or "
            "training.loss to mse.",
        )
