"""Labelled clips and what is asked of them together: classes, targets, shares, a hash; reads no manifest, no sound."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.event_metrics import Event
from engine.evidence.dataset.containers import truncation
from engine.evidence.dataset.records import Region
from engine.plan import Answer
from knowledge.errors import InputError

from .waveforms import Waveforms


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled clip."""

    index: int
    """Number of its row in the manifest: what augmentation is keyed by."""
    path: str
    """As written in the manifest."""
    region: Region
    """The file, or the part of one, that is its sound."""
    label: str
    target: float
    """Number of its class, or its score; of several classes the rarest, and of a transcript its length."""
    group: str
    """Empty where the plan names no group column."""
    split: str
    fold: str
    line: int
    numbers: tuple[int, ...] = ()
    """Its classes where it may have several, or the symbols of its transcript in order."""
    events: tuple[Event, ...] = ()
    reference: Region | None = None
    """The clean signal, where the plan names a column of them."""
    quality: float = -math.inf
    """The higher the better, where the plan names a column of it."""

    @property
    def regions(self) -> tuple[Region, ...]:
        """Everything of it that is decoded."""
        return (self.region,) if self.reference is None else (self.region, self.reference)


def check_classes(train: Sequence[Item], others: Iterable[Item], classes: Sequence[str]) -> None:
    """Refuse to train when a class has no training clip: the model could never answer it.

    Raises:
        InputError: naming the classes.
    """
    missing = set(range(len(classes))).difference(*map(_classes_of, train))
    if missing:
        names = ", ".join(classes[number] for number in sorted(missing))
        elsewhere = sum(bool(missing & _classes_of(item)) for item in others)
        raise InputError(
            f"no training clip has the label {names} ({elsewhere} clips elsewhere have it)",
            hint="Divide the data so that every class is in training, or take those clips out of the manifest.",
        )


def _classes_of(item: Item) -> set[int]:
    return set(item.numbers) | {event.number for event in item.events} or {int(item.target)}


def class_shares(items: Sequence[Item], classes: int) -> Tensor:
    """Return (classes,): the share of the clips that each class has; of several classes a clip, more than 1."""
    counts = Counter(number for item in items for number in _classes_of(item))
    return torch.tensor([counts[number] for number in range(classes)]) / len(items)


def damaged(items: Iterable[Item]) -> list[str]:
    """Name the files that decode and are yet shorter than their container says."""
    return [f"{item.path}: {reason}" for item in items if (reason := truncation(item.region.file))]


def targets_of(items: Sequence[Item], answer: Answer) -> Tensor:
    """Return what a loss compares with.

    (batch,) class numbers as long, or scores as float; (batch, most) long numbers of all classes, or of the symbols in
    order, and then -1; (batch, most, 3) float begin, end and class of events, and then -1.
    """
    if answer in ("class", "vector", "score"):
        kind = torch.float32 if answer == "score" else torch.long
        return torch.tensor([item.target for item in items], dtype=kind)
    if answer == "events":
        rows = [
            torch.tensor([[e.onset_seconds, e.offset_seconds, e.number] for e in item.events]).reshape(-1, 3)
            for item in items
        ]
    else:
        rows = [torch.tensor(item.numbers, dtype=torch.long) for item in items]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1)


def numbers_of(items: Sequence[Item]) -> Tensor:
    """Return (batch,) long: the rows of the manifest."""
    return torch.tensor([item.index for item in items])


def data_digest(parts: Iterable[tuple[str, Sequence[Item]]], waveforms: Waveforms) -> str:
    """Return a hash over which clips are in which part, their labels and their sound."""
    digest = hashlib.sha256()
    for name, items in parts:
        for item in items:
            sound = waveforms.sounds[item.region].digest
            digest.update("\0".join((name, item.path, item.label, item.group, sound, "\n")).encode())
            if math.isfinite(item.quality):
                digest.update(repr(item.quality).encode())
            if item.reference is not None:
                digest.update(waveforms.sounds[item.reference].digest.encode())
    return digest.hexdigest()
