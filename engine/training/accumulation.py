"""Forward and backward of one step, in as many passes as memory wants. It takes no step and draws no clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.amp.grad_scaler import GradScaler

from .augmentation import mixed, spec_augment
from .items import Item
from .job import Job
from .losses import adds_up
from .memory_backoff import NoRoomError, free_memory, halved, is_out_of_memory
from .model import Batch
from .sharding import ALONE, Pace
from .spec_augment import masking_of

Passes = Sequence[tuple[Item, ...]]


@dataclass(frozen=True)
class Accumulated:
    """What one step computed; the gradients are in the parameters."""

    loss: Tensor
    """Mean over the clips of the step."""
    passes: Passes
    batches: Sequence[Batch]
    most_clips: int
    """Clips that a pass may hold from now on; 0 where memory never ran out."""


def accumulate(
    job: Job,
    scaler: GradScaler,
    passes: Passes,
    batches: Sequence[Batch],
    epoch: int,
    most_clips: int = 0,
    pace: Pace = ALONE,
) -> Accumulated:
    """Add the gradients of all passes; weighted by real clips, the sum equals the whole batch.

    Where a pass finds no memory, the step begins again in passes of half the size: as if the plan had asked for them.

    Args:
        job: model, loss and where batches come from.
        scaler: of the gradients.
        passes: the clips of each pass.
        batches: the same, ready.
        epoch: what augmentation is keyed by.
        most_clips: largest pass that memory was found to allow; 0 is not known.
        pace: what this process's part counts, and how many passes the others have more.
    """
    clips = sum(len(one) for one in passes)
    random = torch.get_rng_state()
    while True:
        if most_clips and max(map(len, passes)) > most_clips:
            passes = _within(passes, most_clips)
            batches = [job.source.training_batch(items, epoch) for items in passes]
        try:
            loss = _backward(job, scaler, batches, clips, epoch, pace)
            return Accumulated(loss, passes, batches, most_clips)
        except (MemoryError, RuntimeError) as error:
            halves = adds_up(job.plan.training.loss) and not job.processes.sharded
            smaller = halved(passes) if is_out_of_memory(error) and halves else None
            if smaller is None and is_out_of_memory(error):
                raise NoRoomError(str(error) or "allocation failed", max(map(len, passes))) from error
            if smaller is None:
                raise
        most_clips = max(map(len, smaller))
        job.model.zero_grad(set_to_none=True)
        free_memory()
        torch.set_rng_state(random)


def _backward(job: Job, scaler: GradScaler, batches: Sequence[Batch], clips: int, epoch: int, pace: Pace) -> Tensor:
    total = torch.zeros((), device=job.device)
    for cpu_batch in batches:
        batch = cpu_batch.to(job.device)
        with job.autocast():
            key = (job.plan.training.seed, epoch, cpu_batch.indices)
            frames, mask = job.model.encode(batch, masking_of(job.plan.augmentation, key))
            frames = spec_augment(frames, mask, job.plan.augmentation, key)
            first = (job.plan.training.seed, epoch, int(cpu_batch.indices[0]))
            frames, partner, share = mixed(frames, mask, job.plan.augmentation, first)
            answers = job.model.head_forward(frames, mask)
            loss = job.loss(answers, batch.labels)
            if share < 1:
                loss = share * loss + (1 - share) * job.loss(answers, batch.labels[partner])
            loss = loss * (len(batch) / clips * pace.share)
        scaler.scale(loss).backward()
        total += loss.detach()
    for _ in range(pace.extra):
        one = job.source.training_batch(job.parts.train[:1], epoch).to(job.device)
        with job.autocast():
            nothing = job.model(one).sum() * 0
        nothing.backward()
    return total


def _within(passes: Passes, most_clips: int) -> Passes:
    while max(map(len, passes)) > most_clips:
        smaller = halved(passes)
        assert smaller is not None, "most_clips is at least 1"
        passes = smaller
    return passes
