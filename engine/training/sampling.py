"""Which clips an epoch shows, and in which batches: as they come, classes alike, short ones first. Reads no audio.

Everything follows from (seed, epoch), so a stopped epoch goes on where it was. Every epoch has as many steps as the
plan's rates are made for, or fewer, so `total_steps` is counted from the orders themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.plan import Plan

from .batches import Order, drawn_order, epoch_order

_DRAW, _GROUPS = 1, 2
"""Numbers that keep the random streams of this module apart from that of the order (0)."""
_FIRST_SHARE = 0.25
"""Share of the clips, the shortest, that a curriculum begins with (Platanios et al. 2019 begin with less, of data sets
a thousand times larger)."""


class Sampler:
    """The orders of all epochs of a plan."""

    def __init__(
        self, plan: Plan, lengths: Sequence[int], classes: Sequence[int], qualities: Sequence[float] = ()
    ) -> None:
        """Take what an order follows from.

        Args:
            plan: says how.
            lengths: of every clip, in samples.
            classes: of every clip, class numbers, or zeros for regression.
            qualities: of every clip, the higher the better; none where the plan names no column of them.
        """
        self.training = plan.training
        self.lengths = lengths
        self.classes = np.asarray(classes, dtype=np.int64)
        self.ranked = _ranked(lengths, qualities)
        """The clips in the order in which a curriculum shows them."""
        self.longest_batch = round(plan.training.batch_seconds * plan.data.sample_rate_hz)

    def order(self, epoch: int) -> Order:
        """Return the clips of every batch of one epoch (0 is the first)."""
        training = self.training
        if training.class_balance == "balanced-sampling" and training.clips_per_class:
            return self._in_groups(epoch)
        if training.class_balance == "balanced-sampling":
            drawn = self._balanced(epoch)
        elif epoch >= training.epochs - training.best_epochs:
            drawn = self._first(training.best_share)
        elif epoch < training.curriculum_epochs:
            drawn = self._first(_FIRST_SHARE + (1 - _FIRST_SHARE) * epoch / training.curriculum_epochs)
        else:
            return epoch_order(self.lengths, training.batch_size, training.seed, epoch, self.longest_batch)
        return drawn_order(self.lengths, drawn, training.batch_size, training.seed, epoch, self.longest_batch)

    def steps(self, epoch: int) -> int:
        """Return the batches of one epoch."""
        return len(self.order(epoch))

    def total_steps(self) -> int:
        """Return the batches of the whole plan."""
        training = self.training
        if not (self.longest_batch or training.curriculum_epochs or training.best_epochs):
            return training.epochs * self.steps(0)
        return sum(self.steps(epoch) for epoch in range(training.epochs))

    def _first(self, share: float) -> NDArray[np.int64]:
        """Return a share of the clips, the shortest or best ones, and a batch of them at least."""
        return self.ranked[: max(round(share * len(self.ranked)), min(self.training.batch_size, len(self.ranked)))]

    def _balanced(self, epoch: int) -> NDArray[np.int64]:
        """Return as many clips as there are, each class equally often."""
        names = np.unique(self.classes)
        shares = np.array_split(np.arange(len(self.classes)), len(names))
        random = np.random.default_rng([self.training.seed, epoch, _DRAW])
        turns = random.permutation(len(names))  # who gets one more where the number does not divide evenly
        return np.concatenate(
            [self._of_class(int(names[turn]), len(part), random) for turn, part in zip(turns, shares, strict=True)]
        )

    def _of_class(self, name: int, count: int, random: np.random.Generator) -> NDArray[np.int64]:
        """Return `count` clips of a class; none comes again before all have come."""
        own = np.flatnonzero(self.classes == name)
        rounds = [random.permutation(own) for _ in range(-(-count // len(own)))]
        return np.concatenate([*rounds, own[:0]])[:count]

    def _in_groups(self, epoch: int) -> Order:
        """Return batches of P classes with K clips each (Hermans et al. 2017); a class of fewer clips repeats some."""
        training = self.training
        random = np.random.default_rng([training.seed, epoch, _GROUPS])
        names = np.unique(self.classes)
        wanted = max(training.batch_size // training.clips_per_class, 1)
        together = min(wanted, len(names))
        count = max(round(len(self.classes) / (together * training.clips_per_class)), 1)
        per_class = -(-count * together // len(names)) * training.clips_per_class
        queues = {int(name): self._of_class(int(name), per_class, random).tolist() for name in names}
        turns = np.concatenate([random.permutation(names) for _ in range(-(-count * together // len(names)))])
        batches = []
        for number in range(count):
            chosen: list[int] = []
            for name in _distinct(turns, number * together, together):
                queue = queues[name]
                chosen += queue[: training.clips_per_class]
                # Behind the others, so that a class that comes once more than planned has clips left.
                queues[name] = queue[training.clips_per_class :] + queue[: training.clips_per_class]
            batches.append(tuple(chosen))
        return batches


def _ranked(lengths: Sequence[int], qualities: Sequence[float]) -> NDArray[np.int64]:
    """Return the clips from the best to the worst, or else from the shortest to the longest."""
    if len(qualities):
        return np.argsort(-np.nan_to_num(np.asarray(qualities), nan=-np.inf), kind="stable")
    return np.argsort(np.asarray(lengths), kind="stable")


def _distinct(turns: NDArray[np.int64], start: int, count: int) -> list[int]:
    """Return `count` different classes from `start` on: at the seam of two rounds one may come twice."""
    around = np.concatenate([turns[start:], turns[:start]])
    found = dict.fromkeys(int(name) for name in around)
    return list(found)[:count]
