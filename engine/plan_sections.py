"""The sections of a plan, one model each; how they fit together is said by `engine.plan`. Torch-free, decides nothing.

Defaults are those of the data model (off, or the neutral choice), not advice: advice comes from the rulebooks.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

OffIsZero = BeforeValidator(lambda value: 0 if value in (None, False, "off", "none") else value)
"""`null`, `off` and `none` are written by people for "not used"; the plan stores 0."""


OWN_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""`package.module:Class`, an encoder of the user's own."""


def _known_or_own(value: Any, known: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, str) and OWN_CLASS.fullmatch(value) else known(value)


def _or_own(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema too that a class may be named."""
    names = {"enum": schema.pop("enum"), "type": schema.pop("type", "string")}
    schema["anyOf"] = [names, {"type": "string", "pattern": f"^{OWN_CLASS.pattern}$"}]


class Section(BaseModel):
    """What all sections share: no unknown keys, no changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(Section):
    """What is predicted."""

    type: Literal["classification", "regression", "ctc", "detection"]
    """`ctc` spells what is said; `detection` finds events with their begin and end."""
    labels: Literal["one", "several"] = "one"
    """Whether a clip has one class, or any number of them; classification only."""


class Data(Section):
    """Where the clips are and how they are split."""

    manifest: str
    """CSV or TSV, or a folder of class folders; relative paths are relative to plan.yaml."""
    audio_root: str | None = None
    """Folder that clip paths are relative to; default: the manifest's own folder."""
    path_column: str = "path"
    label_column: str = "label"
    """A class, a score, several classes, a transcript, or the class of the event that the row names."""
    label_separator: str | None = Field(None, min_length=1)
    """What stands between the classes of one clip; null takes the first of ; | , that any label holds."""
    onset_column: str = "onset"
    offset_column: str = "offset"
    """Begin and end of an event in seconds; detection only, where every row is an event, or a clip without any."""
    transcripts: Literal["plain", "as-written"] = "plain"
    """`plain`: small letters, digits and apostrophes with single blanks; what is said and not how it is written."""
    reference_column: str | None = Field(None, exclude_if=lambda value: value is None)
    """The clean signal that each clip is compared with; both are heard, moment by moment, and are to begin together."""
    quality_column: str | None = Field(None, exclude_if=lambda value: value is None)
    """How good each clip is, the higher the better, such as its SNR; a cell that is no finite number is the worst."""
    group_column: str | None = None
    split_column: str | None = None
    protocol: Literal["given-split", "group-disjoint-split", "leave-one-group-out", "random-stratified-split"] = (
        "given-split"
    )
    sample_rate_hz: int = Field(16000, ge=4000, le=192000)
    validation_share: float = Field(0.15, gt=0, lt=1)
    """Share of the training part held out for validation when the split has none; by group where there are groups."""
    test_share: float = Field(0.15, ge=0, lt=1)
    """Share held out for test when there is no split column."""
    split_seed: int | None = Field(None, ge=0, exclude_if=lambda value: value is None)
    """What the parts are drawn by; null is training.seed. With it, several seeds are scored on the same clips."""
    max_seconds: float | None = Field(None, gt=0)
    """Longer clips are cropped: at random in training, at the centre in evaluation.

    Where moments count they are cropped in training alone, and with transcripts left out of it: half a clip says half.
    """


class Augmentation(Section):
    """How training clips are varied; each operation is keyed by (seed, epoch, clip, operation).

    `strength` says how far; for each operation `use` goes as far, `mild` as far as light, `avoid` leaves it out.
    """

    strength: Literal["none", "light", "strong"] = "none"
    speed: Literal["use", "mild", "avoid", "new-class"] = "use"
    """`new-class`: at 0.9 or 1.1 times the speed a clip has another class, which training alone knows;
    of speakers. Where a clip has no single class, its speed stays."""
    shift: Literal["use", "mild", "avoid"] = "use"
    gain: Literal["use", "mild", "avoid"] = "use"
    added_noise: Literal["use", "mild", "avoid"] = "use"
    reverberation: Literal["use", "mild", "avoid"] = "avoid"
    filtering: Literal["use", "mild", "avoid"] = "avoid"
    """A narrower band; mild, a few decibels between deep and high frequencies."""
    clipping: Literal["use", "mild", "avoid"] = "avoid"
    gaps: Literal["use", "mild", "avoid"] = "avoid"
    mixing: Literal["use", "mild", "avoid"] = "avoid"
    """Two clips of a batch and their labels."""
    masking: Literal["use", "mild", "avoid"] = "use"
    """Frames, and when strong features, are silenced (SpecAugment)."""
    views: Annotated[int, OffIsZero] = Field(0, ge=0)
    """Takes of each clip that epochs show in turn, so that a frozen part sees each once; 0: each epoch varies anew."""
    mask_share: float = Field(0.0, ge=0, le=1)
    """Share of the frames that are hidden from a backbone that learns; wav2vec2, hubert, wavlm and w2v-bert only."""
    mask_most: float = Field(0.15, ge=0, le=1)
    """Largest share of a clip that is hidden, however short it is."""


class Backbone(Section):
    """The front end that turns a waveform into frame vectors."""

    name: Annotated[
        Literal["mfcc", "log-mel", "wav2vec2", "hubert", "wavlm", "ast", "whisper", "w2v-bert"],
        WrapValidator(_known_or_own),
        PlainSerializer(str, return_type=str),
    ] = Field("mfcc", json_schema_extra=_or_own)
    """Or `package.module:Class`, an encoder of your own (docs/training.md)."""
    checkpoint: str | None = None
    """Hub name or local folder; pretrained backbones only."""
    mels: int = Field(40, ge=8, le=256)
    coefficients: int = Field(20, ge=4, le=128)
    """MFCC only."""
    deltas: bool = True
    """Append first and second differences; MFCC only."""
    window_seconds: float = Field(0.025, gt=0)
    hop_seconds: float = Field(0.010, gt=0)
    normalise: Literal["none", "clip", "corpus"] = "corpus"
    """Zero mean and unit variance of each feature over the clip, or over the training clips; mfcc and log-mel only."""
    layers: Literal["last", "weighted-sum"] = "last"
    fill: Literal["window", "clip"] = "window"
    """AST and Whisper only: fill short clips up to the window of pretraining, or read them as they are."""

    @property
    def is_own(self) -> bool:
        """Whether the user's own class encodes."""
        return OWN_CLASS.fullmatch(self.name) is not None


class Adaptation(Section):
    """Which part of the backbone learns."""

    method: Literal["frozen", "partial", "lora", "dora", "full"] = "frozen"
    top_layers: int = Field(0, ge=0, le=256)
    """How many layers below the output learn, as weights (partial) or by adapters (lora, dora); 0: all layers."""
    rank: int = Field(8, ge=1, le=256)
    alpha: int = Field(16, ge=1, le=512)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    """Linear layers that get an adapter, by wav2vec 2.0's names or the backbone's own; `all-linear`: every one."""


class Pooling(Section):
    """How frames become one vector; a transcript or events are read from the frames themselves."""

    name: Literal["mean", "attention", "hierarchical", "statistics", "attentive-statistics"] = "mean"
    segment_seconds: float = Field(0.2, gt=0)
    """Length of a segment; hierarchical only."""


class Head(Section):
    """The layers that are always trained."""

    name: Literal["linear", "mlp", "temporal"] = "linear"
    hidden: int = Field(128, ge=1, le=8192)
    dropout: float = Field(0.0, ge=0, lt=1)


class Output(Section):
    """The range of a regression output."""

    bounded: bool = False
    low: float | None = None
    high: float | None = None


class Training(Section):
    """How the loop runs."""

    loss: Literal[
        "cross-entropy", "binary-cross-entropy", "mse", "huber", "ccc", "mse+ccc", "clipped-mse+rank", "ctc", "supcon"
    ] = "cross-entropy"
    """binary-cross-entropy asks for each class by itself, in each clip, or in each frame when events are detected;
    supcon pulls clips of a class together and names none."""
    stages: Literal["one", "audioconfit", "probe-then-finetune"] = "one"
    """audioconfit: the backbone learns from pairs first (PairTune), then a head on what it learnt, which stays so.
    probe-then-finetune: the head learns on the backbone as it is, then both go on as the plan says."""
    pair_epochs: int = Field(40, ge=1)
    """Epochs of PairTune; audioconfit only."""
    probe_epochs: int = Field(10, ge=1)
    """Epochs of the head alone; probe-then-finetune only."""
    pair_temperature: float = Field(0.1, gt=0)
    """The lower, the more the hardest pairs count; supcon and audioconfit only, as the two below."""
    pair_hardest: float = Field(0.5, gt=0, le=1)
    """Share of each clip's pairs that counts, the hardest; 1 is every pair."""
    pair_features: int = Field(256, ge=2, le=8192)
    """Width of the projection that pairs are compared in; it is thrown away afterwards."""
    label_smoothing: Annotated[float, OffIsZero] = Field(0.0, ge=0, lt=1)
    """Share of each one-hot label that is spread over the other classes; validation is scored without it."""
    class_balance: Literal["as-they-come", "weighted-loss", "balanced-sampling", "logit-adjustment"] = "as-they-come"
    clips_per_class: Annotated[int, OffIsZero] = Field(0, ge=0)
    """Clips of one class that stand together in a batch; balanced sampling only, 0 leaves it to chance."""
    curriculum_epochs: Annotated[int, OffIsZero] = Field(0, ge=0)
    """Epochs over which longer and longer clips come in, the shortest first; 0 shows all from the start.

    With `data.quality_column` the best come first, and worse and worse ones after them.
    """
    best_epochs: Annotated[int, OffIsZero] = Field(0, ge=0, exclude_if=lambda value: value == 0)
    """Epochs at the end that show the best clips alone; `data.quality_column` says which those are."""
    best_share: float = Field(0.5, gt=0, le=1, exclude_if=lambda value: value == 0.5)
    """Share of the clips that those epochs show."""
    epochs: int = Field(20, ge=1)
    batch_size: int = Field(32, ge=1)
    batch_seconds: Annotated[float, OffIsZero] = Field(0.0, ge=0)
    """Seconds of padded audio of a batch at most, with batch_size as the most clips; 0 counts clips alone."""
    accumulation: int = Field(1, ge=1)
    """Forward passes that one batch is divided into; the step equals that of the whole batch."""
    learning_rate: float = Field(5e-4, ge=0)
    backbone_learning_rate: float = Field(1e-5, ge=0)
    optimizer: Literal["adamw", "adam", "sgd", "adafactor", "lion"] = "adamw"
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    """Decays of the means of the gradient and of its square; adamw and adam, and lion, which takes a smaller one."""
    momentum: float = Field(0.9, ge=0, lt=1)
    """SGD only."""
    weight_decay: float = Field(0.0, ge=0)
    average_decay: Annotated[float, OffIsZero] = Field(0.0, ge=0, lt=1)
    """Decay of a running average of the weights that is scored beside them, the better one being kept; 0 is none."""
    schedule: Literal[
        "warmup-cosine",
        "constant",
        "linear",
        "warmup-stable-decay",
        "inverse-square-root",
        "noam",
        "exponential",
        "plateau",
        "cyclic",
    ] = "warmup-cosine"
    decay_fraction: float = Field(0.2, gt=0, le=1)
    """Share of the steps at the end in which the rate falls; warmup-stable-decay only."""
    plateau_epochs: int = Field(3, ge=1)
    """Epochs without a better score after which the rate falls to a tenth; plateau only."""
    cycles: int = Field(3, ge=1)
    """How often the rate rises and falls; cyclic only."""
    warmup_fraction: Annotated[float, OffIsZero] = Field(0.0, ge=0, le=1)
    clip_norm: Annotated[float, OffIsZero] = Field(0.0, ge=0)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    memory_saver: Literal["none", "kept-features", "gradient-checkpointing"] = "none"
    """What a frozen part gives is kept in any case; gradient-checkpointing computes a layer's inside twice."""
    checkpoint_steps: Annotated[int, OffIsZero] = Field(0, ge=0)
    """Steps between checkpoints within an epoch; 0 keeps those at its end alone."""
    patience_epochs: Annotated[int, OffIsZero] = Field(0, ge=0)
    seed: int = Field(0, ge=0)


class Evaluation(Section):
    """How models are scored and compared."""

    select_by: Literal[
        "loss", "accuracy", "macro-f1", "nearest-accuracy", "mean-average-precision", "ccc", "pearson",
        "word-error-rate", "character-error-rate", "segment-f1",
    ] = "loss"  # fmt: skip
    segment_seconds: float = Field(1.0, gt=0)
    """Detection only: stretches in which answers and labels are compared (Mesaros et al. 2016 use 1 s)."""
    bootstrap_samples: int = Field(1000, ge=100)
    replace_champion: Literal["beyond-interval", "any-gain"] = "beyond-interval"


class Compute(Section):
    """Where it runs."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = Field(0, ge=0)
    threads: int | None = Field(None, ge=1)
    sharding: Literal["none", "fsdp"] = "none"
    """What several processes divide between them beside the clips: the layers that learn, with gradients and the
    optimiser's state (fsdp), or nothing. One process alone holds all in either case."""
    deterministic: bool = False
    """Use operations that give the same bits each time, where there are any; the log names one that has none."""


class Guard(Section):
    """When a GPU is spared: degrees Celsius below where its driver says that it slows down, or switches off."""

    warn_below_c: float = Field(10, ge=0)
    """Below the slowdown: the log says so."""
    slow_below_c: float = Field(5, ge=0)
    """Below the slowdown: from here on steps are spread out, the hotter the more."""
    pause_below_c: float = Field(1, ge=0)
    """Below the slowdown: no step is made until it has cooled."""
    resume_below_c: float = Field(8, ge=0)
    """Below the slowdown: where a pause ends."""
    stop_below_c: float = Field(3, ge=0)
    """Below the shutdown: the state is saved and the run ends."""

    @model_validator(mode="after")
    def _in_order(self) -> Guard:
        if not self.resume_below_c > self.pause_below_c <= self.slow_below_c <= self.warn_below_c:
            raise ValueError(
                f"a guard warns, slows, pauses from cool to hot and resumes below the pause; got {self.warn_below_c}, "
                f"{self.slow_below_c}, {self.pause_below_c} and {self.resume_below_c} degrees below the slowdown"
            )
        return self
