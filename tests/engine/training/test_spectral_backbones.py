"""AST, Whisper and W2V-BERT: the preprocessor's input, the stock network's states, exact under padding."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan_sections import Adaptation, Backbone
from engine.training.backbones import PretrainedEncoder

from .small_models import SAMPLE_RATE_HZ, SPECTRAL, batch_of, clip, save_spectral_checkpoint

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spectral")
    paths = {kind: save_spectral_checkpoint(folder, kind) for kind in SPECTRAL}
    settings = {"max_length": 128, "mean": -6.8, "std": 5.5, "sampling_rate": 16000}
    (Path(paths["ast"]) / "preprocessor_config.json").write_text(json.dumps(settings))
    return paths


def encoder(checkpoints, kind, fill="window", layers="last", **adaptation):
    backbone = Backbone(name=kind, checkpoint=checkpoints[kind], fill=fill, layers=layers)
    return PretrainedEncoder(backbone, Adaptation(**adaptation), SAMPLE_RATE_HZ)


@pytest.fixture(scope="module")
def encoders(checkpoints):
    return {
        (kind, fill): encoder(checkpoints, kind, fill).double().eval()
        for kind in SPECTRAL
        for fill in ("window", "clip")
    }


def features_of(kind, checkpoints, wave):
    """Return what the preprocessor of transformers gives for one clip."""
    import transformers

    if kind == "ast":
        extractor = transformers.ASTFeatureExtractor(max_length=128, mean=-6.8, std=5.5)
        return extractor(wave, sampling_rate=16000, return_tensors="pt")["input_values"]
    if kind == "whisper":
        extractor = transformers.WhisperFeatureExtractor(chunk_length=2)
        return extractor(wave, sampling_rate=16000, return_tensors="pt")["input_features"]
    return transformers.SeamlessM4TFeatureExtractor()(wave, sampling_rate=16000, return_tensors="pt")


def stock_of(kind, checkpoints):
    import transformers

    name = {"ast": "ASTModel", "whisper": "WhisperModel", "w2v-bert": "Wav2Vec2BertModel"}[kind]
    network = getattr(transformers, name).from_pretrained(checkpoints[kind]).eval()
    return network.encoder if kind == "whisper" else network


@pytest.mark.parametrize("samples", [6000, 17777])
def test_the_input_is_that_of_the_preprocessor(checkpoints, samples):
    wave = clip(samples).numpy().astype(np.float32)
    lengths = torch.tensor([samples])
    for kind in SPECTRAL:
        stages = encoder(checkpoints, kind).stages
        ours = stages.stem(torch.from_numpy(wave)[None], lengths)[0]
        theirs = features_of(kind, checkpoints, wave)
        if kind == "whisper":
            theirs = theirs.transpose(1, 2)
        if kind == "w2v-bert":
            theirs = theirs["input_features"][:, : len(ours)]
        assert float((ours - theirs[0]).abs().max()) < 2e-3, kind


@pytest.mark.parametrize("kind", SPECTRAL)
def test_one_clip_gives_what_the_stock_network_gives(checkpoints, kind):
    wave = clip(16000).float()
    network = stock_of(kind, checkpoints)
    features = features_of(kind, checkpoints, wave.numpy())
    with torch.no_grad():
        if kind == "w2v-bert":
            expected = network(**features).last_hidden_state[:, :49]
        else:
            expected = network(features).last_hidden_state
    frames, mask = encoder(checkpoints, kind).eval()(wave[None], torch.tensor([16000]))

    if kind == "ast":  # patches come band by band in the stock network, and two summaries before them
        moments = expected[0, 2:].view(12, -1, 32).mean(0)
        expected = torch.cat([moments, expected[0, :2].mean(0).expand_as(moments)], 1)[None]
    torch.testing.assert_close(frames, expected[:, : frames.shape[1]], atol=2e-3, rtol=0)
    assert int(mask.sum()) == {"ast": 9, "whisper": 50, "w2v-bert": 49}[kind]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(SPECTRAL),
    st.sampled_from(["window", "clip"]),
    st.lists(st.integers(1, 30000), min_size=2, max_size=3),
)
def test_frames_alone_and_padded_are_equal(encoders, kind, fill, lengths):
    model = encoders[kind, fill]
    clips = [clip(length, seed) for seed, length in enumerate(lengths)]
    batch = batch_of(clips, fill=7.0)
    together, mask = model(batch.waveforms, batch.lengths)

    for row, one in enumerate(clips):
        alone, valid = model(one[None], torch.tensor([len(one)]))
        assert bool(valid.all())
        assert int(mask[row].sum()) == alone.shape[1]
        torch.testing.assert_close(together[row][mask[row]], alone[0], atol=1e-8, rtol=0)


@pytest.mark.parametrize("kind", ["ast", "whisper"])
@pytest.mark.parametrize("fill", ["window", "clip"])
def test_a_clip_longer_than_the_window_is_read_window_by_window(encoders, kind, fill):
    model = encoders[kind, fill]
    window = model.stages.window
    long = clip(2 * window + 8000)
    whole, mask = model(long[None], torch.tensor([len(long)]))
    parts = [model(part[None], torch.tensor([len(part)]))[0][0] for part in long.split(window)]

    assert bool(mask.all())
    torch.testing.assert_close(whole[0], torch.cat(parts), atol=1e-9, rtol=0)


def test_reading_the_clip_alone_runs_fewer_tokens(encoders):
    short = torch.tensor([4800])
    for kind in ("ast", "whisper"):
        filled, alone = (encoders[kind, fill].stages.token_lengths(short) for fill in ("window", "clip"))
        assert int(alone) < int(filled) / 3


@pytest.mark.parametrize("kind", SPECTRAL)
def test_layers_side_by_side_end_with_the_last(checkpoints, kind):
    wave, length = clip(9000).float()[None], torch.tensor([9000])
    last, _ = encoder(checkpoints, kind)(wave, length)
    model = encoder(checkpoints, kind, layers="weighted-sum")
    every, _ = model(wave, length)

    assert model.layers == 3
    torch.testing.assert_close(every[..., -last.shape[-1] :], last)
