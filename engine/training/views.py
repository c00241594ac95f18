"""A take of every clip that several epochs show alike, so that what a frozen part gives for it can be kept.

It stands where a `Loader` stands when frames are kept. It varies nothing itself: take 3 is what epoch 3 would be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from engine.plan import Plan

from .items import Item
from .loader import Loader
from .model import Batch


@dataclass(frozen=True)
class View:
    """One take of the training clips."""

    loader: Loader
    number: int

    @property
    def plan(self) -> Plan:
        """The plan that says how clips are varied."""
        return self.loader.plan

    def evaluation_batch(self, items: Sequence[Item]) -> Batch:
        """Return the takes of some clips; they are the same at every call."""
        return self.loader.training_batch(items, self.number)

    def samples(self, item: Item) -> int:
        """Return the length of a clip's take."""
        return self.loader.varied_samples(item, self.number)

    def digest(self, item: Item) -> str:
        """Return what the take's sound is known by: the clip, and all that the variation follows from."""
        plan = self.plan
        how = [plan.augmentation.model_dump(exclude={"views"}), plan.training.seed, self.number, item.index]
        variation = hashlib.sha256(json.dumps([*how, plan.answer], sort_keys=True).encode()).hexdigest()[:16]
        sound = self.loader.waveforms.sounds[item.region].digest
        return f"{sound}-{self.loader.training_samples(item)}-{variation}"

    def rows(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return what is encoded."""
        return self.loader.rows(items)

    def varied(self, items: Sequence[Item]) -> list[Item]:
        """Return the clips with the labels of their takes."""
        return [self.loader.varied(item, self.number) for item in items]
