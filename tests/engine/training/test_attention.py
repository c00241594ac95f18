"""WavLM's attention: the stock answers, gradients for every adapter, and a probe that finds adapters without effect."""

import pytest
import torch
from torch import nn

from engine.plan_sections import Adaptation, Backbone
from engine.training.adaptation import without_effect
from engine.training.attention import GatedAttention, with_trainable_attention
from engine.training.backbones import PretrainedEncoder
from engine.training.stages import ConvolutionalStages

from .small_models import SAMPLE_RATE_HZ, save_checkpoint

torch.set_num_threads(1)


def stock(path):
    import transformers

    return transformers.WavLMModel.from_pretrained(path, layerdrop=0.0).double().eval()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return save_checkpoint(tmp_path_factory.mktemp("wavlm"), "wavlm", "layer", num_buckets=40, max_bucket_distance=60)


@pytest.mark.parametrize("frames", [1, 7, 150])
@pytest.mark.filterwarnings("ignore:Support for mismatched")
def test_it_answers_as_the_stock_one_with_and_without_padding(path, frames):
    theirs, ours = stock(path), with_trainable_attention(stock(path))
    clips = torch.randn(2, frames, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(frames))
    mask = torch.arange(frames)[None] < torch.tensor([[frames], [frames // 2 + 1]])
    for layer in range(2):
        shared = theirs.encoder.layers[0].attention(clips)[2]
        bias = ours.encoder.layers[0].attention.position_bias(frames)
        expected, _, _ = theirs.encoder.layers[layer].attention(clips, attention_mask=mask, position_bias=shared)
        actual, _, _ = ours.encoder.layers[layer].attention(clips, attention_mask=mask, position_bias=bias)
        torch.testing.assert_close(actual[mask], expected[mask], atol=1e-12, rtol=0)


def test_it_keeps_the_names_of_the_weights(path):
    network = stock(path)
    before = set(network.state_dict())

    assert set(with_trainable_attention(network).state_dict()) == before


def linear_in(network):
    return {n: m for n, m in network.encoder.layers.named_modules() if isinstance(m, nn.Linear) and "gru" not in n}


def test_the_probe_finds_what_the_stock_attention_does_not_run(path, monkeypatch):
    network = stock(path)
    stages = ConvolutionalStages(network, SAMPLE_RATE_HZ)
    bias = network.encoder.layers[0].attention.compute_bias(8, 8).detach()
    monkeypatch.setattr(stages, "extras", lambda tokens, mask: {"position_bias": bias})
    dead = without_effect(stages, linear_in(network))

    assert len(dead) == 8
    assert {name.rpartition(".")[2] for name in dead} == {"q_proj", "k_proj", "v_proj", "out_proj"}
    monkeypatch.undo()
    with_trainable_attention(network)
    assert without_effect(stages, linear_in(network)) == []


def test_the_encoder_has_the_trainable_one(path):
    backbone = Backbone(name="wavlm", checkpoint=path)
    encoder = PretrainedEncoder(backbone, Adaptation(method="dora"), SAMPLE_RATE_HZ)

    assert all(isinstance(layer.attention, GatedAttention) for layer in encoder.network.encoder.layers)


def test_another_attention_than_is_known_is_not_replaced_in_silence(path, monkeypatch):
    network = stock(path)
    attention = type(network.encoder.layers[0].attention)
    original = attention.forward
    monkeypatch.setattr(attention, "forward", lambda *args, **named: (2 * original(*args, **named)[0], None, None))

    with pytest.raises(RuntimeError, match="differs from ours"):
        with_trainable_attention(network)
