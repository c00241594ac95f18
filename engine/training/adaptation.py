"""Which part of a backbone learns: nothing, its top layers, low-rank adapters (LoRA, DoRA), or all of it.

It never trains. Before anything is trained it is tried whether every adapter can change the answer at all.
"""

from __future__ import annotations

import copy
import difflib
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from engine.plan_sections import Adaptation
from knowledge.errors import PlanError

from .stages import Stages

_EVERY_LINEAR = "all-linear"
_OTHER_NAMES = {
    "linear_q": "q_proj",
    "linear_k": "k_proj",
    "linear_v": "v_proj",
    "linear_out": "out_proj",
    "o_proj": "out_proj",
}
"""Names of projections in W2V-BERT and AST, and what wav2vec 2.0, HuBERT, WavLM and Whisper call the same ones."""
_PROBE_TOKENS = 8


class _HasEncoder(Protocol):
    encoder: nn.Module


Model = TypeVar("Model", bound=nn.Module)


def adapt(network: nn.Module, stages: Stages, adaptation: Adaptation) -> None:
    """Make only the learning part of the network trainable; `lora` and `dora` put adapters into it.

    Convolutions over the waveform never learn: they carry most of the activations' memory, and on little data they lose
    what pretraining gave them (Baevski et al. 2020 keep them fixed in fine-tuning).

    Raises:
        PlanError: a target of `adaptation.targets` names no linear layer of the network, or one that it does not run.
    """
    network.requires_grad_(adaptation.method == "full")
    for name, module in network.named_modules():
        if name in ("feature_extractor", "embed_positions"):  # Whisper's positions are fixed sinusoids
            module.requires_grad_(False)
    top = _top_layers(stages.layers, adaptation)
    if adaptation.method == "partial":
        for module in [*(stages.layers[index] for index in top), *stages.tail()]:
            module.requires_grad_(True)
    if adaptation.method in ("lora", "dora"):
        targets = _targets(stages.layers, top, adaptation.targets)
        _check_alive(stages, targets)
        _insert_adapters(network, stages.layers, targets, adaptation)


def _top_layers(layers: nn.ModuleList, adaptation: Adaptation) -> range:
    count = adaptation.top_layers or len(layers)
    if count > len(layers):
        raise PlanError(f"adaptation.top_layers is {count}, and this backbone has {len(layers)} layers")
    return range(len(layers) - count, len(layers))


def _targets(layers: nn.ModuleList, top: range, wanted: tuple[str, ...]) -> dict[str, nn.Linear]:
    """Return the linear layers that get an adapter, by their name in `layers`."""
    linear = {name: m for name, m in layers.named_modules() if isinstance(m, nn.Linear) and _index(name) in top}
    if wanted == (_EVERY_LINEAR,):
        return linear
    known = {_last(name) for name in linear} | {_common(name) for name in linear}
    for target in wanted:
        if target not in known:
            close = difflib.get_close_matches(target, sorted(known), n=1)
            raise PlanError(
                f"adaptation.targets: {target} names no linear layer of this backbone, so nothing would be trained",
                hint=f"Did you mean {close[0]}?" if close else f"It has {', '.join(sorted(known))}.",
            )
    return {name: module for name, module in linear.items() if {_last(name), _common(name)} & set(wanted)}


def _index(name: str) -> int:
    return int(name.partition(".")[0])


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def names_of(targets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names by which any backbone may call the projections that a plan names."""
    return (*targets, *(own for own, common in _OTHER_NAMES.items() if common in targets))


def _common(name: str) -> str:
    return _OTHER_NAMES.get(_last(name), _last(name))


def _check_alive(stages: Stages, targets: dict[str, nn.Linear]) -> None:
    dead = without_effect(stages, targets)
    if dead:
        raise PlanError(
            f"adaptation.targets: an adapter at {dead[0]} and {len(dead) - 1} more cannot change what this backbone "
            "answers: the network uses their weights past the module, so nothing of them would be trained",
            hint="Choose other targets, or adaptation.method: partial.",
        )


def without_effect(stages: Stages, targets: dict[str, nn.Linear]) -> list[str]:
    """Name the targets whose output does not influence what the last layer gives.

    Found by running the layers once: a zero that wants a gradient is added to what each target gives, and gets one only
    if the target is run as a module, as an adapter around it is.
    """
    like = next(stages.layers.parameters())
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(1, _PROBE_TOKENS, stages.hidden, generator=generator).to(like)
    added = {name: torch.zeros((), dtype=like.dtype, device=like.device, requires_grad=True) for name in targets}
    hooks = [module.register_forward_hook(_adding(added[name])) for name, module in targets.items()]
    try:
        with torch.enable_grad():
            extras = stages.extras(tokens, None)
            for index in range(len(stages.layers)):
                tokens = stages.layer(index, tokens, extras)
            # Any weights that differ from token to token and from feature to feature: a plain sum over what a norm
            # gives is constant.
            weights = torch.randn(tokens.shape, generator=generator).to(tokens)
            found = torch.autograd.grad((tokens * weights).sum(), list(added.values()), allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
    return [name for name, gradient in zip(added, found, strict=True) if gradient is None or not bool(gradient != 0)]


def _adding(zero: Tensor) -> Any:
    def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # Not the same for every feature: scores do not change when all keys move alike.
        return output + zero * torch.linspace(-1, 1, output.numel()).to(output).view_as(output)

    return hook


def _insert_adapters(
    network: nn.Module, layers: nn.ModuleList, targets: dict[str, nn.Linear], chosen: Adaptation
) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    prefix = next(name for name, module in network.named_modules() if module is layers)
    config = LoraConfig(
        r=chosen.rank,
        lora_alpha=chosen.alpha,
        lora_dropout=chosen.dropout,
        target_modules=[f"{prefix}.{name}" for name in targets],
        use_dora=chosen.method == "dora",
    )
    inject_adapter_in_model(config, network)


def merged(model: Model) -> Model:
    """Return a copy of an `AudioModel` whose adapters are added into the weights: same answers, nothing to import.

    A model without adapters is copied as it is.
    """
    result = copy.deepcopy(model)
    for name, module in list(cast(_HasEncoder, result).encoder.named_modules()):
        if hasattr(module, "base_layer") and hasattr(module, "merge"):
            adapter: Any = module
            adapter.merge()
            parent, _, attribute = name.rpartition(".")
            setattr(cast(_HasEncoder, result).encoder.get_submodule(parent), attribute, adapter.base_layer)
    return result.requires_grad_(False).eval()
