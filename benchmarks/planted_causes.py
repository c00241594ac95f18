"""What is planted: each case is a healthy run but for one thing, in its plan, its data or one component of the trainer.

A component is patched in a child process of its own, so the log stays one that the trainer really wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planted_controls import CORPORA as OTHERS
from benchmarks.planted_controls import with_noise
from benchmarks.planted_corpora import Change, Clip, copied


@dataclass(frozen=True)
class Case:
    """One planted cause, what it may be seen by, and what counts as naming it."""

    name: str
    corpus: str = "digits"
    plan: Mapping[str, Any] = field(default_factory=dict)
    data: Change | None = None
    component: Callable[[], None] | None = None
    symptoms: tuple[str, ...] = ()
    """Findings of which one has to be there."""
    causes: tuple[str, ...] = ()
    """Ids of which one has to come first."""


def shuffled_speakers(clips: list[Clip], random: np.random.Generator, _: Path) -> list[Clip]:
    """Split by clip, so that every speaker is on both sides."""
    held_out = set(random.permutation(len(clips))[: len(clips) // 3].tolist())
    return [replace(clip, split="val" if i in held_out else "train") for i, clip in enumerate(clips)]


def wrong_labels(clips: list[Clip], random: np.random.Generator, _: Path) -> list[Clip]:
    """Give four clips in ten the label of another class."""
    labels = sorted({clip.label for clip in clips})
    wrong = set(random.permutation(len(clips))[: int(0.4 * len(clips))].tolist())
    return [
        replace(clip, label=str(random.choice([x for x in labels if x != clip.label]))) if i in wrong else clip
        for i, clip in enumerate(clips)
    ]


def unrelated_labels(clips: list[Clip], random: np.random.Generator, _: Path) -> list[Clip]:
    """Deal the labels anew, as when a table was sorted without its other columns."""
    labels = random.permutation([clip.label for clip in clips])
    return [replace(clip, label=str(label)) for clip, label in zip(clips, labels, strict=True)]


def one_frequent_class(clips: list[Clip], random: np.random.Generator, _: Path) -> list[Clip]:
    """Keep every clip of one digit and one in twelve of the others."""
    frequent = str(random.integers(10))
    chosen = [clip for clip in clips if clip.label == frequent]
    for split in ("train", "val"):
        for label in sorted({clip.label for clip in clips} - {frequent}):
            there = [clip for clip in clips if clip.label == label and clip.split == split]
            chosen += [there[int(i)] for i in random.permutation(len(there))[: max(len(there) // 12, 1)]]
    return chosen


def double_speed_validation(clips: list[Clip], _: np.random.Generator, folder: Path) -> list[Clip]:
    """Declare twice the sample rate in the files of the validation part, as a careless conversion does."""
    target = folder / "clips"
    target.mkdir()
    twice = lambda samples, rate: (samples, 2 * rate)  # noqa: E731
    return [copied(clip, target, twice) if clip.split == "val" else clip for clip in clips]


def _patch_loss() -> None:
    """Compare every prediction with every label: (batch, 1) minus (batch,), the classic slip of a missing squeeze."""
    from engine.training import losses

    losses.mean_squared_error = lambda predictions, labels: (  # type: ignore[assignment]
        (predictions[:, None] - labels.to(predictions)[None, :]).square().mean()
    )


def _patch_softmax() -> None:
    """Hand probabilities to a loss that takes logits."""
    from engine.training.model import AudioModel

    original = AudioModel.head_forward
    AudioModel.head_forward = lambda self, *a, **k: original(self, *a, **k).softmax(-1)  # type: ignore[method-assign]


def _patch_sigmoid() -> None:
    """The same for one class or not."""
    from engine.training.model import AudioModel

    original = AudioModel.head_forward
    AudioModel.head_forward = lambda self, *a, **k: original(self, *a, **k).sigmoid()  # type: ignore[method-assign]


def _patch_batch_norm() -> None:
    """Put a pretrained, frozen normalisation before the head, and train with the statistics of each batch."""
    import torch
    from torch import nn

    from engine.training import run

    original = run.build_model

    def with_norm(*arguments: Any, **options: Any) -> Any:
        model = original(*arguments, **options)
        features = next(layer for layer in model.answer if isinstance(layer, nn.Linear)).in_features
        norm = nn.BatchNorm1d(features, affine=False, momentum=0.0)
        generator = torch.Generator().manual_seed(0)
        norm.running_mean = 2 * torch.randn(features, generator=generator)
        norm.running_var = torch.full((features,), 0.1)
        model.answer = nn.Sequential(norm, *model.answer)
        return model

    run.build_model = with_norm


def _patch_attention() -> None:
    """Give on what the wrapped projection says and leave the adapter out, as a backbone does that reads its weights."""
    from engine.training import run

    original = run.build_model

    def without_adapters(*arguments: Any, **options: Any) -> Any:
        model = original(*arguments, **options)
        for module in model.modules():
            if hasattr(module, "lora_A"):
                module.register_forward_hook(lambda wrapped, given, _: wrapped.base_layer(*given))
        return model

    run.build_model = without_adapters


_BROKEN: set[str] = set()


def one_broken_clip(clips: list[Clip], _: np.random.Generator, __: Path) -> list[Clip]:
    """Choose a training clip for `_patch_one_clip`: frames of a validation clip may be kept from another run."""
    _BROKEN.add(max(str(clip.path) for clip in clips if clip.split == "train"))
    return clips


def _patch_one_clip() -> None:
    """Let one clip come out of the reader as NaN, as dividing a silent clip by its peak does."""
    from engine.training.waveforms import Waveforms

    original = Waveforms.__getitem__

    def broken(self: Waveforms, region: Any) -> Any:
        sound = original(self, region)
        return sound * float("nan") if str(region.file) in _BROKEN else sound

    Waveforms.__getitem__ = broken  # type: ignore[method-assign]


def _patch_memory() -> None:
    """Have room for half of the longest clip."""
    from engine.training.model import AudioModel

    original = AudioModel.head_forward

    def limited(self: AudioModel, frames: Any, mask: Any) -> Any:
        if frames.shape[0] * frames.shape[1] > 250:
            raise RuntimeError("CUDA out of memory. Tried to allocate 3.91 GiB (a simulated limit)")
        return original(self, frames, mask)

    AudioModel.head_forward = limited  # type: ignore[method-assign]


class _HotSensor:
    """A GPU that works, and that its driver slows down for heat most of the time."""

    def __init__(self) -> None:
        self.read_before = 0

    def read(self) -> dict[str, float]:
        """Return what a hot card shows."""
        self.read_before += 1
        return {
            "gpu_utilisation": 97.0, "gpu_memory_used_gib": 20.0, "gpu_memory_total_gib": 24.0, "gpu_power_w": 310.0,
            "gpu_temperature_c": 84.0, "gpu_slowdown_c": 93.0, "gpu_shutdown_c": 98.0,
            "gpu_clocks_event_reasons": 0x20 if self.read_before % 4 else 0x0,
        }  # fmt: skip


def _patch_sensors() -> None:
    """Read a simulated sensor two hundred times a second."""
    from functools import partial

    from engine.training import run

    run.sensors_of = lambda _device: [_HotSensor()]  # type: ignore[assignment,list-item]
    run.Telemetry = partial(run.Telemetry, interval_seconds=0.005)  # type: ignore[assignment,misc]


def _patch_loader() -> None:
    """Make the reading of every clip slow, as from a disk over the network; the plan varies clips, so none is kept."""
    import time

    from engine.training.loader import Loader

    original = Loader.training_batch

    def slow(self: Loader, items: Any, epoch: int) -> Any:
        time.sleep(0.02)
        return original(self, items, epoch)

    Loader.training_batch = slow  # type: ignore[method-assign]


STRONG = {
    "head.dropout": 0.9, "training.weight_decay": 1.0, "training.label_smoothing": 0.6,
    "augmentation.strength": "strong",
}  # fmt: skip
SQUASHED = ("validation-loss-invalid", "underfitting", "early-plateau", "failure-to-learn")
SLOW = ("failure-to-learn", "learning-rate-too-low", "underfitting", "still-improving", "early-plateau")
BROKEN = ("divergence", "failure-to-learn", "learning-rate-too-high", "majority-class-collapse", "early-instability")
CASES = (
    Case("rate-too-high", plan={"training.learning_rate": 3.0}, symptoms=(*BROKEN, "loss-spikes", "noisy-validation"),
         causes=("rate.too-high",)),
    Case("rate-too-low", plan={"training.learning_rate": 1e-6}, symptoms=SLOW, causes=("rate.too-low",)),
    Case("no-warm-up", plan={"training.warmup_fraction": 0.0}, symptoms=("train.lr_warmup",),
         causes=("rate.no-warmup",)),
    Case("no-clipping-with-spikes", plan={"training.clip_norm": 0.0, "training.batch_size": 4,
         "training.optimizer": "sgd", "training.learning_rate": 0.03},
         symptoms=("train.grad_clip", "gradient-unstable", "loss-spikes"), causes=("gradients.unclipped",)),
    Case("leak", data=shuffled_speakers, symptoms=("group-overlap", "leakage-gain"), causes=("split.leak",)),
    Case("label-noise", data=wrong_labels, symptoms=("label-noise", "failure-to-learn"), causes=("labels.noisy",)),
    Case("unrelated-labels", data=unrelated_labels, symptoms=("failure-to-learn",),
         causes=("labels.unrelated",)),
    Case("wrong-loss", corpus="noise", data=with_noise, plan={"training.loss": "mse"}, component=_patch_loss,
         symptoms=("failure-to-learn", "regression-to-the-mean"), causes=("loss.wrong",)),
    Case("double-softmax", component=_patch_softmax, symptoms=SQUASHED, causes=("loss.double-squash",)),
    Case("double-sigmoid", plan={"training.loss": "binary-cross-entropy"}, component=_patch_sigmoid,
         symptoms=SQUASHED,
         causes=("loss.double-squash",)),
    Case("dead-adapter", corpus="adapters", component=_patch_attention, symptoms=("silent-tensors",),
         causes=("adapter.dead",)),
    Case("batch-norm-flipped", component=_patch_batch_norm, symptoms=("failure-to-learn", "majority-class-collapse",
         "overfitting", "noisy-validation", "best-at-first-evaluation", "underfitting", "worse-than-a-guess"),
         causes=("mode.differs",)),
    Case("wrong-selection-metric", corpus="noise", data=with_noise, plan={"evaluation.select_by": "loss"},
         symptoms=("train.selection_metric", "wrong-selection-metric"), causes=("selection.by-loss",)),
    Case("too-few-epochs", plan={"training.epochs": 4}, symptoms=("train.epochs_15", "still-improving"),
         causes=("duration.too-short",)),
    Case("over-regularised", plan=STRONG, symptoms=("too-much-regularisation", "underfitting", "failure-to-learn"),
         causes=("regularisation.too-strong",)),
    Case("imbalance", data=one_frequent_class, symptoms=("class-imbalance", "majority-class-collapse"),
         causes=("labels.imbalanced",)),
    Case("mismatched-sample-rate", data=double_speed_validation, symptoms=("mixed-sample-rate", "wrong-sample-rate"),
         causes=("audio.sample-rate",)),
    Case("nan-batch", data=one_broken_clip, component=_patch_one_clip, symptoms=("divergence",),
         causes=("data.broken-batch",)),
    Case("out-of-memory", corpus="scenes", component=_patch_memory, symptoms=("out-of-memory",),
         causes=("memory.long-clip",)),
    Case("throttling", component=_patch_sensors, symptoms=("gpu-throttled",), causes=("machine.heat",)),
    Case("slow-loader", plan={"augmentation.strength": "light"}, component=_patch_loader, symptoms=("loader-bound",),
         causes=("loader.slow",)),
    Case("features-cancelled", plan={"backbone.normalise": "clip"}, symptoms=("features-cancelled", "failure-to-learn"),
         causes=("features.cancelled",)),
)  # fmt: skip
TWINS = ("digits", "scenes")
"""What causes are planted into, as it is. The 250 rated utterances of speechocean762 (corpus scores) are no sound twin:
of new speakers a model of so few says next to nothing with some seeds (CCC 0.13 with seed 14)."""
CONTROLS = tuple(
    Case(f"healthy-{corpus}", corpus=corpus, data=with_noise if corpus == "noise" else None)
    for corpus in (*TWINS, *OTHERS)
)
