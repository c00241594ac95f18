"""Score the same training clips as in training and as in evaluation: what differs besides dropout is a fault."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.plan import Answer
from engine.separating import Outcome
from knowledge.errors import InputError

from ..checkpoints import BEST, LAST, OF_MODEL, read_checkpoint
from ..frame_answers import joined_answers
from ..items import Item, targets_of
from ..job import Job
from .bench import Bench

_CLIPS = 128
_RANDOM = ("p", "dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "layerdrop")
"""Attributes of modules that hold a probability of leaving something out."""
SAME_LENGTH = ("class", "score", "tags", "vector")
"""Kinds of answer that are as long for every clip, so that those of several batches can be put together."""
_SPREAD_PART = 0.5
"""A score is another answer beyond half of the labels' standard deviation: what Cohen (1988) calls a medium effect."""
_FEWEST_SETTLED = 10
"""With fewer clips a share says nothing."""
_FACTS = ("test.mode_loss_ratio", "test.mode_dropout_ratio", "test.mode_other_answers")


def mode_agreement(bench: Bench) -> Outcome:
    """Compare loss and answers of the last weights in evaluation, in training, and in training without dropout."""
    weights = _last_weights(bench)
    if weights is None:
        return Outcome("mode-agreement", {}, (), dict.fromkeys(_FACTS, "the run left no checkpoint"))
    job = bench.job({"augmentation.strength": "none"}, None)
    job.model.load_trainable_state(weights)
    items, again = _mixed(bench)
    job.model.eval()
    evaluated = answers(job, items)
    job.model.train()
    with_dropout = answers(job, items)
    with without_dropout(job.model):
        trained = answers(job, items)
        elsewhere = answers(job, tuple(items[place] for place in again))[np.argsort(again)]
    losses = [_loss(job, items, outputs) for outputs in (evaluated, trained, with_dropout)]
    if not min(losses) > 0 or not math.isfinite(sum(losses)):
        return Outcome("mode-agreement", {}, (), dict.fromkeys(_FACTS, "a loss is 0 or not a number"))
    facts = {_FACTS[0]: losses[0] / losses[1], _FACTS[1]: losses[2] / losses[1]}
    told = f"loss {losses[0]:.4f} in evaluation, {losses[1]:.4f} in training without dropout, {losses[2]:.4f} with it"
    shown = (f"{len(items)} training clips: {told}",)
    other, told = _other_share(job, items, trained, elsewhere, evaluated)
    if other is None:
        return Outcome("mode-agreement", dict(facts), shown, {_FACTS[2]: told}, len(items))
    return Outcome("mode-agreement", {**facts, _FACTS[2]: other}, (*shown, told), {}, len(items))


def _other_share(
    job: Job, items: tuple[Item, ...], trained: Tensor, elsewhere: Tensor, evaluated: Tensor
) -> tuple[float | None, str]:
    """Return the share of settled clips that evaluation answers otherwise, or none, and what to tell of it.

    A clip is settled where training answers it alike in two batches: what its neighbours decide is no fault of a mode.
    """
    if job.plan.answer == "vector":
        return None, "a direction is not right or wrong by itself"
    if job.plan.answer not in SAME_LENGTH:
        return None, "answers differ in length, so only their losses are compared"
    spread = float(np.std([item.target for item in items]))
    trained, elsewhere, evaluated = (one[..., : len(job.classes) or None] for one in (trained, elsewhere, evaluated))
    settled = ~other_answers(job.plan.answer, trained, elsewhere, spread)
    count = int(settled.sum())
    if count < _FEWEST_SETTLED:
        return None, f"training answers only {count} clips alike in two batches, expected {_FEWEST_SETTLED}"
    other = float(other_answers(job.plan.answer, trained, evaluated, spread)[settled].float().mean())
    return other, f"evaluation answers {other:.0%} of the {count} clips otherwise that training answers alike twice"


def other_answers(answer: Answer, first: Tensor, second: Tensor, spread: float) -> Tensor:
    """Return (clips,) bool: whether two answers of a clip are not the same, or scores apart by a part of the spread."""
    if answer == "class":
        return first.argmax(1) != second.argmax(1)
    if answer == "tags":
        return ((first > 0) != (second > 0)).any(1)
    return (first - second).abs() > _SPREAD_PART * spread


def _mixed(bench: Bench) -> tuple[tuple[Item, ...], NDArray[np.intp]]:
    """Return training clips of all classes in an order of chance, and another such order of their places.

    Batches are mixed as they are in training: one class alone has statistics of its own, and a normalisation by
    batch would take away what tells the class.
    """
    items, size = bench.spread(_CLIPS), bench.plan.training.batch_size
    kept = items[:-1] if len(items) % size == 1 < size else items  # one clip alone has no statistics
    random = np.random.default_rng(bench.plan.training.seed)
    return tuple(kept[int(place)] for place in random.permutation(len(kept))), random.permutation(len(kept))


def _last_weights(bench: Bench) -> dict[str, Tensor] | None:
    """What training had come to; the best epoch may be the first, in which modes have hardly had time to part."""
    folder = bench.run / "checkpoints"
    for path in sorted(folder.glob(LAST), reverse=True):
        with suppress(InputError):
            tensors = read_checkpoint(path)[0]
            return {name[len(OF_MODEL) :]: value for name, value in tensors.items() if name.startswith(OF_MODEL)}
    return read_checkpoint(folder / BEST)[0] if (folder / BEST).exists() else None


def _loss(job: Job, items: tuple[Item, ...], outputs: Tensor) -> float:
    return float(job.evaluation_loss(outputs, targets_of(items, job.plan.answer)))


def answers(job: Job, items: tuple[Item, ...]) -> Tensor:
    """Return outputs of all clips in the mode that the model is in: (clips, classes), (clips,), or packed answers."""
    found = each_answer(job, items)
    return torch.stack(found) if job.plan.answer in SAME_LENGTH else joined_answers([one[None] for one in found])


@torch.no_grad()
def each_answer(job: Job, items: tuple[Item, ...]) -> list[Tensor]:
    """Return the output of each clip in the mode that the model is in, in batches of the plan's size."""
    size = job.plan.training.batch_size
    found: list[Tensor] = []
    for start in range(0, len(items), size):
        batch = job.source.loader.evaluation_batch(items[start : start + size])
        with job.autocast():
            found += job.model(batch.to(job.device)).float().cpu()
    return found


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Leave nothing out by chance, in the mode in which the model is."""
    before = [
        (module, name, value)
        for module in model.modules()
        for name in _RANDOM
        if isinstance(value := getattr(module, name, None), float)
    ]
    for module, name, _ in before:
        setattr(module, name, 0.0)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
