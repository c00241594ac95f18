"""The stages that AST, the Whisper encoder and W2V-BERT consist of: a spectrogram, embedding, layers, last norm.

`fills` says whether a short clip is filled with silence up to the window that pretraining saw, or read as it is.
Filled, it costs what the whole window costs. The neighbours in a batch have no influence either way.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .mel_inputs import HOP, RATE_HZ, WINDOW, fbank, kaldi_frames, stacked_fbank, whisper_log_mel
from .padding import frame_mask
from .stages import visible

_AUDIOSET = {"mean": -4.2677393, "std": 4.5689974}
"""Of log-mel energies over AudioSet; the defaults of transformers' ASTFeatureExtractor."""


class _PlainLayers:
    """What AST and the encoder of Whisper share: layers that are given a mask and nothing else, and then a norm."""

    network: Any
    last_norm: str
    """Its name in the network."""

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers."""
        layers: nn.ModuleList = self.network.layers
        return layers

    def extras(self, tokens: Tensor, mask: Tensor | None) -> dict[str, Any]:
        """Return the mask."""
        return {"attention_mask": visible(mask)}

    def layer(self, index: int, tokens: Tensor, extras: dict[str, Any]) -> Tensor:
        """Run one layer."""
        result: Tensor = self.layers[index](tokens, **extras)
        return result

    def tail(self) -> list[nn.Module]:
        """Return the last norm."""
        return [getattr(self.network, self.last_norm)]

    def finish(self, tokens: Tensor) -> Tensor:
        """Apply the last norm."""
        normed: Tensor = self.tail()[0](tokens)
        return normed


class AstStages(_PlainLayers):
    """AST: patches of a log-mel spectrogram, two tokens that summarise them, and layers over all of these.

    A frame is the mean of the patches of one moment beside the mean of the two summary tokens. The answer that AST was
    trained to give reads the summary tokens alone; what happened when stands in the patches.
    """

    convolves = False
    last_norm = "layernorm"

    def __init__(self, network: Any, settings: dict[str, Any], fills: bool) -> None:
        config = network.config
        self.network, self.fills, self.padding_matters = network, fills, not fills
        self.mean, self.deviation = (float(settings.get(key, _AUDIOSET[key])) for key in ("mean", "std"))
        self.scales = bool(settings.get("do_normalize", True))
        self.patch, self.stride = int(config.patch_size), int(config.time_stride)
        self.most = int(config.max_length)
        """Frames of the window."""
        self.stem_features = int(config.num_mel_bins)
        self.bands = 1 + (self.stem_features - self.patch) // int(config.frequency_stride)
        self.hidden = int(config.hidden_size)
        self.width = 2 * self.hidden
        self.frame_seconds = self.stride * HOP / RATE_HZ
        self.shortest = WINDOW + (self.patch - 1) * HOP
        self.window: int | None = self.most * HOP

    def stem_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) frames of the spectrogram."""
        return torch.full_like(lengths, self.most) if self.fills else kaldi_frames(lengths).clamp(max=self.most)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) moments that a whole patch lies in."""
        whole: Tensor = torch.div(kaldi_frames(lengths) - self.patch, self.stride, rounding_mode="floor") + 1
        return whole.clamp(1, self._moments(self.most))

    def token_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) patches and the two summaries."""
        filled: Tensor = torch.full_like(lengths, self._moments(self.most))
        return (filled if self.fills else self.frame_lengths(lengths)) * self.bands + 2

    def _moments(self, frames: int) -> int:
        return (frames - self.patch) // self.stride + 1

    def stem(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, frames, bands), scaled by the statistics of pretraining, zero energy after the end."""
        bands = fbank(waveforms, "hann", self.stem_features)[:, : self.most]
        bands = bands.masked_fill(~frame_mask(kaldi_frames(lengths), bands.shape[1])[..., None], 0)
        total = self.most if self.fills else bands.shape[1]
        bands = nn.functional.pad(bands, (0, 0, 0, total - bands.shape[1]))
        return (bands - self.mean) / (2 * self.deviation) if self.scales else bands

    def embed(self, stem: Tensor, lengths: Tensor, mask: Tensor | None) -> Tensor:
        """Return the two summaries and the patches, moment by moment, each with its place added."""
        embeddings = self.network.embeddings
        patches = embeddings.patch_embeddings.projection(
            stem[:, None].transpose(2, 3)
        )  # (batch, hidden, bands, moments)
        summaries, places = embeddings.position_embeddings.split([2, embeddings.position_embeddings.shape[1] - 2], 1)
        places = places.unflatten(1, (self.bands, -1)).transpose(1, 2)[:, : patches.shape[3]]
        placed = (patches.permute(0, 3, 2, 1) + places).flatten(1, 2)
        both = torch.cat([embeddings.cls_token, embeddings.distillation_token], 1) + summaries
        return torch.cat([both.expand(len(placed), -1, -1), placed], 1)

    def enter(self, tokens: Tensor) -> Tensor:
        """Apply the dropout before the first layer, as long as the layers are in training."""
        return nn.functional.dropout(tokens, self.network.embeddings.dropout.p, self.layers.training)

    def frames(self, tokens: Tensor) -> Tensor:
        """Return the mean patch of every moment beside the mean summary."""
        moments = tokens[:, 2:].unflatten(1, (-1, self.bands)).mean(2)
        summary = tokens[:, :2].mean(1, keepdim=True).expand_as(moments)
        return torch.cat([moments, summary], 2)


class WhisperStages(_PlainLayers):
    """The encoder of Whisper: two convolutions over a log-mel spectrogram, and layers."""

    convolves = False
    last_norm = "layer_norm"

    def __init__(self, network: Any, fills: bool) -> None:
        config = network.config
        self.network, self.fills, self.padding_matters = network, fills, not fills
        self.most = int(config.max_source_positions)
        self.stem_features = int(config.num_mel_bins)
        self.hidden = self.width = int(config.d_model)
        self.frame_seconds = 2 * HOP / RATE_HZ
        self.shortest = WINDOW
        self.window: int | None = self.most * 2 * HOP

    def stem_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) frames of the spectrogram."""
        return torch.full_like(lengths, 2 * self.most) if self.fills else _rounded_up(lengths, HOP)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) frames of 20 ms, the last one perhaps half."""
        return _rounded_up(lengths, 2 * HOP)

    def token_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) frames, or those of the whole window."""
        return torch.full_like(lengths, self.most) if self.fills else self.frame_lengths(lengths)

    def stem(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, frames, bands)."""
        waveforms = waveforms.masked_fill(~frame_mask(lengths, waveforms.shape[1]), 0)
        if self.fills:
            waveforms = nn.functional.pad(waveforms, (0, self.most * 2 * HOP - waveforms.shape[1]))
        return whisper_log_mel(waveforms, self.stem_features)

    def embed(self, stem: Tensor, lengths: Tensor, mask: Tensor | None) -> Tensor:
        """Run both convolutions over (batch, frames, bands); they see zeros after the clip as after the window."""
        inside = frame_mask(self.stem_lengths(lengths), stem.shape[1])[..., None]
        network = self.network
        first = nn.functional.gelu(network.conv1(stem.masked_fill(~inside, 0).transpose(1, 2)))
        second = nn.functional.gelu(network.conv2(first.masked_fill(~inside.transpose(1, 2), 0)))
        tokens: Tensor = second.transpose(1, 2) + network.embed_positions.weight[: second.shape[2]]
        return tokens

    def enter(self, tokens: Tensor) -> Tensor:
        """Apply the dropout before the first layer, as long as the layers are in training."""
        return nn.functional.dropout(tokens, self.network.dropout, self.layers.training)

    def frames(self, tokens: Tensor) -> Tensor:
        """Return the tokens: one is one frame."""
        return tokens


class W2vBertStages:
    """W2V-BERT 2.0: Conformer layers over pairs of normalised log-mel frames."""

    window: int | None = None
    convolves = False
    padding_matters = True

    def __init__(self, network: Any) -> None:
        self.network = network
        self.hidden = self.width = int(network.config.hidden_size)
        self.stem_features = int(network.config.feature_projection_input_dim)
        self.frame_seconds = 2 * HOP / RATE_HZ
        self.shortest = WINDOW + HOP

    @property
    def layers(self) -> nn.ModuleList:
        """The Conformer layers."""
        layers: nn.ModuleList = self.network.encoder.layers
        return layers

    def stem_lengths(self, lengths: Tensor) -> Tensor:
        """Return (batch,) pairs of frames; an odd one at the end has no partner and is not used."""
        return torch.div(kaldi_frames(lengths), 2, rounding_mode="floor")

    token_lengths = frame_lengths = stem_lengths

    def stem(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, pairs, 160)."""
        return stacked_fbank(waveforms, lengths)

    def embed(self, stem: Tensor, lengths: Tensor, mask: Tensor | None) -> Tensor:
        """Project (batch, pairs, 160)."""
        tokens: Tensor = self.network.feature_projection(stem)[0]
        return tokens if mask is None else tokens.masked_fill(~mask[..., None], 0)

    def enter(self, tokens: Tensor) -> Tensor:
        """Apply the dropout before the first layer, as long as the layers are in training."""
        return nn.functional.dropout(tokens, self.network.encoder.dropout.p, self.layers.training)

    def extras(self, tokens: Tensor, mask: Tensor | None) -> dict[str, Any]:
        """Return the masks of attention and convolutions, and the positions where they are not learnt."""
        positions = self.network.encoder.embed_positions
        return {
            "attention_mask": visible(mask),
            "conv_attention_mask": mask,
            "relative_position_embeddings": None if positions is None else positions(tokens),
        }

    def layer(self, index: int, tokens: Tensor, extras: dict[str, Any]) -> Tensor:
        """Run one layer."""
        result: Tensor = self.layers[index](tokens, **extras)
        return result

    def tail(self) -> list[nn.Module]:
        """Return the feed-forward layer that some checkpoints have after the last one."""
        return [] if self.network.intermediate_ffn is None else [self.network.intermediate_ffn]

    def finish(self, tokens: Tensor) -> Tensor:
        """Apply it."""
        last = self.network.intermediate_ffn
        return tokens if last is None else tokens + 0.5 * last(tokens)

    def frames(self, tokens: Tensor) -> Tensor:
        """Return the tokens: one is one frame."""
        return tokens


def _rounded_up(lengths: Tensor, size: int) -> Tensor:
    return torch.div(lengths + size - 1, size, rounding_mode="floor")
