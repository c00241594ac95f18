"""The model that a plan describes: encoder, layer mix, temporal layers, pooling and head. It never decides or trains.

A waveform becomes frames in the encoder (a spectral front end or a pretrained backbone) and one answer in the head.
The two halves meet at `encode`, so that the frames of a frozen encoder can be computed once and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.plan import Plan
from engine.plan_sections import Training
from knowledge.errors import InputError, PlanError

from .augmentation import copies_of_classes
from .backbones import PretrainedEncoder
from .foreign import ForeignEncoder
from .frame_answers import packed
from .frontends import SpectralFrontEnd
from .heads import BoundedOutput, LayerMix, StandardisedOutput, TemporalEncoder, UnitLength, answer_layers
from .padding import frame_mask
from .pooling import MeanPooling, PooledScale, StatisticsPooling, make_pooling
from .sharding import divided_state, whole
from .spec_augment import Masking

STRIDE_ABOVE_HZ = 80
"""Frames closer than this are halved before the recurrent layer: 10 ms frames overlap by more than half."""


@dataclass(frozen=True)
class Batch:
    """Clips of unequal length, padded with zeros: either waveforms, or the frames that `encode` gave for them."""

    waveforms: Tensor | None
    """(batch, samples) float, at the sample rate of the plan."""
    lengths: Tensor | None
    """(batch,) long, samples of each clip."""
    labels: Tensor
    """As `data.targets_of` gives them: (batch,) for a class or score, (batch, most, ...) for several of a clip."""
    indices: Tensor
    """(batch,) long, the clip's number in the manifest."""
    features: Tensor | None = None
    """(batch, tokens, features), as `AudioModel.prefix` returned them; `lengths` are still those of the waveforms."""
    frame_lengths: Tensor | None = None
    """(batch,) long, tokens of each clip."""

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on `device`."""
        if self.labels.device == torch.device(device):
            return self
        tensors = {name: value for name, value in vars(self).items() if value is not None}
        return replace(self, **{name: value.to(device, non_blocking=True) for name, value in tensors.items()})


class AudioModel(nn.Module):
    """Encoder and head of one plan. A clip's answer does not depend on its neighbours in the batch or on padding."""

    def __init__(
        self,
        encoder: SpectralFrontEnd | PretrainedEncoder | ForeignEncoder,
        mix: nn.Module,
        temporal: TemporalEncoder | None,
        pooling: nn.Module | None,
        scale: PooledScale | None,
        answer: nn.Module,
        output: nn.Module,
        frame_seconds: float = 0.0,
        paired: bool = False,
        frames_vary: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.mix = mix
        self.temporal = temporal
        self.pooling = pooling
        """None where every frame has an answer of its own."""
        self.frame_seconds = frame_seconds
        """Between two answers of one clip."""
        self.scale = scale
        self.answer = answer
        self.output = output
        self.frames_vary = frames_vary
        """Whether frames of kept takes are silenced or mixed, so that their mean alone would not do."""
        self.paired = paired
        """Whether every clip comes with its reference, in the second half of the rows."""
        self.encoder_is_frozen = not any(parameter.requires_grad for parameter in encoder.parameters())
        """True when `encode` gives the same frames in every epoch, so that they may be kept."""

    @property
    def needs_normalisation(self) -> bool:
        """True when `fit_normalisation` must see the training clips before the first `encode`."""
        front_end = isinstance(self.encoder, SpectralFrontEnd) and self.encoder.needs_fit
        return front_end or (self.scale is not None and not bool(self.scale.fitted))

    def fit_normalisation(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """Set mean and deviation of each feature, and of each pooled value, from the training clips.

        `batches` gives them anew at each call: pooled values can be measured only once the features are fitted.
        """
        if isinstance(self.encoder, SpectralFrontEnd) and self.encoder.normalise == "corpus":
            self.encoder.fit(_waveforms(batch) for batch in batches())
        if self.scale is not None and self.pooling is not None:
            with torch.no_grad():
                self.scale.fit(torch.cat([self._pooled(batch) for batch in batches()]))

    def _pooled(self, batch: Batch) -> Tensor:
        frames, mask = self.encode(batch)
        assert self.pooling is not None, "asked for where there is one"
        pooled: Tensor = self.pooling(self._joined(frames), mask)
        return pooled

    def prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what the encoder computes alike in every epoch, (batch, tokens, features), and each clip's tokens.

        Of a frozen encoder these are the frames; of one that learns, what goes into its first part that does.
        """
        waveforms, lengths = _waveforms(batch)
        if isinstance(self.encoder, PretrainedEncoder):
            return self.encoder.prefix(waveforms, lengths)
        with torch.no_grad():
            frames, mask = self.encoder(waveforms, lengths)
        return frames, mask.sum(1)

    def encode(self, batch: Batch, masking: Masking | None = None) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features) and their mask (batch, frames); True is a frame of the clip.

        Of clips with a reference, frames of both lie side by side, as far as both go. Given tokens of the prefix are
        gone on from. A frozen encoder builds no gradient graph and stays in evaluation mode.

        Args:
            batch: waveforms, or what `prefix` gave for them.
            masking: what is hidden from the layers that learn; None hides nothing.
        """
        frames, mask = self._encoded(batch, masking)
        if not self.paired:
            return frames, mask
        (degraded, reference), (own, other) = frames.chunk(2), mask.chunk(2)
        return torch.cat([degraded, reference], -1), own & other

    def _encoded(self, batch: Batch, masking: Masking | None) -> tuple[Tensor, Tensor]:
        if batch.features is not None:
            if not self.encoder_is_frozen:
                encoder = cast(PretrainedEncoder, self.encoder)
                return encoder.rest(batch.features, cast(Tensor, batch.lengths), masking)
            return batch.features, frame_mask(cast(Tensor, batch.frame_lengths), batch.features.shape[1])
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.encoder_is_frozen):
            hides = {} if self.encoder_is_frozen else {"masking": masking}
            frames, mask = self.encoder(*_waveforms(batch), **hides)
            return frames, mask

    @property
    def has_prefix(self) -> bool:
        """True when there is something that every epoch computes alike, which may be kept."""
        return self.encoder_is_frozen or isinstance(self.encoder, PretrainedEncoder)

    @property
    def reads_means_only(self) -> bool:
        """True when the mean over a clip's frames is all that the head reads of a frozen encoder.

        A mix of layers and a mean over frames may change places, so one vector of all layers stands for the clip.
        """
        means = self.temporal is None and isinstance(self.pooling, MeanPooling)
        return self.encoder_is_frozen and means and not self.paired and not self.frames_vary

    def head_forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return class scores (batch, classes), predictions (batch,) in the unit of the label, or packed answers."""
        frames = self._joined(frames)
        if self.temporal is not None:
            frames, mask = self.temporal(frames, mask)
        if self.pooling is None:
            scores = self.answer(frames)
            return packed(scores.to(torch.promote_types(scores.dtype, torch.float32)), mask)
        pooled = self.pooling(frames, mask)
        answers = self.answer(pooled if self.scale is None else self.scale(pooled))
        # At least float32: bfloat16 has steps of 0.016 at a score of 4.
        return cast(Tensor, self.output(answers.to(torch.promote_types(answers.dtype, torch.float32))))

    def _joined(self, frames: Tensor) -> Tensor:
        """Mix the layers; of clips with a reference, both signals and how far they are apart stand side by side."""
        if not self.paired:
            mixed: Tensor = self.mix(frames)
            return mixed
        degraded, reference = (self.mix(half) for half in frames.chunk(2, -1))
        return torch.cat([degraded, reference, (degraded - reference).abs()], -1)

    def answer_frames(self, samples: Tensor) -> Tensor:
        """Return (clips,): the answers that clips of these samples get, where every frame has one of its own."""
        frames = self.encoder.frame_counts(samples)
        stride = 1 if self.temporal is None else self.temporal.stride
        return torch.div(frames + stride - 1, stride, rounding_mode="floor")

    def forward(self, batch: Batch) -> Tensor:
        """Return what `head_forward` does."""
        return self.head_forward(*self.encode(batch))

    def parameter_groups(self, training: Training) -> list[dict[str, Any]]:
        """Return optimiser groups: head, adapter and backbone, each with its own learning rate.

        Biases and norms are not decayed (S001-27): shrinking them moves the activations, not the capacity.
        """
        rates = {
            "head": training.learning_rate,
            "adapter": training.learning_rate,
            "backbone": training.backbone_learning_rate,
        }
        groups: dict[str, dict[str, Any]] = {}
        for name, parameter in self.named_parameters():
            if not parameter.requires_grad:
                continue
            part = _part_of(name)
            decays = training.weight_decay > 0 and not _is_bias_or_norm(name, parameter)
            key = part if decays or not training.weight_decay else f"{part}-no-decay"
            decay = training.weight_decay if decays else 0.0
            empty = {"params": [], "lr": rates[part], "weight_decay": decay, "name": key}
            groups.setdefault(key, empty)["params"].append(parameter)
        return list(groups.values())

    def trainable_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must keep: trained tensors and normalisation buffers, on the CPU.

        The weights of a frozen backbone are not among them; they come from its own checkpoint.
        """
        return {name: whole(value.detach()).cpu().clone() for name, value in self._kept().items()}

    def load_trainable_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what `trainable_state` returned.

        Raises:
            InputError: names or shapes differ, so the checkpoint belongs to another plan.
        """
        own = self._kept()
        wrong = sorted(set(own) ^ set(state)) or sorted(n for n in own if own[n].shape != state[n].shape)
        if wrong:
            raise InputError(
                f"the checkpoint does not fit this plan: {len(wrong)} tensors differ, among them {wrong[0]}",
                hint="Resume and evaluate with the plan.yaml that lies beside the checkpoint.",
            )
        self.load_state_dict(divided_state(own, state), strict=False)

    def _kept(self) -> dict[str, Tensor]:
        # A large frozen network is not walked through: at each save that would cost as much as a small head's epoch.
        skipped = self.encoder if self.encoder_is_frozen else None
        trained = {
            f"{name}.{own}": parameter
            for name, part in self.named_children()
            if part is not skipped
            for own, parameter in part.named_parameters()
            if parameter.requires_grad
        }
        following = {part for name in _FOLLOWING if isinstance(part := getattr(self.encoder, name, None), nn.Module)}
        return trained | {
            f"{prefix}.{name}".lstrip("."): buffer
            for prefix, part in self.named_modules(memo=following)
            for name, buffer in part.named_buffers(recurse=False)
            if name not in part._non_persistent_buffers_set
        }


_FOLLOWING = ("network", "spectrum")
"""Parts of an encoder whose buffers follow from the plan or from the backbone's own checkpoint."""


def build_model(
    plan: Plan, *, classes: int | None = None, label_mean: float = 0.0, label_std: float = 1.0, seed: int = 0
) -> AudioModel:
    """Build the model of a plan; equal seeds give equal weights, and the caller's random state is left alone.

    Args:
        plan: what to build.
        classes: number of classes, or of symbols with the blank; None for regression.
        label_mean: mean of the training labels; predictions start there.
        label_std: standard deviation of the training labels.
        seed: of everything that starts random.

    Raises:
        PlanError: the trainer cannot run this plan.
        InputError: the backbone's checkpoint cannot be loaded.
    """
    if (plan.answer == "score") != (classes is None):
        raise PlanError(f"task.type is {plan.task.type}, got {classes} classes")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # weights are drawn on the CPU; torch.manual_seed would reach GPUs
        return _build(plan, classes, label_mean, label_std)


def _build(plan: Plan, classes: int | None, label_mean: float, label_std: float) -> AudioModel:
    encoder: SpectralFrontEnd | PretrainedEncoder | ForeignEncoder
    if plan.backbone.is_own:
        encoder = ForeignEncoder(plan.backbone, plan.adaptation, plan.data.sample_rate_hz)
    elif plan.backbone.name in ("mfcc", "log-mel"):
        encoder = SpectralFrontEnd(plan.backbone, plan.data.sample_rate_hz)
    else:
        recomputes = plan.training.memory_saver == "gradient-checkpointing"
        encoder = PretrainedEncoder(plan.backbone, plan.adaptation, plan.data.sample_rate_hz, recomputes=recomputes)
    mix = LayerMix(encoder.layers) if encoder.layers > 1 else nn.Identity()
    width, frame_seconds = encoder.features // encoder.layers, encoder.frame_seconds
    paired = plan.data.reference_column is not None
    varied = plan.augmentation
    frames_vary = bool(varied.views) and varied.strength != "none" and {varied.masking, varied.mixing} != {"avoid"}
    width *= 3 if paired else 1
    temporal = None
    if plan.head.name == "temporal":
        stride = 2 if 1 / frame_seconds > STRIDE_ABOVE_HZ else 1
        temporal = TemporalEncoder(width, plan.head.hidden, stride, plan.head.dropout)
        width, frame_seconds = temporal.features, frame_seconds * stride
    in_time = plan.answer in ("symbols", "events")
    pooling = None if in_time else make_pooling(plan.pooling, width, frame_seconds)
    # Only where nothing below the head learns or is pretrained can pooled values be measured once and for all.
    fixed = isinstance(encoder, SpectralFrontEnd) and isinstance(pooling, MeanPooling | StatisticsPooling)
    scale = PooledScale(pooling.features) if fixed and pooling is not None and temporal is None else None
    read = width if pooling is None else pooling.features
    outputs = classes or 1
    if plan.answer == "class":
        outputs *= copies_of_classes(plan.augmentation)
    answer = answer_layers(plan.head, read, outputs)
    if plan.answer == "vector":
        answer = nn.Sequential(UnitLength(), nn.Linear(read, plan.training.pair_features))
    output: nn.Module = nn.Identity()
    if plan.output.bounded and plan.task.type == "regression":
        output = BoundedOutput(cast(float, plan.output.low), cast(float, plan.output.high))
        output.start_at(label_mean, cast(nn.Linear, answer[-1]))
    elif plan.task.type == "regression":
        output = StandardisedOutput(label_mean, label_std)
    return AudioModel(encoder, mix, temporal, pooling, scale, answer, output, frame_seconds, paired, frames_vary)


def _waveforms(batch: Batch) -> tuple[Tensor, Tensor]:
    if batch.waveforms is None or batch.lengths is None:
        raise ValueError("the batch holds frames; this needs waveforms and their lengths")
    return batch.waveforms, batch.lengths


def _part_of(name: str) -> str:
    if not name.startswith("encoder."):
        return "head"
    return "adapter" if "lora_" in name else "backbone"


def _is_bias_or_norm(name: str, parameter: Tensor) -> bool:
    # original0 is the gain of a weight-normalised convolution.
    return parameter.ndim <= 1 or name.endswith(".original0")
