"""Pretrained backbones: wav2vec 2.0 and HuBERT by hub name or folder, encoding without the defects of the stock path.

It never trains and never reads audio. Compared with calling the network directly: the input is normalised over each
clip's own samples, padding has no influence, no gradient runs through a frozen part (training.md 2.2), layers are not
skipped at random (2.6), and masking of the input frames is off (2.3); ours is in augmentation.py.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.plan import Adaptation, Backbone
from knowledge.errors import PlanError

from .adaptation import adapt
from .padding import (
    MaskedGroupNorm,
    Strategy,
    encode_equal_lengths,
    frame_lengths,
    frame_mask,
    is_padding_exact,
    mask_group_norms,
    shortest_input,
    valid_lengths,
)
from .pretrained import load_network, wants_normalised_input

_VARIANCE_FLOOR = 1e-7
"""Added to the variance of the input; the value of transformers' Wav2Vec2FeatureExtractor."""


class PretrainedEncoder(nn.Module):
    """A wav2vec 2.0 or HuBERT encoder; its frames are the last layer, or all layers side by side."""

    def __init__(self, backbone: Backbone, adaptation: Adaptation, sample_rate_hz: int) -> None:
        super().__init__()
        if backbone.checkpoint is None:
            raise PlanError(
                f"backbone.checkpoint is not given; {backbone.name} needs a hub name or a local folder",
                hint="For example facebook/wav2vec2-base or facebook/hubert-base-ls960.",
            )
        network = load_network(backbone.name, backbone.checkpoint)
        self.normalises_input = wants_normalised_input(backbone.checkpoint, sample_rate_hz)
        config: Any = network.config
        self.convolutions = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
        self.shortest = shortest_input(self.convolutions)
        self.all_layers = backbone.layers == "weighted-sum"
        self.layers = config.num_hidden_layers + 1 if self.all_layers else 1
        self.features = config.hidden_size * self.layers
        self.frame_seconds = torch.tensor(config.conv_stride).prod().item() / sample_rate_hz
        self.strategy: Strategy = "as-is"
        self._norms: list[tuple[MaskedGroupNorm, int]] = []
        """Masked norms, each with the number of convolutions up to it; the modules are registered in `network`."""
        self.network = network.eval()
        self._make_padding_exact()
        self.network = adapt(network, adaptation)
        self.is_frozen = adaptation.method == "frozen"
        self.train()

    def train(self, mode: bool = True) -> PretrainedEncoder:
        """Set training mode, except for what does not learn: frozen parts and batch statistics stay as they are."""
        super().train(mode)
        if self.is_frozen:
            self.network.eval()
        for name, module in self.network.named_modules():
            # In training mode the convolutions ask for a gradient of their input, frozen or not.
            if name.endswith("feature_extractor") or isinstance(module, nn.BatchNorm1d):
                module.eval()
        return self

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features) and their mask (batch, frames).

        A clip shorter than one frame is filled with zeros to one frame.

        Args:
            waveforms: (batch, samples) at the checkpoint's sample rate.
            lengths: (batch,) samples of each clip.
        """
        waveforms = waveforms.to(next(self.network.parameters()).dtype)
        samples = frame_mask(lengths, waveforms.shape[1])
        waveforms = _normalised(waveforms, samples) if self.normalises_input else waveforms.masked_fill(~samples, 0)
        waveforms = nn.functional.pad(waveforms, (0, max(self.shortest - waveforms.shape[1], 0)))
        lengths = lengths.clamp(min=self.shortest)
        counts = frame_lengths(lengths, self.convolutions)
        total = int(frame_lengths(torch.tensor(waveforms.shape[1]), self.convolutions))
        return self._encode(waveforms, lengths, total), frame_mask(counts, total)

    def _encode(self, waveforms: Tensor, lengths: Tensor, total: int) -> Tensor:
        if not bool((lengths < waveforms.shape[1]).any()):
            return self._run(waveforms, None)
        if self.strategy == "equal-lengths":
            return encode_equal_lengths(self._run, waveforms, lengths, total)
        at_norms = [(norm, frame_lengths(lengths, self.convolutions[:depth])) for norm, depth in self._norms]
        with valid_lengths(at_norms):
            return self._run(waveforms, frame_mask(lengths, waveforms.shape[1]).long())

    def _run(self, waveforms: Tensor, mask: Tensor | None) -> Tensor:
        outputs = self.network(waveforms, attention_mask=mask, output_hidden_states=self.all_layers)
        last = cast(Tensor, outputs.last_hidden_state)
        # The last state comes before the final norm in networks that have one; `last` comes after it.
        return torch.cat([*outputs.hidden_states[:-1], last], dim=-1) if self.all_layers else last

    def _make_padding_exact(self) -> None:
        """Choose the cheapest way to encode that leaves a short clip as it is beside a long one."""
        if is_padding_exact(self, self.shortest):
            return
        self.strategy = "masked-norm"
        self._norms = [(norm, _depth(name)) for name, norm in mask_group_norms(self.network).items()]
        if not is_padding_exact(self, self.shortest):
            self.strategy = "equal-lengths"


def _depth(name: str) -> int:
    """Return how many convolutions lie up to the norm `feature_extractor.conv_layers.K.layer_norm`."""
    return 1 + next(int(part) for part in name.split(".") if part.isdigit())


def _normalised(waveforms: Tensor, samples: Tensor) -> Tensor:
    """Return each clip with zero mean and unit variance over its own samples, and zeros after its end."""
    count = samples.sum(1, keepdim=True)
    centred = waveforms - waveforms.masked_fill(~samples, 0).sum(1, keepdim=True) / count
    centred = centred.masked_fill(~samples, 0)
    return centred / (centred.square().sum(1, keepdim=True) / count + _VARIANCE_FLOOR).sqrt()
