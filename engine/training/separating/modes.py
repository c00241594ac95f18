"""Score the same training clips as in training and as in evaluation: what differs besides dropout is a fault."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch import Tensor, nn

from engine.separating import Outcome
from knowledge.errors import InputError

from ..checkpoints import BEST, LAST, OF_MODEL, read_checkpoint
from ..items import Item, targets_of
from ..job import Job
from .bench import Bench

_CLIPS = 128
_RANDOM = ("p", "dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "layerdrop")
"""Attributes of modules that hold a probability of leaving something out."""
SAME_LENGTH = ("class", "score", "tags", "vector")
"""Kinds of answer that are as long for every clip, so that those of several batches can be put together."""
_FACTS = ("test.mode_loss_ratio", "test.mode_dropout_ratio")


def mode_agreement(bench: Bench) -> Outcome:
    """Compare the loss of the last weights in evaluation, in training, and in training without dropout."""
    weights = _last_weights(bench)
    if weights is None:
        return Outcome("mode-agreement", {}, (), dict.fromkeys(_FACTS, "the run left no checkpoint"))
    if bench.plan.answer not in SAME_LENGTH:
        return Outcome("mode-agreement", {}, (), dict.fromkeys(_FACTS, "answers differ in length"))
    items = bench.spread(_CLIPS)
    job = bench.job({"augmentation.strength": "none"}, None)
    job.model.load_trainable_state(weights)
    job.model.eval()
    evaluated = _loss(job, items)
    job.model.train()
    with_dropout = _loss(job, items)
    with without_dropout(job.model):
        trained = _loss(job, items)
    if not min(evaluated, with_dropout, trained) > 0 or not math.isfinite(evaluated + with_dropout + trained):
        return Outcome("mode-agreement", {}, (), dict.fromkeys(_FACTS, "a loss is 0 or not a number"))
    text = (
        f"{len(items)} training clips: loss {evaluated:.4f} in evaluation, {trained:.4f} in training without dropout, "
    )
    facts = {_FACTS[0]: evaluated / trained, _FACTS[1]: with_dropout / trained}
    return Outcome("mode-agreement", dict(facts), (f"{text}{with_dropout:.4f} with it",), {}, len(items))


def _last_weights(bench: Bench) -> dict[str, Tensor] | None:
    """What training had come to; the best epoch may be the first, in which modes have hardly had time to part."""
    folder = bench.run / "checkpoints"
    for path in sorted(folder.glob(LAST), reverse=True):
        with suppress(InputError):
            tensors = read_checkpoint(path)[0]
            return {name[len(OF_MODEL) :]: value for name, value in tensors.items() if name.startswith(OF_MODEL)}
    return read_checkpoint(folder / BEST)[0] if (folder / BEST).exists() else None


def _loss(job: Job, items: tuple[Item, ...]) -> float:
    outputs = answers(job, items)
    return float(job.evaluation_loss(outputs, targets_of(items, job.plan.answer)))


@torch.no_grad()
def answers(job: Job, items: tuple[Item, ...]) -> Tensor:
    """Return outputs (clips, classes) or (clips,) in the mode that the model is in, in batches of the plan's size."""
    size = job.plan.training.batch_size
    found = []
    for start in range(0, len(items), size):
        batch = job.source.loader.evaluation_batch(items[start : start + size])
        with job.autocast():
            found.append(job.model(batch.to(job.device)).float().cpu())
    return torch.cat(found)


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
