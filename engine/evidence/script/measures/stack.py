"""Where a script meets a known defect of the packages it uses, or a slip of much copied listings; says only where."""

from __future__ import annotations

import ast

from knowledge.records import Evidence, Measured

from ..calls import Call, _Names, texts
from ..script import Script
from ..sources import Source
from ..values import Instance, Value
from .answers import there
from .layers import used_backbones


def measure_stack(script: Script) -> Measured:
    """Return the known defects that a script meets; a fact is only there when what it is about is there."""
    return _adapters(script) + _unscaling(script) + _front_end(script) + _seed_loop(script)


def _adapters(script: Script) -> Measured:
    """Return `script.wavlm_adapters`: whether low-rank weights are put on WavLM's own attention."""
    configs = [call for call in script.calls("low-rank-adapters") if not call.hook]
    wavlm = [each for each in used_backbones(script) if _is_wavlm(each.call)]
    if not configs or not wavlm:
        return Measured()
    attention = any(_on_attention(call.argument("target_modules")) for call in configs)
    return there(script, "script.wavlm_adapters", attention, *(script.of(call) for call in configs))


def _is_wavlm(call: Call) -> bool:
    kind = call.result.type if isinstance(call.result, Instance) else call.name
    loaded = " ".join(texts(call.arguments[0] if call.arguments else None, deepest=3))
    return kind.startswith("transformers.") and "wavlm" in f"{kind} {loaded}".lower()


def _on_attention(value: Value | None) -> bool:
    named = texts(value, deepest=3)
    return any(name.rpartition(".")[2] in ("q_proj", "k_proj", "v_proj", "out_proj", "all-linear") for name in named)


def _unscaling(script: Script) -> Measured:
    """Return `script.clipping_of_scaled`: whether gradients are clipped while the scaler still multiplies them."""
    scales, clips = script.calls("loss-scaling"), script.calls("gradient-clipping")
    clips = [call for call in clips if not call.name.startswith("accelerate.")]
    if not scales or not clips:
        return Measured()
    unscales = script.calls("gradient-unscaling")
    scaled = [call for call in clips if not any(_before(each, call, scales) for each in unscales)]
    shown = [script.of(call) for call in scaled or clips]
    return there(script, "script.clipping_of_scaled", bool(scaled), *shown)


def _before(unscale: Call, clip: Call, scales: list[Call]) -> bool:
    """Return whether gradients are unscaled between the last scaled loss and the clipping."""
    last = max((call.order for call in scales if call.order < clip.order), default=-1)
    return last < unscale.order < clip.order


def _front_end(script: Script) -> Measured:
    """Return `script.gradient_through_frozen`: whether gradients still run through a frozen speech network.

    The convolutional encoder of wav2vec 2.0 and its kin asks for gradients of its own input while it trains, unless
    `freeze_feature_encoder()` was called; setting `requires_grad` does not change that.
    """
    whole = [call for call in script.calls("freezes-whole-network") if not call.hook]
    kinds = _Names(script.symbols["asks-for-gradients"])
    networks = [each for each in used_backbones(script) if _kind(each.call, kinds)]
    if not whole or not networks:
        return Measured()
    front = [call for call in script.calls("freezes-front-end") if not call.hook]
    return there(script, "script.gradient_through_frozen", not front, *(script.of(call) for call in whole))


def _kind(call: Call, kinds: _Names) -> bool:
    return isinstance(call.result, Instance) and kinds.has(call.result.type)


def _seed_loop(script: Script) -> Measured:
    """Return `script.seed_loop_returns`: whether a loop over seeds ends with its first one."""
    loops = [(path, source, node) for path, source in script.project.sources.items() for node in _loops(source)]
    early: list[Evidence] = []
    others: list[Evidence] = []
    for _, source, node in loops:
        returns = [each for each in node.body if isinstance(each, ast.Return)]
        shown = script.evidence(source.place(returns[0] if returns else node), "a loop over seeds")
        (early if returns else others).append(shown)
    if not loops:
        return Measured()
    return there(script, "script.seed_loop_returns", bool(early), *(early or others))


def _loops(source: Source) -> list[ast.For]:
    """Return loops whose variable is a seed."""
    return [
        node for node in source.nodes(ast.For) if isinstance(node.target, ast.Name) and "seed" in node.target.id.lower()
    ]
