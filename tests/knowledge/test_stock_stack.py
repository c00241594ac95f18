"""What rules say of transformers and peft, tried on tiny networks of the installed versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

SMALL: dict[str, Any] = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
SPEECH: dict[str, Any] = {
    **SMALL, "conv_dim": (8,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
    "num_hidden_layers": 3, "num_labels": 2, "classifier_proj_size": 4,
}  # fmt: skip


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    state = torch.get_rng_state()
    torch.manual_seed(0)
    np.random.seed(0)
    yield
    torch.set_rng_state(state)


def masked(frames: int, share: float = 0.05) -> float:
    from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

    return float(np.mean([_compute_mask_indices((8, frames), share, 10, min_masks=2) for _ in range(60)]))


@pytest.mark.parametrize(("seconds", "share"), [(1, 0.36), (2, 0.19), (5, 0.08)])
def test_the_default_masking_covers_much_of_a_short_clip(seconds: int, share: float) -> None:
    assert masked(50 * seconds - 1) == pytest.approx(share, abs=0.02)


def test_clips_under_ten_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="mask_length"):
        masked(9)


@pytest.mark.parametrize(("asked", "share"), [(0.065, 0.06), (0.65, 0.49)])
def test_the_probability_is_a_share_of_frames(asked: float, share: float) -> None:
    assert masked(499, asked) == pytest.approx(share, abs=0.02)


def test_a_dropped_layer_ends_a_weighted_sum() -> None:
    from transformers import HubertConfig, HubertForSequenceClassification

    config = HubertConfig(**SPEECH, layerdrop=1.0, use_weighted_layer_sum=True)
    network = HubertForSequenceClassification(config).train()
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 8000))


def test_adapters_want_the_names_that_the_layers_have() -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import ASTConfig, ASTModel, Wav2Vec2BertConfig, Wav2Vec2BertModel

    spectrogram = ASTModel(ASTConfig(**SMALL, num_hidden_layers=1))
    bert = Wav2Vec2BertModel(Wav2Vec2BertConfig(**SMALL, num_hidden_layers=1, feature_projection_input_dim=160))
    assert not hasattr(bert, "freeze_feature_encoder")
    for network, wrong, right in ((spectrogram, "query", "q_proj"), (bert, "q_proj", "linear_q")):
        with pytest.raises(ValueError, match="not found"):
            get_peft_model(network, LoraConfig(target_modules=[wrong]))
        get_peft_model(network, LoraConfig(target_modules=[right]))


def test_features_of_inference_mode_are_refused() -> None:
    with torch.inference_mode():
        features = torch.randn(2, 3)
    with pytest.raises(RuntimeError, match="Inference tensors"):
        torch.nn.Linear(3, 1)(features).sum().backward()


@pytest.mark.parametrize(("clips", "mean"), [(2, 0.39), (4, 0.59), (8, 0.68), (16, 0.71), (32, 0.73)])
def test_concordance_is_low_in_small_batches(clips: int, mean: float) -> None:
    generator = np.random.default_rng(0)
    labels = generator.standard_normal((20_000, clips))
    answers = 0.746 * labels + np.sqrt(1 - 0.746**2) * generator.standard_normal(labels.shape)
    both = ((answers - answers.mean(1, keepdims=True)) * (labels - labels.mean(1, keepdims=True))).mean(1)
    apart = (answers.mean(1) - labels.mean(1)) ** 2
    assert np.mean(2 * both / (answers.var(1) + labels.var(1) + apart)) == pytest.approx(mean, abs=0.02)
