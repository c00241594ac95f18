"""Pretrained backbones by hub name or folder, encoding without the defects of the stock path.

It never trains and never reads audio. Compared with calling the network directly: the input is prepared as the
checkpoint's preprocessor does, over each clip's own samples; padding has no influence; a clip longer than the window of
pretraining is read window by window; no gradient runs through a frozen part (training.md 2.2); layers are not skipped
at random (2.6), and masking of the input frames is off (2.3).

What lies below the first weight that learns gives the same in every epoch. It is run as `prefix`, without dropout and
without a gradient graph; `rest` goes on from there, whether the prefix was computed just now or kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from engine.plan_sections import Adaptation, Backbone
from knowledge.errors import PlanError

from .adaptation import adapt
from .attention import with_trainable_attention
from .padding import Strategy, encode_equal_lengths, frame_mask, is_padding_exact, mask_group_norms
from .pretrained import Pretrained, load_pretrained
from .spec_augment import Masking
from .spectral_stages import AstStages, W2vBertStages, WhisperStages
from .stages import ConvolutionalStages, Stages
from .windows import Windows, windows_of

_VARIANCE_FLOOR = 1e-7
"""Added to the variance of the input; the value of transformers' Wav2Vec2FeatureExtractor."""
_ABOUT_THE_FILE = (
    "_name_or_path",
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
    "id2label",
    "label2id",
)
"""Parts of a configuration that change no number."""
Run = Callable[[Tensor, Tensor], Tensor]
"""Rows and the samples of each, to tokens or frames."""


