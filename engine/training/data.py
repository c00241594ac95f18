"""Reads the plan's manifest into labelled clips and batches; it decides no split and trains nothing.

A row that cannot be used (no file, no label, a label that is no number, undecodable sound) is left out and named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine.evidence.dataset.containers import truncation
from engine.evidence.dataset.manifest import read_dataset
from engine.evidence.dataset.records import Dataset, Region, Row
from engine.plan import Plan
from knowledge.errors import InputError, PlanError

from .augmentation import augment
from .model import Batch
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
    """Number of its class, or its score."""
    group: str
    """Empty where the plan names no group column."""
    split: str
    fold: str
    line: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that cannot be used, and why."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" + (f" (line {self.line})" if self.line else "")


@dataclass(frozen=True)
class Corpus:
    """The labelled clips of a manifest."""

    classes: tuple[str, ...]
    """Labels by class number; empty for regression."""
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...]


def read_corpus(plan: Plan, *, fold_column: str | None = None, classes: Sequence[str] | None = None) -> Corpus:
    """Read the manifest of the plan; opens no audio.

    Args:
        plan: names the manifest and its columns.
        fold_column: column that says which fold a clip belongs to.
        classes: the classes of a trained model, which all labels must be among; None takes them from the labels.

    Raises:
        InputError: the manifest cannot be read, no row can be used, or a label is none of `classes`.
        UsageError: a named column does not exist.
        PlanError: the trainer cannot run this task.
    """
    if plan.task.type not in ("classification", "regression"):
        raise PlanError(f"task.type is {plan.task.type}: this trainer runs classification and regression only")
    dataset = _dataset(plan, fold_column)
    reasons = [_reason(row, plan) for row in dataset.rows]
    usable = [(index, row) for index, row in enumerate(dataset.rows) if not reasons[index]]
    left_out = tuple(
        LeftOut(row.path, row.line, reason) for row, reason in zip(dataset.rows, reasons, strict=True) if reason
    )
    if not usable:
        raise InputError(f"{plan.data.manifest}: none of its {len(reasons)} rows can be used; {left_out[0]}")
    names: tuple[str, ...] = ()
    if plan.task.type == "classification":
        names = tuple(classes) if classes else tuple(sorted({row.label for _, row in usable}, key=_by_number))
        _check_labels(usable, names, plan)
    items = tuple(_item(index, row, names, plan) for index, row in usable)
    return Corpus(names, items, left_out)


def _dataset(plan: Plan, fold_column: str | None) -> Dataset:
    data = plan.data
    return read_dataset(
        Path(data.manifest),
        path=None if Path(data.manifest).is_dir() else data.path_column,
        label=None if Path(data.manifest).is_dir() else data.label_column,
        group=data.group_column,
        split=data.split_column,
        fold=fold_column,
        audio_root=Path(data.audio_root) if data.audio_root else None,
        task="regression" if plan.task.type == "regression" else "classification",
    )


def _reason(row: Row, plan: Plan) -> str:
    """Say why a row cannot be used; empty when it can."""
    if row.region is None:
        return "there is no such file"
    if not row.label:
        return "it has no label"
    if plan.task.type == "classification":
        return ""
    if row.score is None:
        return f"its label {row.label!r} is no finite number"
    low, high = plan.output.low, plan.output.high
    if plan.output.bounded and low is not None and high is not None and not low <= row.score <= high:
        return f"its label {row.label} lies outside of the output range, {low:g} to {high:g}"
    return ""


def _check_labels(usable: Sequence[tuple[int, Row]], classes: Sequence[str], plan: Plan) -> None:
    if len(classes) < 2:
        raise InputError(f"{plan.data.manifest}: the only label is {classes[0]!r}, expected at least two classes")
    for _, row in usable:
        if row.label not in classes:
            raise InputError(
                f"{plan.data.manifest}:{row.line}: the label {row.label!r} is none that the model was trained on: "
                f"{', '.join(classes)}"
            )


def _item(index: int, row: Row, classes: Sequence[str], plan: Plan) -> Item:
    assert row.region is not None
    target = float(classes.index(row.label)) if classes else row.score
    assert target is not None
    group = row.group if plan.data.group_column is not None else ""
    return Item(index, row.path, row.region, row.label, target, group, row.split, row.fold, row.line)


def _by_number(label: str) -> tuple[bool, float, str]:
    """Order class names as numbers where they are whole numbers, else by name."""
    number = label.isdecimal()
    return (not number, float(label) if number else 0.0, label)


def check_classes(train: Sequence[Item], others: Iterable[Item], classes: Sequence[str]) -> None:
    """Refuse to train when a class has no training clip: the model could never answer it.

    Raises:
        InputError: naming the classes.
    """
    missing = set(range(len(classes))) - {int(item.target) for item in train}
    if missing:
        names = ", ".join(classes[number] for number in sorted(missing))
        elsewhere = sum(int(item.target) in missing for item in others)
        raise InputError(
            f"no training clip has the label {names} ({elsewhere} clips elsewhere have it)",
            hint="Divide the data so that every class is in training, or take those clips out of the manifest.",
        )


def class_shares(items: Sequence[Item], classes: int) -> Tensor:
    """Return (classes,): the share of the clips that each class has."""
    return torch.bincount(torch.tensor([int(item.target) for item in items]), minlength=classes) / len(items)


def damaged(items: Iterable[Item]) -> list[str]:
    """Name the files that decode and are yet shorter than their container says."""
    return [f"{item.path}: {reason}" for item in items if (reason := truncation(item.region.file))]


@dataclass(frozen=True)
class Loader:
    """Makes batches of waveforms. What is in a batch follows from its items, the epoch and the seed alone."""

    waveforms: Waveforms
    plan: Plan

    def training_batch(self, items: Sequence[Item], epoch: int) -> Batch:
        """Return augmented clips; longer ones are cut to a random stretch of `data.max_seconds`."""
        seed, rate = self.plan.training.seed, self.plan.data.sample_rate_hz
        clips = []
        for item in items:
            key = (seed, epoch, item.index)
            clip = self._cut(self.waveforms[item.region], np.random.default_rng([*key, 1]).random())
            clips.append(augment(clip, rate, self.plan.augmentation, key))
        return self._padded(clips, items)

    def evaluation_batch(self, items: Sequence[Item]) -> Batch:
        """Return clips as they are; longer ones are cut to the stretch of `data.max_seconds` in their middle."""
        return self._padded([self._cut(self.waveforms[item.region], 0.5) for item in items], items)

    def samples(self, item: Item) -> int:
        """Return the length of a clip before augmentation."""
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

    def _cut(self, clip: Tensor, place: float) -> Tensor:
        longest = self._longest()
        start = int(place * (len(clip) - longest + 1)) if len(clip) > longest else 0
        return clip[start : start + longest]

    def _padded(self, clips: Sequence[Tensor], items: Sequence[Item]) -> Batch:
        lengths = torch.tensor([len(clip) for clip in clips])
        waveforms = torch.nn.utils.rnn.pad_sequence(list(clips), batch_first=True)
        return Batch(waveforms, lengths, targets_of(items, self.plan.task.type), numbers_of(items))


def targets_of(items: Sequence[Item], task: Literal["classification", "regression", "ctc", "detection"]) -> Tensor:
    """Return (batch,) class numbers as long, or scores as float."""
    return torch.tensor(
        [item.target for item in items], dtype=torch.long if task == "classification" else torch.float32
    )


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
    return digest.hexdigest()
