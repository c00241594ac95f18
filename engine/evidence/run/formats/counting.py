"""Counts the batches of a console log through its epochs, or through its run where it tells no epoch; reads no line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .record import Record

_A_COURSE = 5
"""Counts from which on they are those of a course."""

_MOST_ALIKE = 4
"""Lines of one count, such as those of the splits; more are rather the batches of it."""


@dataclass
class Batches:
    """Batches of the epochs before the present one, which need not all have the same number."""

    epoch: int = -1
    each: int = 0
    all: int = 0
    at: int = 0
    """The last batch of the present epoch that was told."""
    apart: int = 0
    """How many batches lie between two that are told, at most."""
    finished: bool = False
    """Whether the epoch before the present one was told to its end."""

    def step(self, epoch: int, each: int, batch: int) -> int:
        """Take in that an epoch is at one of its `each` batches, and return how many there were up to it."""
        if epoch < self.epoch or self.epoch < 0:
            self.all, self.each, self.at, self.apart, self.finished = epoch * each, each, 0, 0, False
        elif epoch > self.epoch:
            self.all += (epoch - self.epoch) * self.each
            self.finished = epoch == self.epoch + 1 and self._told_to_the_end()
            self.each, self.at = each, 0
        self.apart = max(self.apart, batch - self.at)
        self.epoch, self.each, self.at = epoch, max(self.each, each, batch), batch
        return self.all + batch

    def _told_to_the_end(self) -> bool:
        return self.at + max(1, self.apart) >= self.each

    @property
    def cut_off(self) -> bool:
        """Whether the last epoch is not told to its end, and the one before it is."""
        return self.finished and not self._told_to_the_end()


@dataclass
class Counts:
    """`[1900/200000]` without any epoch: the steps of the run, if they rise towards one and the same end."""

    told: list[int] = field(default_factory=list)
    of: set[int] = field(default_factory=set)

    def step(self, number: int, of: int) -> int:
        """Take in one count."""
        self.told.append(number)
        self.of.add(of)
        return number

    @property
    def planned(self) -> int | None:
        """Steps that the run is to have; None where the counts are none of a run."""
        # A count that falls back before it came half its way is that of a run that was begun again, not of batches.
        rising = all(one <= two or 2 * one < min(self.of) for one, two in itertools.pairwise(self.told))
        numbers = len(set(self.told))
        many = numbers >= _A_COURSE and len(self.told) <= _MOST_ALIKE * numbers and len(self.of) == 1
        return next(iter(self.of)) if many and rising and max(self.told) <= max(self.of) else None

    @property
    def counts_epochs(self) -> bool:
        """Whether they count on by one from the first, as epochs do; batches are told now and then."""
        numbers = sorted(set(self.told))
        return self.planned is not None and numbers[0] <= 1 and numbers == list(range(numbers[0], numbers[-1] + 1))

    def checked(self, records: Sequence[Record]) -> list[Record]:
        """Records without the steps that were none; what counts the batches of an epoch begins anew with each."""
        if not self.told or self.planned:
            return list(records)
        return [replace(one, step=None) for one in records]
