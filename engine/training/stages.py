"""The stages that wav2vec 2.0, HuBERT and WavLM consist of: convolutions, embedding, layers, last norm.

A network is run stage by stage, so that it can go on from states that were computed before. Layers are never skipped at
random, and input frames are not masked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .attention import GatedAttention
from .padding import MaskedGroupNorm, frame_lengths, shortest_input, valid_lengths


class Stages(Protocol):
    """One network in stages. Tokens are what goes through the layers; frames are what the head sees.

    Where a mask is (batch, tokens), True is a token of the clip; None says that all are.
    """

    shortest: int
    """Samples of the shortest input."""
    window: int | None
    """Samples of the longest input; None: any."""
    hidden: int
    """Features of a token."""
    width: int
    """Features of a frame."""
    stem_features: int
    frame_seconds: float
    convolves: bool
    """Whether the stem is a part of the network and not a spectrogram."""
    padding_matters: bool
    """Whether encoding beside a longer clip has to be tried; False where all clips are filled up to one length."""

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers, from the input to the output."""
        ...

    def stem_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) vectors that the stem gives for clips of these samples."""
        ...

    def token_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) tokens of clips of these samples."""
        ...

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) frames of clips of these samples."""
        ...

    def stem(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, vectors, stem features): what the network does before anything that may learn."""
        ...

    def embed(self, stem: Tensor, lengths: Tensor, mask: Tensor | None) -> Tensor:
        """Return (batch, tokens, hidden) from the stem's vectors; `lengths` are samples."""
        ...

    def enter(self, tokens: Tensor) -> Tensor:
        """Apply the dropout before the first layer."""
        ...

    def extras(self, tokens: Tensor, mask: Tensor | None) -> dict[str, Any]:
        """Return what all layers are given beside the tokens."""
        ...

    def layer(self, index: int, tokens: Tensor, extras: dict[str, Any]) -> Tensor:
        """Run one layer over (batch, tokens, hidden)."""
        ...

    def tail(self) -> list[nn.Module]:
        """Return the modules that follow the last layer."""
        ...

    def finish(self, tokens: Tensor) -> Tensor:
        """Apply them."""
        ...

    def frames(self, tokens: Tensor) -> Tensor:
        """Return (batch, frames, width)."""
        ...


def visible(mask: Tensor | None) -> Tensor | None:
    """Return (batch, 1, 1, tokens): which tokens all tokens of a clip may look at."""
    return None if mask is None else mask[:, None, None]


class ConvolutionalStages:
    """wav2vec 2.0, HuBERT (DistilHuBERT, XLS-R and MMS among them) and WavLM: convolutions over the waveform."""

    window: int | None = None
    convolves = True
    padding_matters = True

    def __init__(self, network: Any, sample_rate_hz: int) -> None:
        config = network.config
        self.network = network
        self.convolutions = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
        self.shortest = shortest_input(self.convolutions)
        self.hidden = self.width = int(config.hidden_size)
        self.stem_features = int(config.conv_dim[-1])
        self.frame_seconds = torch.tensor(config.conv_stride).prod().item() / sample_rate_hz
        self.stable = bool(config.do_stable_layer_norm)
        self.masked_norms: Sequence[tuple[MaskedGroupNorm, int]] = ()
        """Masked norms, each with the number of convolutions up to it."""

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers."""
        layers: nn.ModuleList = self.network.encoder.layers
        return layers

    def stem_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) vectors after the convolutions."""
        return frame_lengths(lengths, self.convolutions)

    token_lengths = frame_lengths = stem_lengths

    def stem(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Run the convolutions over (batch, samples), which are zero after a clip's end."""
        at_norms = []
        if bool((lengths < waveforms.shape[1]).any()):
            at_norms = [(norm, frame_lengths(lengths, self.convolutions[:depth])) for norm, depth in self.masked_norms]
        with valid_lengths(at_norms):
            features: Tensor = self.network.feature_extractor(waveforms)
        return features.transpose(1, 2)

    def embed(self, stem: Tensor, lengths: Tensor, mask: Tensor | None) -> Tensor:
        """Project (batch, frames, channels) and add the positional convolution."""
        projected = self.network.feature_projection(stem)
        tokens: Tensor = projected[0] if isinstance(projected, tuple) else projected
        if mask is not None:
            tokens = tokens.masked_fill(~mask[..., None], 0)
        encoder = self.network.encoder
        tokens = tokens + encoder.pos_conv_embed(tokens)
        return tokens if self.stable else encoder.layer_norm(tokens)

    def enter(self, tokens: Tensor) -> Tensor:
        """Apply the dropout before the first layer, as long as the layers are in training."""
        return nn.functional.dropout(tokens, self.network.encoder.dropout.p, self.layers.training)

    def extras(self, tokens: Tensor, mask: Tensor | None) -> dict[str, Any]:
        """Return the mask, and WavLM's position bias, which all layers share."""
        extras: dict[str, Any] = {"attention_mask": visible(mask)}
        first = self.layers[0].attention
        if isinstance(first, GatedAttention):
            extras["position_bias"] = first.position_bias(tokens.shape[1])
        return extras

    def layer(self, index: int, tokens: Tensor, extras: dict[str, Any]) -> Tensor:
        """Run one layer."""
        result = self.layers[index](tokens, **extras)
        first: Tensor = result[0] if isinstance(result, tuple) else result
        return first

    def tail(self) -> list[nn.Module]:
        """Return the last norm of networks that have one."""
        return [self.network.encoder.layer_norm] if self.stable else []

    def finish(self, tokens: Tensor) -> Tensor:
        """Apply it."""
        for norm in self.tail():
            tokens = norm(tokens)
        return tokens

    def frames(self, tokens: Tensor) -> Tensor:
        """Return the tokens: one is one frame."""
        return tokens
