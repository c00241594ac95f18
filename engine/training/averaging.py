"""A running average of the trained weights, scored beside them (Polyak and Juditsky 1992). It never trains anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

_WARM_UP = 10.0
"""After n steps the decay is at most (1 + n) / (10 + n), so that the random start is soon forgotten (TensorFlow's
ExponentialMovingAverage with num_updates)."""


class WeightAverage:
    """The average of every trained tensor; a decay of 0 keeps none and costs nothing."""

    def __init__(self, trained: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self._trained = dict(trained) if decay else {}
        self.tensors = {name: one.detach().clone() for name, one in self._trained.items()}

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the weights after `steps` optimiser steps."""
        if not self.tensors:
            return
        decay = min(self.decay, (1 + steps) / (_WARM_UP + steps))
        # One call for all tensors: 27 ms at 94 M weights (training.md 4.6).
        torch._foreach_lerp_(list(self.tensors.values()), list(self._trained.values()), 1 - decay)

    def of(self, name: str) -> Tensor:
        """Return the tensor that an average is of."""
        return self._trained[name]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model compute with the average inside."""
        own = {name: one.detach().clone() for name, one in self._trained.items()}
        self._put(self.tensors)
        try:
            yield
        finally:
            self._put(own)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back the averages that a checkpoint kept."""
        for name, value in self.tensors.items():
            value.copy_(tensors[name])

    @torch.no_grad()
    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for name, one in self._trained.items():
            one.copy_(tensors[name])