class PretrainedEncoder(nn.Module):
    """A pretrained encoder; its frames are the last layer, or all layers side by side."""

    def __init__(
        self, backbone: Backbone, adaptation: Adaptation, sample_rate_hz: int, *, recomputes: bool = False
    ) -> None:
        super().__init__()
        if backbone.checkpoint is None:
            raise PlanError(
                f"backbone.checkpoint is not given; {backbone.name} needs a hub name or a local folder",
                hint="For example facebook/wav2vec2-base or microsoft/wavlm-base-plus.",
            )
        loaded = load_pretrained(backbone.name, backbone.checkpoint, sample_rate_hz)
        self.network = loaded.network.eval()
        self.normalises_input, self.settings = loaded.normalises_input, loaded.settings
        self.notes = loaded.notes
        """What a reader of the run is to know of the checkpoint."""
        self.stages = _stages(loaded, backbone, sample_rate_hz)
        depth = len(self.stages.layers)
        self.all_layers = backbone.layers == "weighted-sum"
        self.layers = depth + 1 if self.all_layers else 1
        self.features = self.stages.width * self.layers
        self.frame_seconds = self.stages.frame_seconds
        self.strategy: Strategy = "as-is"
        self.cut: int | None = None
        """First layer that `rest` runs; -1: it begins at the stem's vectors; None: nothing learns."""
        self.recomputes = recomputes
        """Whether a layer's inside is computed again in the backward pass instead of being kept."""
        self._make_padding_exact()
        adapt(self.network, self.stages, adaptation)
        self.cut = self._first_that_learns()
        self.train()

    @property
    def prefix_features(self) -> int:
        """Features of what `prefix` returns."""
        if self.cut is None:
            return self.features
        return self.stages.stem_features if self.cut < 0 else self.stages.hidden

    def prefix_size(self, samples: int) -> int:
        """Return the tokens that `prefix` gives for a clip of that many samples."""
        windows = self._windows(torch.tensor([samples]))
        return int(self._prefix_lengths(windows.lengths).sum())

    def frame_counts(self, samples: Tensor) -> Tensor:
        """Return (clips,): the frames of clips of these samples."""
        windows = self._windows(samples)
        return windows.summed(self.stages.frame_lengths(windows.lengths))

    def prefix_state(self) -> dict[str, Tensor]:
        """Return the weights that `prefix` depends on, by name."""
        if self.cut is not None and self.cut < 0:
            stem = getattr(self.network, "feature_extractor", nn.Module())
            return stem.state_dict()
        later = [] if self.cut is None else [*self.stages.layers[self.cut :], *self.stages.tail()]
        own = {id(value) for module in later for value in module.state_dict(keep_vars=True).values()}
        return {n: v for n, v in self.network.state_dict(keep_vars=True).items() if id(v) not in own}

    def prefix_settings(self) -> dict[str, object]:
        """Return what else `prefix` depends on, as JSON."""
        config = cast(Any, self.network).config.to_dict()
        kept = {name: value for name, value in config.items() if name not in _ABOUT_THE_FILE}
        return {"cut": self.cut, "normalises": self.normalises_input, "settings": self.settings, "config": kept}

    def freeze(self) -> None:
        """Let nothing learn any more: what it learnt so far stays."""
        self.network.requires_grad_(False)
        self.cut = None
        super().train(False)
        self.train()

    def train(self, mode: bool = True) -> PretrainedEncoder:
        """Set training mode, except for what does not learn: frozen parts and batch statistics stay as they are."""
        if self.cut is None and not self.network.training:
            self.training = mode  # walking through a large network twice an epoch costs as much as a small head
            return self
        super().train(mode)
        if self.cut is None or self.cut >= 0:
            self.network.eval()
        if self.cut == 0:
            self.stages.layers.train(mode)
        elif self.cut is not None and self.cut > 0:
            for module in [*self.stages.layers[self.cut :], *self.stages.tail()]:
                module.train(mode)
        for name, module in self.network.named_modules():
            # In training mode the convolutions ask for a gradient of their input, frozen or not.
            if name.endswith("feature_extractor") or isinstance(module, nn.BatchNorm1d):
                module.eval()
        return self

    def forward(self, waveforms: Tensor, lengths: Tensor, masking: Masking | None = None) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features) and their mask (batch, frames).

        A clip shorter than one frame is filled with zeros to one frame.

        Args:
            waveforms: (batch, samples) at the checkpoint's sample rate.
            lengths: (batch,) samples of each clip.
            masking: what is hidden from the layers that learn.
        """
        prefix, _ = self.prefix(waveforms, lengths)
        return self.rest(prefix, lengths, masking)

    @torch.no_grad()
    def prefix(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return what comes out the same in every epoch, (batch, tokens, prefix features), and each clip's tokens.

        Nothing of it depends on the neighbours in the batch.
        """
        waveforms = waveforms.to(next(self.network.parameters()).dtype)
        samples = frame_mask(lengths, waveforms.shape[1])
        waveforms = _normalised(waveforms, samples) if self.normalises_input else waveforms.masked_fill(~samples, 0)
        waveforms = nn.functional.pad(waveforms, (0, max(self.stages.shortest - waveforms.shape[1], 0)))
        windows = self._windows(lengths)
        rows = self._by_length(self._prefix, windows.cut(waveforms), windows.lengths, windows.lengths)
        return windows.joined(rows, self._prefix_lengths(windows.lengths))

    def rest(self, prefix: Tensor, lengths: Tensor, masking: Masking | None = None) -> tuple[Tensor, Tensor]:
        """Go on from what `prefix` gave for clips of these samples; return frames and mask as `forward` does."""
        windows = self._windows(lengths)
        counts = self.stages.frame_lengths(windows.lengths)
        if self.cut is None:
            frames, counts = prefix, windows.summed(counts)
        else:
            sizes = self._prefix_lengths(windows.lengths)
            if masking is not None and self.stages.window is None:
                prefix = prefix.masked_fill(masking.hidden(sizes, prefix.shape[1])[..., None], 0)
            rows = self._by_length(self._rest, windows.parted(prefix, sizes), sizes, windows.lengths)
            frames, counts = windows.joined(rows, counts)
        longest = int(counts.max())
        return frames[:, :longest], frame_mask(counts, longest)

    def _windows(self, lengths: Tensor) -> Windows:
        return windows_of(lengths, self.stages.window, self.stages.shortest)

    def _prefix_lengths(self, lengths: Tensor) -> Tensor:
        if self.cut is None:
            return self.stages.frame_lengths(lengths)
        return self.stages.stem_lengths(lengths) if self.cut < 0 else self.stages.token_lengths(lengths)

    def _prefix(self, rows: Tensor, lengths: Tensor) -> Tensor:
        stages = self.stages
        # Spectrograms span more than half precision holds; convolutions over the waveform may run in it.
        with torch.autocast(rows.device.type, enabled=stages.convolves and torch.is_autocast_enabled(rows.device.type)):
            stem = stages.stem(rows, lengths)
        if self.cut == -1:
            return stem
        tokens = stages.embed(stem, lengths, self._mask(lengths))
        return tokens if self.cut == 0 else self._run(tokens, self._mask(lengths), 0, self.cut)

    def _rest(self, rows: Tensor, lengths: Tensor) -> Tensor:
        mask = self._mask(lengths)
        tokens = self.stages.embed(rows, lengths, mask) if self.cut == -1 else rows
        return self._run(tokens, mask, max(cast(int, self.cut), 0), None)

    def _run(self, tokens: Tensor, mask: Tensor | None, start: int, stop: int | None) -> Tensor:
        """Run layers `start` up to `stop`; to the end, and on to frames, when that is None."""
        stages = self.stages
        extras = stages.extras(tokens, mask)
        tokens = stages.enter(tokens) if start == 0 else tokens
        states = [tokens]
        for index in range(start, len(stages.layers) if stop is None else stop):
            if self.recomputes and torch.is_grad_enabled():
                tokens = cast(Tensor, checkpoint(stages.layer, index, tokens, extras, use_reentrant=False))
            else:
                tokens = stages.layer(index, tokens, extras)
            states.append(tokens)
        if stop is not None:
            return tokens
        # The last state is replaced by what comes after the final norm of networks that have one.
        last = stages.finish(tokens)
        if not self.all_layers:
            return stages.frames(last)
        return torch.cat([stages.frames(state) for state in [*states[:-1], last]], dim=-1)

    def _mask(self, lengths: Tensor) -> Tensor | None:
        """Return (windows, tokens), or None when no token is padding."""
        counts = self.stages.token_lengths(lengths)
        return None if bool((counts == counts.max()).all()) else frame_mask(counts, int(counts.max()))

    def _by_length(self, run: Run, rows: Tensor, sizes: Tensor, lengths: Tensor) -> Tensor:
        """Run all rows together, or one length at a time where padding would show in the result."""
        if self.strategy != "equal-lengths" or bool((lengths == lengths[0]).all()):
            return run(rows, lengths)
        most = self._prefix_lengths(lengths) if run == self._prefix else self.stages.frame_lengths(lengths)
        return encode_equal_lengths(run, rows, sizes, lengths, int(most.max()))

    def _first_that_learns(self) -> int | None:
        layers, tail = self.stages.layers, self.stages.tail()
        learns = [any(p.requires_grad for p in layer.parameters()) for layer in layers]
        later = {id(p) for module in [*layers, *tail] for p in module.parameters()}
        outside = any(p.requires_grad and id(p) not in later for p in self.network.parameters())
        if not outside and not any(learns):
            return None
        # A mix of all layers needs the states below the cut too.
        return -1 if outside or self.all_layers else learns.index(True)

    def _make_padding_exact(self) -> None:
        """Choose the cheapest way to encode that leaves a short clip as it is beside a long one."""
        if not self.stages.padding_matters or is_padding_exact(self, self.stages.shortest):
            return
        if isinstance(self.stages, ConvolutionalStages):
            self.strategy = "masked-norm"
            norms = mask_group_norms(self.network)
            self.stages.masked_norms = [(norm, _depth(name)) for name, norm in norms.items()]
        if not is_padding_exact(self, self.stages.shortest):
            self.strategy = "equal-lengths"


def _stages(loaded: Pretrained, backbone: Backbone, sample_rate_hz: int) -> Stages:
    if backbone.name == "ast":
        return AstStages(loaded.network, loaded.settings, backbone.fill == "window")
    if backbone.name == "whisper":
        return WhisperStages(loaded.network, backbone.fill == "window")
    if backbone.name == "w2v-bert":
        return W2vBertStages(loaded.network)
    network = with_trainable_attention(loaded.network) if backbone.name == "wavlm" else loaded.network
    return ConvolutionalStages(network, sample_rate_hz)


def _depth(name: str) -> int:
    """Return how many convolutions lie up to the norm `feature_extractor.conv_layers.K.layer_norm`."""
    return 1 + next(int(part) for part in name.split(".") if part.isdigit())


def _normalised(waveforms: Tensor, samples: Tensor) -> Tensor:
    """Return each clip with zero mean and unit variance over its own samples, and zeros after its end."""
    count = samples.sum(1, keepdim=True)
    centred = waveforms - waveforms.masked_fill(~samples, 0).sum(1, keepdim=True) / count
    centred = centred.masked_fill(~samples, 0)
    return centred / (centred.square().sum(1, keepdim=True) / count + _VARIANCE_FLOOR).sqrt()
