"""Small random checkpoints of the real classes, plans for them, and padded batches to run them on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.plan import Plan, make_plan
from engine.training.model import Batch

SAMPLE_RATE_HZ = 16000
KINDS = [
    ("wav2vec2", "group"), ("wav2vec2", "layer"), ("hubert", "group"), ("hubert", "layer"), ("wavlm", "group"),
    ("wavlm", "layer"),
]  # fmt: skip
"""Backbone and the norm of its convolutions: `group` as in the base models, `layer` as in the large ones."""


def save_checkpoint(folder: Path, kind: str = "wav2vec2", norm: str = "group", **changes: Any) -> str:
    """Save a random model with two layers of 32 features to a new folder and return its path."""
    import transformers

    settings = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "conv_dim": (16,) * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
        "feat_extract_norm": norm,
        "do_stable_layer_norm": norm == "layer",
        "conv_bias": norm == "layer",
    }
    model_class = {
        "wav2vec2": transformers.Wav2Vec2Model,
        "hubert": transformers.HubertModel,
        "wavlm": transformers.WavLMModel,
    }[kind]
    path = folder / f"{kind}-{norm}"
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model_class(model_class.config_class(**(settings | changes))).save_pretrained(path)
    return str(path)


def save_spectral_checkpoint(folder: Path, kind: str, **changes: Any) -> str:
    """Save a random AST, Whisper or W2V-BERT with two layers of 32 features, and return its path.

    AST hears 1.28 s and Whisper 2 s at once.
    """
    import transformers

    common = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    model_class, settings = {
        "ast": (transformers.ASTForAudioClassification, common | {"max_length": 128}),
        "whisper": (
            transformers.WhisperModel,
            {
                "d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 64,
                "decoder_layers": 1, "decoder_attention_heads": 4, "decoder_ffn_dim": 64, "vocab_size": 100,
                "max_source_positions": 100, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                "decoder_start_token_id": 1,
            },
        ),
        "w2v-bert": (transformers.Wav2Vec2BertModel, common | {"output_hidden_size": 32}),
    }[kind]  # fmt: skip
    path = folder / kind
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = model_class(model_class.config_class(**(settings | changes)))
        for parameter in model.parameters():
            if parameter.ndim > 1:  # positions and summary tokens start at zero
                parameter.data += 0.02 * torch.randn_like(parameter)
        model.save_pretrained(path)
    return str(path)


SPECTRAL = ("ast", "whisper", "w2v-bert")


def plan_with(classes: bool = True, **sections: Any) -> Plan:
    """Return a plan with the given sections; classification unless `classes` is false."""
    task = {"task": {"type": "classification"}} if classes else {"task": {"type": "regression"}}
    loss = {} if classes else {"training": {"loss": "mse"}}
    return make_plan({"data": {"manifest": "clips.csv"}, **task, **loss, **sections}, "test")


def clip(samples: int, seed: int = 0) -> Tensor:
    """Return (samples,) float64 noise with a slow swell, so that no two stretches are alike."""
    generator = torch.Generator().manual_seed(1000 * seed + samples)
    swell = torch.linspace(0.02, 0.4, samples, dtype=torch.float64)
    return torch.randn(samples, generator=generator, dtype=torch.float64) * swell


def batch_of(clips: Sequence[Tensor], labels: Sequence[float] | None = None, fill: float = 0.0) -> Batch:
    """Return the clips as a padded batch, with `fill` where a clip has ended."""
    lengths = torch.tensor([len(one) for one in clips])
    waveforms = torch.full((len(clips), int(lengths.max())), fill, dtype=clips[0].dtype)
    for row, one in enumerate(clips):
        waveforms[row, : len(one)] = one
    targets = torch.tensor(labels) if labels is not None else torch.arange(len(clips)) % 3
    return Batch(waveforms, lengths, targets, torch.arange(len(clips)))
