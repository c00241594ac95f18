"""The memory estimate against what autograd keeps in real networks, in bytes, on the CPU.

    python -m benchmarks.memory

Random weights; tensors saved for backward are counted once a storage, weights left out. The estimate's dropout masks
are left out too: the CPU keeps them as floats, a GPU as bytes. Peak memory on a GPU: not measured, no GPU.
"""

from __future__ import annotations

from typing import Any

from benchmarks.data import keep
from engine.memory import Method, kept_by_layer
from knowledge.cards import Shape

_CASES: tuple[tuple[str, Method, bool, int, int, int, int, float], ...] = (
    ("narrow", "full", False, 64, 256, 4, 3, 2.0),
    ("narrow, whole attention maps", "full", True, 64, 256, 4, 3, 8.0),
    ("narrow, adapters", "adapters", False, 64, 256, 4, 3, 2.0),
    ("wide and flat", "full", False, 256, 512, 8, 2, 2.0),
    ("wav2vec2-base", "full", False, 768, 3072, 12, 12, 2.0),
    ("wav2vec2-base, adapters", "adapters", False, 768, 3072, 12, 12, 2.0),
)


def main() -> None:
    """Count each case, estimate it, and keep both with their ratio."""
    rows = []
    for name, method, eager, hidden, feed_forward, heads, layers, seconds in _CASES:
        measured, frames = kept_by_network(method, eager, hidden, feed_forward, heads, layers, seconds)
        estimated = layers * layer_bytes(method, eager, hidden, feed_forward, heads, frames)
        rows.append(
            {"case": name, "measured_bytes": measured, "estimated_bytes": estimated, "ratio": estimated / measured}
        )
    keep("memory", {"kept for backward, float32, layers only": rows, "peak on a GPU": "not measured: no GPU"})


def layer_bytes(method: Method, eager: bool, hidden: int, feed_forward: int, heads: int, frames: int) -> float:
    """Return the estimate for one layer in float32, without dropout masks."""
    shape = Shape(layers=1, hidden=hidden, heads=heads, feed_forward=feed_forward, frames_per_second=50)
    pairs = heads * frames**2 * 5 if eager else 0  # without dropout only the softmax is kept, 4 of the 9 bytes
    return kept_by_layer(shape, method, frames, "fp32", eager) - 2 * hidden * frames - pairs


def kept_by_network(
    method: Method, eager: bool, hidden: int, feed_forward: int, heads: int, layers: int, seconds: float
) -> tuple[int, int]:
    """Return the bytes that the layers of a wav2vec 2.0 network keep of one clip, and its frames."""
    import torch

    model, empty = (_network(method, eager, hidden, feed_forward, heads, count) for count in (layers, 1))
    waveform = torch.randn(1, round(seconds * 16000))
    frames = int(model.get_submodule("feature_extractor")(waveform).shape[-1])
    one = _saved(empty, waveform)
    # The stem is taken out by the difference of two depths.
    return round((_saved(model, waveform) - one) * layers / (layers - 1)), frames


def _network(method: Method, eager: bool, hidden: int, feed_forward: int, heads: int, layers: int) -> Any:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    nothing = ("layerdrop", "hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout")
    config = Wav2Vec2Config(
        hidden_size=hidden,
        intermediate_size=feed_forward,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        apply_spec_augment=False,
        attn_implementation="eager" if eager else "sdpa",
        **dict.fromkeys(nothing, 0.0),
    )
    model = Wav2Vec2Model(config).train()
    model.feature_extractor.requires_grad_(False)
    model.feature_extractor._requires_grad = False
    if method != "adapters":
        return model
    from peft import LoraConfig, get_peft_model

    adapted: Any = get_peft_model(
        model.requires_grad_(False), LoraConfig(r=8, target_modules=["q_proj", "v_proj"], lora_dropout=0.0)
    )
    return adapted.get_base_model()


def _saved(model: Any, waveform: Any) -> int:
    import torch

    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, Any] = {}

    def pack(tensor: Any) -> Any:
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(waveform).last_hidden_state
    del output
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


if __name__ == "__main__":
    main()
