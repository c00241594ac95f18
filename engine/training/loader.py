"""Makes batches of waveforms from labelled clips, varied or as they are; decides no split and no order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.event_metrics import Event
from engine.plan import Plan
from engine.plan_sections import Augmentation

from .augmentation import Key, augment, moved, samples_at_speed, speed_number
from .items import Item, numbers_of, targets_of
from .model import Batch
from .waveforms import Waveforms


@dataclass(frozen=True)
class Loader:
    """Makes batches of waveforms. What is in a batch follows from its items, the epoch and the seed alone."""

    waveforms: Waveforms
    plan: Plan
    classes: int = 0
    """How many there are; for speeds that make others of them."""

    def training_batch(self, items: Sequence[Item], epoch: int) -> Batch:
        """Return augmented clips; longer ones are cut to a random stretch of `data.max_seconds`."""
        rate, clips = self.plan.data.sample_rate_hz, []
        for item in self.rows(items):
            clip = self.waveforms[item.region]
            start = self._start(item, epoch)
            cut = clip[start : start + self._longest()]
            clips.append(augment(cut, rate, self._variation, self._key(item, epoch)))
        return self._padded(clips, [self.varied(item, epoch) for item in items])

    def rows(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return what is encoded: the clips, and then their references, which are varied alike."""
        if self.plan.data.reference_column is None:
            return items
        clips = [replace(item, reference=None) for item in items]
        return clips + [replace(item, region=item.reference, reference=None) for item in items if item.reference]

    def varied(self, item: Item, epoch: int) -> Item:
        """Return the clip with the label of its take in an epoch: events move, another speed names another class."""
        key, rate = self._key(item, epoch), self.plan.data.sample_rate_hz
        if item.events:
            factor, later = moved(self.training_samples(item), rate, self._variation, key)
            start = factor * self._start(item, epoch) / rate
            item = replace(item, events=_moved(item.events, factor, later - start))
        number = speed_number(self._variation, key)
        return replace(item, target=item.target + number * self.classes) if number else item

    def varied_samples(self, item: Item, epoch: int) -> int:
        """Return the length of a clip's take in an epoch."""
        return samples_at_speed(self.training_samples(item), self._variation, self._key(item, epoch))

    def _key(self, item: Item, epoch: int) -> Key:
        return self.plan.training.seed, epoch, item.index

    def _start(self, item: Item, epoch: int) -> int:
        """Return where the stretch of an epoch begins."""
        beyond = self.waveforms.sounds[item.region].samples - self._longest()
        return int(np.random.default_rng([*self._key(item, epoch), 1]).random() * (beyond + 1)) if beyond > 0 else 0

    def evaluation_batch(self, items: Sequence[Item]) -> Batch:
        """Return clips as they are; longer ones are cut to the stretch of `data.max_seconds` in their middle.

        Where moments count they stay whole.
        """
        clips = [self.waveforms[item.region] for item in self.rows(items)]
        return self._padded(clips if self._in_time else list(map(self._middle, clips)), items)

    def samples(self, item: Item) -> int:
        """Return the length of a clip in evaluation."""
        return self.waveforms.sounds[item.region].samples if self._in_time else self.training_samples(item)

    def training_samples(self, item: Item) -> int:
        """Return the length of a clip in training, before augmentation."""
        return min(self.waveforms.sounds[item.region].samples, self._longest())

    def is_cut(self, item: Item) -> bool:
        """Say whether the clip is longer than `data.max_seconds`."""
        return self.waveforms.sounds[item.region].samples > self._longest()

    def digest(self, item: Item) -> str:
        """Return what the evaluation clip's sound is known by."""
        return f"{self.waveforms.sounds[item.region].digest}-{self.samples(item)}"

    def _longest(self) -> int:
        limit = self.plan.data.max_seconds
        return round(limit * self.plan.data.sample_rate_hz) if limit else 2**62

    @property
    def _variation(self) -> Augmentation:
        """What the plan says; another speed makes another class only where a clip has one."""
        variation = self.plan.augmentation
        named = variation.speed != "new-class" or self.plan.answer in ("class", "vector")
        return variation if named else variation.model_copy(update={"speed": "avoid"})

    @property
    def _in_time(self) -> bool:
        return self.plan.answer in ("symbols", "events")

    def _middle(self, clip: Tensor) -> Tensor:
        longest = self._longest()
        start = (len(clip) - longest + 1) // 2 if len(clip) > longest else 0
        return clip[start : start + longest]

    def _padded(self, clips: Sequence[Tensor], items: Sequence[Item]) -> Batch:
        lengths = torch.tensor([len(clip) for clip in clips])
        waveforms = torch.nn.utils.rnn.pad_sequence(list(clips), batch_first=True)
        return Batch(waveforms, lengths, targets_of(items, self.plan.answer), numbers_of(items))


def _moved(events: Iterable[Event], factor: float, later_seconds: float) -> tuple[Event, ...]:
    """Return events of a clip that was played slower by `factor` and then moved; what lies before its begin is gone."""
    spans = (
        (factor * event.onset_seconds + later_seconds, factor * event.offset_seconds + later_seconds, event.number)
        for event in events
    )
    return tuple(Event(max(onset, 0.0), offset, number) for onset, offset, number in spans if offset > 0)
