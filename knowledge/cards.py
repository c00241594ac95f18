"""The form of a backbone card: what is known of one pretrained model or front end; recommends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .schema import Document, Texts

Sound = Literal["speech", "noisy-speech", "music", "general", "bioacoustic", "none"]
"""What pretraining heard; `none`: nothing was learnt."""
Attention = Literal["eager", "sdpa", "flash"]
Count = Annotated[int, Field(ge=1)]
Figure = Literal["licence", "sample_rate_hz", "shape", "parameters", "sound", "hours", "languages"]
"""What a card claims of somebody else's work, so that it can be held against what they wrote."""
FIGURES: dict[Figure, str] = {
    "licence": "licence",
    "sample_rate_hz": "sample rate",
    "shape": "layers and width",
    "parameters": "weights",
    "sound": "what it heard",
    "hours": "hours",
    "languages": "languages",
}
"""Each figure as a reader is told of it."""


class Shape(Document):
    """A transformer encoder as far as its memory goes; what it computes for one second of sound."""

    layers: Count
    hidden: Count
    heads: Count
    feed_forward: Count
    frames_per_second: Annotated[float, Field(gt=0)]
    """Vectors that pass through the layers for a second of sound; patches of a spectrogram count one by one."""
    stem_channels: int = 0
    """Channels of the convolutions over the waveform; 0: a spectrogram goes in."""
    stem_rate_hz: float = 0
    """Vectors a second after the first of those convolutions, where they are most."""


class BackboneCard(Document):
    """One backbone. What could not be looked up or derived is None, and the page says so."""

    backbone: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    checkpoint: str = ""
    """Name on the model hub; empty: published elsewhere, or nothing to load."""
    runs: Literal["", "wav2vec2", "hubert", "wavlm", "ast", "whisper", "w2v-bert", "mfcc", "log-mel"] = ""
    """The front end of the bundled trainer that loads it; empty: it cannot."""
    licence: str
    commercial: bool | None
    """Whether the licence of the weights allows commercial use."""
    gated: bool = False
    """Whether the hub asks for an agreement before it hands the weights out."""
    sample_rate_hz: Count | None
    input: Literal["waveform", "log-mel", "fbank", "spectrogram", "mfcc"]
    normalises: str
    """What the input is scaled by before the network."""
    attention_mask: bool | None
    """Whether padding is masked; False where it was pretrained with zeros instead."""
    fixed_seconds: float | None = None
    """Every clip is cut or padded to this length."""
    sound: tuple[Sound, ...]
    hours: float | None
    languages: int | None
    """0: not speech."""
    attention: tuple[Attention, ...] = ()
    """Attention kernels in transformers; empty: no attention, or code of its own."""
    parameters: Count | None
    """Of what is loaded as a feature extractor, exact where `config` stands."""
    model: str = ""
    """Class in transformers that `config` builds."""
    config: dict[str, Any] = Field(default_factory=dict)
    """What differs from the defaults of that class."""
    shape: Shape | None = None
    """None: no transformer; its memory is not estimated."""
    note: str = ""
    checked: dict[Figure, str] = Field(default_factory=dict)
    """Figures that were held against a source, and against which; what is not named here is from memory."""
    source: Texts

    @property
    def unchecked(self) -> tuple[Figure, ...]:
        """Figures that stand on the card and were held against nothing; weights that follow from layers are derived."""
        claimed: dict[Figure, bool] = {
            "licence": bool(self.checkpoint) or not self.runs,
            "sample_rate_hz": self.sample_rate_hz is not None,
            "shape": self.shape is not None,
            "parameters": self.parameters is not None and not self.config,
            "sound": self.sound != ("none",),
            "hours": bool(self.hours),
            "languages": bool(self.languages),
        }
        return tuple(figure for figure, claims in claimed.items() if claims and figure not in self.checked)

    @model_validator(mode="after")
    def _hangs_together(self) -> BackboneCard:
        if self.config and not self.model:
            raise ValueError("`config` belongs to a `model`")
        if self.shape and not self.attention and self.model:
            raise ValueError("a transformer names the attention kernels that it runs with")
        return self


def figures_told(figures: Iterable[Figure]) -> str:
    """Return figures as a reader is told of them."""
    return ", ".join(FIGURES[figure] for figure in figures)


def evidence_lines(card: BackboneCard) -> list[str]:
    """Tell which figures were held against which source, a line each source, and which are from memory."""
    against: dict[str, list[Figure]] = {}
    for figure, source in card.checked.items():
        against.setdefault(source, []).append(figure)
    memory = [f"from memory: {figures_told(card.unchecked)}"] if card.unchecked else []
    return [f"checked against {source}: {figures_told(figures)}" for source, figures in against.items()] + memory
