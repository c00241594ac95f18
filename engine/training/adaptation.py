"""Which part of a backbone learns: nothing, low-rank adapters (LoRA, DoRA), or all of it. It never runs the network."""

from __future__ import annotations

import copy
import difflib
from typing import Protocol, TypeVar, cast

from torch import nn

from engine.plan import Adaptation
from knowledge.errors import PlanError


class _HasEncoder(Protocol):
    encoder: nn.Module


Model = TypeVar("Model", bound=nn.Module)


def adapt(network: nn.Module, adaptation: Adaptation) -> nn.Module:
    """Return the network with only its learning part trainable; `lora` and `dora` put adapters into it.

    The convolutions at the input never learn: they carry most of the activations' memory, and on little data they
    lose what pretraining gave them (Baevski et al. 2020 keep them fixed in fine-tuning).

    Raises:
        PlanError: a target of `adaptation.targets` names no linear layer of the network.
    """
    network.requires_grad_(adaptation.method == "full")
    feature_extractor = network.get_submodule("feature_extractor")
    feature_extractor.requires_grad_(False)
    if adaptation.method not in ("lora", "dora"):
        return network
    _check_targets(network, adaptation.targets)
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=adaptation.rank,
        lora_alpha=adaptation.alpha,
        lora_dropout=adaptation.dropout,
        target_modules=list(adaptation.targets),
        use_dora=adaptation.method == "dora",
    )
    return cast(nn.Module, get_peft_model(network, config))


def merged(model: Model) -> Model:
    """Return a copy of an `AudioModel` whose adapters are added into the weights: same answers, nothing to import.

    A model without adapters is copied as it is.
    """
    result = copy.deepcopy(model)
    encoder = cast(_HasEncoder, result).encoder
    network = getattr(encoder, "network", None)
    if network is not None and hasattr(network, "merge_and_unload"):
        encoder.network = network.merge_and_unload()
    return result.requires_grad_(False).eval()


def _check_targets(network: nn.Module, targets: tuple[str, ...]) -> None:
    layers = {name.rpartition(".")[2] for name, module in network.named_modules() if isinstance(module, nn.Linear)}
    for target in targets:
        if target not in layers:
            close = difflib.get_close_matches(target, sorted(layers), n=1)
            raise PlanError(
                f"adaptation.targets: {target} names no linear layer of this backbone, so nothing would be trained",
                hint=f"Did you mean {close[0]}?" if close else f"It has {', '.join(sorted(layers))}.",
            )
