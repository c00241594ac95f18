"""Finds where a number stopped being one: which clips, and the first layer that gives it. It repairs nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .items import Item
from .job import Job
from .model import Batch


@dataclass(frozen=True)
class Located:
    """What is known of a loss or gradient that is not finite."""

    clips: tuple[str, ...]
    """Those that alone give it; all of the batch where only together they do."""
    alone: bool
    """True when each of `clips` gives it by itself."""
    layer: str
    """The first layer whose output is not finite, or the tensor of weights that is not; empty where neither is."""

    @property
    def place(self) -> str:
        """Where it comes from, as the end of a sentence; empty where nothing is known."""
        return f"; the first value that is no number comes out of {self.layer}" if self.layer else ""


@torch.no_grad()
def locate(job: Job, passes: Sequence[tuple[Sequence[Item], Batch]]) -> Located:
    """Run every clip of a step by itself and name those whose loss is not finite."""
    paths = tuple(item.path for items, _ in passes for item in items)
    if job.processes.sharded:
        return Located(paths, alone=False, layer="")  # a divided layer cannot be run by one process for itself
    bad_weights = next((name for name, one in job.model.named_parameters() if not bool(one.isfinite().all())), "")
    if bad_weights:
        return Located(paths, alone=False, layer=bad_weights)
    with _evaluating(job.model):
        culprits, layer = [], ""
        for items, batch in passes:
            for row, item in enumerate(items):
                found = _first_bad_layer(job, _row(batch, row))
                if found is not None:
                    culprits.append(item.path)
                    layer = layer or found
    return Located(tuple(culprits) or paths, alone=bool(culprits), layer=layer)


def _first_bad_layer(job: Job, batch: Batch) -> str | None:
    """Return the first layer with an output that is not finite for one clip; None where the loss is finite."""
    found: list[str] = []
    handles = [
        module.register_forward_hook(_watch(name, found))
        for name, module in job.model.named_modules()
        if not list(module.children())
    ]
    try:
        with job.autocast():
            loss = job.evaluation_loss(job.model(batch.to(job.device)), batch.labels.to(job.device))
    finally:
        for handle in handles:
            handle.remove()
    if math.isfinite(float(loss)) and not found:
        return None
    return found[0] if found else ""


def _watch(name: str, found: list[str]):  # type: ignore[no-untyped-def]
    def hook(_module: nn.Module, _inputs: object, output: object) -> None:
        values = output if isinstance(output, tuple) else (output,)
        if any(isinstance(one, Tensor) and one.is_floating_point() and not one.isfinite().all() for one in values):
            found.append(name)

    return hook


def _row(batch: Batch, row: int) -> Batch:
    values = {name: value[row : row + 1] for name, value in vars(batch).items() if isinstance(value, Tensor)}
    return Batch(**{**dict.fromkeys(("waveforms", "lengths")), **values})  # type: ignore[arg-type]


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    was = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was)
