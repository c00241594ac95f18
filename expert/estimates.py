"""Estimates what a plan takes: clips that one pass holds on the GPU, and hours; reads facts, decides nothing.

Which facts each estimate needs stands in the vocabulary; the arithmetic is that of `engine.memory` and
`engine.duration`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.duration import Training, beside_seconds, gflop, learning_weights
from engine.memory import UNCERTAINTY, Method, clips_that_fit
from knowledge.cards import BackboneCard
from knowledge.records import Evidence, Fact
from knowledge.vocabulary import Entry, Estimated, Vocabulary

Lookup = Callable[[str], Fact | None]
_METHODS: dict[str, Method] = {
    "frozen": "frozen", "partial": "top", "lora": "adapters", "dora": "adapters", "full": "full",
}  # fmt: skip
_SPECTRAL = ("mfcc", "log-mel")
_RECOMPUTED = "gradient-checkpointing"
_DIVIDED = "fsdp"
_MOST_CORES = 16
"""More cores than this no longer make one training on a processor faster; experience."""


class _Known:
    """The values that one estimate may read, and those that it assumes."""

    def __init__(self, estimate: Estimated, lookup: Lookup) -> None:
        self._names = (*estimate.needs, *estimate.reads)
        self._lookup, self._assumed = lookup, estimate.assumes

    def __call__(self, name: str, otherwise: Any = None) -> Any:
        if name in self._assumed:
            return self._assumed[name]
        if name not in self._names:
            raise KeyError(f"an estimate reads {name}, which the vocabulary does not say")
        fact = self._lookup(name)
        return otherwise if fact is None else fact.value

    def reads(self, name: str) -> bool:
        """Say whether the estimate may read an attribute at all."""
        return name in self._assumed or name in self._names


def estimated(entry: Entry, lookup: Lookup, vocabulary: Vocabulary) -> Fact | None:
    """Return the estimate, or None while something that it needs is unknown."""
    estimate = entry.estimated
    if estimate is None or any(lookup(name) is None for name in estimate.needs):
        return None
    make = _pass_clips if estimate.what == "pass-clips" else _training_hours
    found = make(estimate, _Known(estimate, lookup), vocabulary)
    return None if found is None else Fact(entry.name, found[0], "rule", evidence=(Evidence(found[1]),))


def _card(known: _Known, vocabulary: Vocabulary) -> BackboneCard | None:
    checkpoint = known("backbone.checkpoint")
    return next((card for card in vocabulary.cards.values() if checkpoint and card.checkpoint == checkpoint), None)


def _pass_clips(estimate: Estimated, known: _Known, vocabulary: Vocabulary) -> tuple[int, str] | None:
    card, gib = _card(known, vocabulary), float(known("machine.gpu_memory_gib"))
    longest = known("dataset.duration_max_seconds")
    typical = known("dataset.duration_median_seconds") if "dataset.duration_median_seconds" in estimate.reads else None
    cropped = known("data.max_seconds") if "data.max_seconds" in estimate.reads else None
    is_divided = known.reads("compute.sharding") and known("compute.sharding") == _DIVIDED
    divided_by = max(1, int(known("machine.gpus", 1))) if is_divided else 1
    likely = min(estimate.assumed_seconds, estimate.assumed_medians * float(typical or "inf"))
    seconds = min(float(longest or likely), float(cropped or "inf"))
    if card is None or not gib > 0 or not seconds > 0:
        return None
    clips = clips_that_fit(
        card,
        _METHODS[known("adaptation.method")],
        gib=gib,
        seconds=seconds,
        share=estimate.share,
        precision="fp32" if known("training.precision") == "fp32" else "mixed",
        checkpointing=known.reads("training.memory_saver") and known("training.memory_saver") == _RECOMPUTED,
        divided_by=divided_by,
    )
    if clips is None:
        return None
    divided = f", layers that learn divided between {divided_by} GPUs" if divided_by > 1 else ""
    assumed = "" if longest or card.fixed_seconds else ", a length that is assumed"
    return clips, (
        f"estimate for {card.title} and clips of {card.fixed_seconds or seconds:.0f} s{assumed}{divided}; "
        f"a real run may need {UNCERTAINTY:.0%} more or less"
    )


def _training_hours(estimate: Estimated, known: _Known, vocabulary: Vocabulary) -> tuple[float, str] | None:
    card, spectral = _card(known, vocabulary), known("backbone.name") in _SPECTRAL
    training = _training(known, card)
    work = 0.0 if spectral else gflop(card, training) if card and training else None
    speed = _gflop_per_second(known)
    if training is None or work is None or (work > 0 and speed is None):
        return None
    reads_frames = known("head.name") == "temporal" and not known("machine.gpu")
    weights = learning_weights(card, training) if card and not spectral else 0.0
    beside = beside_seconds(training, spectral=spectral, reads_frames=reads_frames, weights=weights)
    network = work / speed if speed else 0.0
    seconds = max(network, beside) if known("machine.gpu") else network + beside  # beside a GPU, batches are made ready
    factor = float(known("machine.time_factor"))
    end = {"low": 1 / factor, "middle": 1.0, "high": factor}[estimate.end]
    times = f", {training.trainings} trainings" if training.trainings > 1 else ""
    share = ", for what a GPU reaches of its data sheet is experience, not measured" if known("machine.gpu") else ""
    return seconds * end / 3600, (
        f"{training.audio_seconds / 3600:.3g} h of sound, {training.epochs} epochs{times}{_operations(work)}; "
        f"the true figure may be {factor:g} times less or more{share}"
    )


def _operations(gflop: float) -> str:
    """Tell how much arithmetic it is, in a unit that leaves few digits."""
    for unit, size in (("EFLOP", 1e9), ("PFLOP", 1e6), ("TFLOP", 1e3)):
        if gflop >= size:
            return f", {gflop / size:.2g} {unit}"
    return ""


def _training(known: _Known, card: BackboneCard | None) -> Training | None:
    """What is trained on what; None while the amount of sound is unknown."""
    clips, seconds = int(known("dataset.clips")), _audio_seconds(known)
    if card is not None and card.fixed_seconds:
        seconds = clips * card.fixed_seconds
    if seconds is None:
        return None
    top, groups = int(known("adaptation.top_layers", 0)), known("dataset.groups")
    by_group = known("split.protocol") == "leave-one-group-out" and groups
    layers = card.shape.layers if card and card.shape else 0
    return Training(
        clips=clips,
        audio_seconds=seconds,
        epochs=int(known("training.epochs")),
        method=_METHODS[known("adaptation.method")],
        learning_share=min(1.0, top / layers) if top and layers else None,
        rate_khz=int(known("data.sample_rate_hz", 16000)) / 1000,
        varied=known("augmentation.strength", "none") != "none",
        recomputed=known("training.memory_saver") == _RECOMPUTED,
        trainings=int(groups) if by_group else 1,
    )


def _audio_seconds(known: _Known) -> float | None:
    """All clips together, cropped as the plan says."""
    clips, hours, typical = known("dataset.clips"), known("dataset.hours"), known("dataset.duration_median_seconds")
    if hours is None and typical is None:
        return None
    seconds = float(hours) * 3600 if hours is not None else clips * float(typical)
    most = known("data.max_seconds")
    return min(seconds, clips * float(most)) if most else seconds


def _gflop_per_second(known: _Known) -> float | None:
    """What the device does in a training."""
    each = float(known("machine.gflops"))
    if known("machine.gpu"):
        return each
    cores = known("machine.cpu_cores")
    return min(int(cores), _MOST_CORES) * each if cores else None
