"""Reads the plan's manifest into labelled clips and batches; it decides no split and trains nothing.

A row that cannot be used (no file, no label, a label that is no number, undecodable sound) is left out and named.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.event_metrics import Event
from engine.evidence.dataset.containers import truncation
from engine.evidence.dataset.manifest import read_dataset
from engine.evidence.dataset.paths import find_files
from engine.evidence.dataset.records import Dataset, Region, Row
from engine.plan import Answer, Plan
from engine.plan_sections import Augmentation
from knowledge.errors import InputError, UsageError

from .augmentation import Key, augment, moved, samples_at_speed, speed_number
from .event_rows import Events, clips_of_events, events_text
from .labels import alphabet_of, rarest, separator_of, tags_of, transcript_of
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
    """Labels by class number, or symbols with the blank in front; empty for regression."""
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
    dataset = _dataset(plan, fold_column)
    rows = dataset.rows
    events: Events = {}
    broken: dict[int, str] = {}
    if plan.answer == "events":
        rows, events, broken = clips_of_events(dataset, plan.data)
    references = _references(dataset, plan)
    reasons = {row.place: broken.get(row.place) or _reason(row, plan) for row in rows}
    if references is not None:
        reasons |= {row.place: reasons[row.place] or references[row.place][1] for row in rows}
    usable = [row for row in rows if not reasons[row.place]]
    left_out = tuple(LeftOut(row.path, row.line, reasons[row.place]) for row in rows if reasons[row.place])
    if not usable:
        raise InputError(f"{plan.data.manifest}: none of its {len(rows)} rows can be used; {left_out[0]}")
    said = {row.place: events[row.place][0] if events else _said(row, plan) for row in usable}
    if plan.answer == "tags":
        separator = separator_of((row.label for row in usable), plan.data.label_separator)
        said = {row.place: tags_of(row.label, separator) for row in usable}
    names = _names(said.values(), plan, classes)
    _check_labels(usable, said, names, plan)
    items = _items(usable, said, {place: spans for place, (_, spans) in events.items()}, names, plan)
    if references is not None:
        items = tuple(replace(item, reference=references[item.index][0]) for item in items)
    column = plan.data.quality_column
    if column is not None:
        qualities = [_number(cell) for cell in _cells(dataset, column, plan, "data.quality_column")]
        items = tuple(replace(item, quality=qualities[item.index]) for item in items)
    return Corpus(names, items, left_out)


def _references(dataset: Dataset, plan: Plan) -> list[tuple[Region | None, str]] | None:
    """Return the clean signal of every row, or why it has none; None where the plan names no column of them.

    Raises:
        UsageError: there is no such column.
    """
    column = plan.data.reference_column
    if column is None:
        return None
    cells = _cells(dataset, column, plan, "data.reference_column")
    files, _ = find_files(dataset.base, cells)
    return [
        (Region(Path(file)), "") if file is not None else (None, f"its reference {cell!r} is no file")
        for file, cell in zip(files, cells, strict=True)
    ]


def _cells(dataset: Dataset, column: str, plan: Plan, line: str) -> Sequence[str]:
    if column not in dataset.header:
        raise UsageError(
            f"{plan.data.manifest} has no column {column!r}, which {line} names",
            hint=f"Its columns are {', '.join(dataset.header)}.",
        )
    return dataset.cells[dataset.header.index(column)]


def _number(cell: str) -> float:
    """Return a quality; what is no finite number is worse than all others."""
    try:
        number = float(cell)
    except ValueError:
        return -math.inf
    return number if math.isfinite(number) else -math.inf


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
    if plan.answer in ("tags", "events"):  # none of them may be true
        return ""
    if not row.label or (plan.answer == "symbols" and not _said(row, plan)):
        return "it has no label"
    if plan.answer != "score":
        return ""
    if row.score is None:
        return f"its label {row.label!r} is no finite number"
    low, high = plan.output.low, plan.output.high
    if plan.output.bounded and low is not None and high is not None and not low <= row.score <= high:
        return f"its label {row.label} lies outside of the output range, {low:g} to {high:g}"
    return ""


def _said(row: Row, plan: Plan) -> tuple[str, ...]:
    """Return what a label consists of: its class, or the characters of a transcript."""
    if plan.answer == "symbols":
        return tuple(transcript_of(row.label, plan.data.transcripts == "plain"))
    return (row.label,) if plan.answer in ("class", "vector") else ()


def _names(said: Iterable[Sequence[str]], plan: Plan, classes: Sequence[str] | None) -> tuple[str, ...]:
    if classes or plan.answer == "score":
        return tuple(classes or ())
    if plan.answer == "symbols":
        return alphabet_of("".join(one) for one in said)
    return tuple(sorted({name for one in said for name in one}, key=_by_number))


def _check_labels(rows: Sequence[Row], said: Mapping[int, Sequence[str]], classes: Sequence[str], plan: Plan) -> None:
    if plan.answer in ("class", "vector") and len(classes) < 2:
        raise InputError(f"{plan.data.manifest}: the only label is {classes[0]!r}, expected at least two classes")
    if plan.answer in ("tags", "events") and not classes:
        raise InputError(f"{plan.data.manifest}: no row names a class")
    known = set(classes)
    for row in rows if plan.answer not in ("score", "symbols") else ():
        for name in said[row.place]:
            if name not in known:
                raise InputError(
                    f"{plan.data.manifest}:{row.line}: the label {name!r} is none that the model was trained on: "
                    f"{', '.join(classes)}"
                )


def _items(
    rows: Sequence[Row],
    said: Mapping[int, Sequence[str]],
    spans: Mapping[int, Sequence[tuple[float, float]]],
    classes: Sequence[str],
    plan: Plan,
) -> tuple[Item, ...]:
    place = {name: number for number, name in enumerate(classes)}
    numbers = {row.place: tuple(place[name] for name in said[row.place] if name in place) for row in rows}
    counts = Counter(number for own in numbers.values() for number in set(own))
    return tuple(
        _with_answers(_item(row, _target(row, numbers[row.place], counts, plan), plan), numbers, spans, classes, plan)
        for row in rows
    )


def _target(row: Row, numbers: Sequence[int], counts: Counter[int], plan: Plan) -> float:
    if plan.answer == "score":
        assert row.score is not None
        return row.score
    if plan.answer == "symbols":
        return float(len(numbers))
    return float(rarest(numbers, counts, none=len(counts)))


def _item(row: Row, target: float, plan: Plan) -> Item:
    assert row.region is not None
    group = row.group if plan.data.group_column is not None else ""
    return Item(row.place, row.path, row.region, row.label, target, group, row.split, row.fold, row.line)


def _with_answers(
    item: Item,
    numbers: Mapping[int, tuple[int, ...]],
    spans: Mapping[int, Sequence[tuple[float, float]]],
    classes: Sequence[str],
    plan: Plan,
) -> Item:
    own = numbers[item.index]
    if plan.answer == "events":
        events = tuple(Event(*span, number) for span, number in zip(spans[item.index], own, strict=True))
        return replace(item, label=events_text(events, classes), events=events)
    return replace(item, numbers=own) if plan.answer in ("tags", "symbols") else item


def _by_number(label: str) -> tuple[bool, float, str]:
    """Order class names as numbers where they are whole numbers, else by name."""
    number = label.isdecimal()
    return (not number, float(label) if number else 0.0, label)


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
