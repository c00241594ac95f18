"""An encoder of the user's own, named in the plan as `module:Class`; what it must offer is said here, and tried.

    class Encoder(torch.nn.Module):
        features: int            # of a frame
        frame_seconds: float     # from frame to frame
        def __init__(self, checkpoint: str | None, sample_rate_hz: int) -> None: ...
        def forward(self, waveforms, lengths):   # (batch, samples), and (batch,) samples of each clip
            return frames, counts                # (batch, frames, features), and (batch,) frames of each clip

The module has to be installed, or on PYTHONPATH: the trainer looks in no folder of its own accord. A network whose
frames change beside a longer clip is run one length at a time. With `layers`, a ModuleList, the top ones can learn.
What nothing learns in is kept as of any frozen backbone; of one that learns nothing is kept.
"""

from __future__ import annotations

import importlib
from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.plan_sections import Adaptation, Backbone
from knowledge.errors import PlanError

from .padding import frame_mask, is_padding_exact
from .spec_augment import Masking

_OFFERED = {"features": int, "frame_seconds": float}
_TRIED_SECONDS = (0.5, 1.0)
"""Two clips that the class is tried on before anything is trained."""


class ForeignEncoder(nn.Module):
    """A class of the user's, as an encoder of this trainer."""

    layers = 1

    def __init__(self, backbone: Backbone, adaptation: Adaptation, sample_rate_hz: int) -> None:
        super().__init__()
        self.name, self.sample_rate_hz = backbone.name, sample_rate_hz
        self.network = _made(backbone.name, backbone.checkpoint, sample_rate_hz).eval()
        for name, kind in _OFFERED.items():
            if not isinstance(getattr(self.network, name, None), (kind, int)):
                raise PlanError(f"backbone.name {self.name}: it has no {name}, expected {_article(kind)}")
        if backbone.layers != "last":
            raise PlanError(f"backbone.layers is {backbone.layers}; a class of your own gives one kind of frame: last")
        self.features, self.frame_seconds = int(self.network.features), float(self.network.frame_seconds)
        self.prefix_features = self.features
        self.one_length_at_a_time = False
        self._counts: dict[int, int] = {}
        self._try(sample_rate_hz)
        self._adapt(adaptation)
        self.train()

    def train(self, mode: bool = True) -> ForeignEncoder:
        """Set training mode; a frozen network stays in evaluation."""
        super().train(mode)
        self.network.train(mode and any(parameter.requires_grad for parameter in self.network.parameters()))
        return self

    def freeze(self) -> None:
        """Let nothing learn any more."""
        self.network.requires_grad_(False)
        self.train(False)

    def forward(self, waveforms: Tensor, lengths: Tensor, masking: Masking | None = None) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features), zero where padded, and their mask (batch, frames)."""
        waveforms = waveforms.to(next(self.network.parameters(), waveforms).dtype)
        if self.one_length_at_a_time and not bool((lengths == lengths[0]).all()):
            frames, counts = self._by_length(waveforms, lengths)
        else:
            frames, counts = self.network(waveforms, lengths)
        frames = frames[:, : int(counts.max())]
        mask = frame_mask(counts, frames.shape[1])
        return frames.masked_fill(~mask[..., None], 0), mask

    def _by_length(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        rows: dict[int, Tensor] = {}
        for length in lengths.unique().tolist():
            here = (lengths == length).nonzero()[:, 0]
            frames, counts = self.network(waveforms[here, :length], lengths[here])
            rows |= dict(zip(here.tolist(), frames[:, : int(counts[0])], strict=True))
        found = [rows[row] for row in range(len(lengths))]
        counts = torch.tensor([len(one) for one in found], device=lengths.device)
        return nn.utils.rnn.pad_sequence(found, batch_first=True), counts

    def frame_counts(self, samples: Tensor) -> Tensor:
        """Return (clips,): the frames of clips of these samples, found by running each length once on silence."""
        for length in set(samples.tolist()) - self._counts.keys():
            silence, own = torch.zeros(1, length, device=samples.device), torch.tensor([length], device=samples.device)
            with torch.no_grad():
                self._counts[length] = int(self.network(silence, own)[1][0])
        return torch.tensor([self._counts[length] for length in samples.tolist()], device=samples.device)

    def prefix_size(self, samples: int) -> int:
        """Return about how many frames a clip of that many samples has."""
        return round(samples / self.sample_rate_hz / self.frame_seconds) + 1

    def prefix_state(self) -> dict[str, Tensor]:
        """Return the weights that frames depend on."""
        state: dict[str, Tensor] = self.network.state_dict()
        return state

    def prefix_settings(self) -> dict[str, object]:
        """Return what else they depend on: the source of the class, as far as Python knows it."""
        import inspect

        return {"name": self.name, "source": inspect.getsource(type(self.network))}

    def _try(self, sample_rate_hz: int) -> None:
        """Run the class once, and see whether padding shows in its frames.

        Raises:
            PlanError: it gives something else than it has to.
        """
        lengths = torch.tensor([round(seconds * sample_rate_hz) for seconds in _TRIED_SECONDS])
        waveforms = torch.randn(len(lengths), int(lengths.max()), generator=torch.Generator().manual_seed(0))
        waveforms = waveforms.masked_fill(~frame_mask(lengths, waveforms.shape[1]), 0)
        with torch.no_grad():
            found = self.network(waveforms, lengths)
        if not (isinstance(found, tuple) and len(found) == 2 and all(isinstance(one, Tensor) for one in found)):
            raise PlanError(
                f"backbone.name {self.name}: its forward gives {type(found).__name__}, expected frames and counts"
            )
        frames, counts = found
        if frames.ndim != 3 or frames.shape[2] != self.features or counts.shape != lengths.shape:
            raise PlanError(
                f"backbone.name {self.name}: it gives frames {tuple(frames.shape)} and counts {tuple(counts.shape)}, "
                f"expected (clips, frames, {self.features}) and (clips,)"
            )
        self.one_length_at_a_time = not is_padding_exact(self.forward, int(lengths[0]) // 12)

    def _adapt(self, adaptation: Adaptation) -> None:
        self.network.requires_grad_(adaptation.method == "full")
        if adaptation.method == "partial":
            layers = self._layers()
            if adaptation.top_layers > len(layers):
                raise PlanError(f"adaptation.top_layers is {adaptation.top_layers}; {self.name} has {len(layers)}")
            for layer in list(layers)[-adaptation.top_layers :]:
                layer.requires_grad_(True)
        if adaptation.method in ("lora", "dora"):
            self._insert_adapters(adaptation)

    def _layers(self) -> nn.ModuleList:
        layers = getattr(self.network, "layers", None)
        if not isinstance(layers, nn.ModuleList):
            raise PlanError(
                f"adaptation.method is partial; {self.name} has no `layers`, a ModuleList, to count from the top",
                hint="Give the class one, or choose adaptation.method: full, lora or frozen.",
            )
        return layers

    def _insert_adapters(self, adaptation: Adaptation) -> None:
        """Put adapters into linear layers by the last part of their name; a dead one is found by the census."""
        from peft import LoraConfig, inject_adapter_in_model

        linear = [name for name, module in self.network.named_modules() if isinstance(module, nn.Linear)]
        everywhere = adaptation.targets == ("all-linear",)
        chosen = [name for name in linear if everywhere or name.rpartition(".")[2] in adaptation.targets]
        if not chosen:
            names = sorted({name.rpartition(".")[2] for name in linear})
            raise PlanError(
                f"adaptation.targets: {', '.join(adaptation.targets)} names no linear layer of {self.name}",
                hint=f"It has {', '.join(names)}." if names else "It has none.",
            )
        config = LoraConfig(
            r=adaptation.rank, lora_alpha=adaptation.alpha, lora_dropout=adaptation.dropout, target_modules=chosen,
            use_dora=adaptation.method == "dora",
        )  # fmt: skip
        inject_adapter_in_model(config, self.network)


def _made(name: str, checkpoint: str | None, sample_rate_hz: int) -> Any:
    """Import the class and make one.

    Raises:
        PlanError: there is no such module or class, or it cannot be made.
    """
    module, _, attribute = name.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise PlanError(
            f"backbone.name {name}: {error}", hint="Install the package, or put its folder on PYTHONPATH."
        ) from error
    except AttributeError:
        raise PlanError(f"backbone.name {name}: {module} has no {attribute}") from None
    try:
        network = kind(checkpoint, sample_rate_hz)
    except Exception as error:
        raise PlanError(
            f"backbone.name {name}: it cannot be made with ({checkpoint!r}, {sample_rate_hz}): "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(network, nn.Module):
        raise PlanError(f"backbone.name {name} is {type(network).__name__}, expected a torch.nn.Module")
    return cast(Any, network)


def _article(kind: type) -> str:
    return {int: "an int, the width of a frame", float: "a float, the seconds from frame to frame"}[kind]
