"""wav2vec 2.0 and HuBERT: exact under padding, normalised as their preprocessor says, refused by name when they cannot
run."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan_sections import Adaptation, Backbone
from engine.training.backbones import PretrainedEncoder
from engine.training.padding import encode_equal_lengths
from knowledge.errors import InputError, PlanError

from .small_models import KINDS, SAMPLE_RATE_HZ, batch_of, clip, save_checkpoint

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    return {kind: save_checkpoint(folder, *kind) for kind in KINDS}


@pytest.fixture(scope="module")
def encoders(checkpoints):
    return {kind: encoder(path, kind[0]).double().eval() for kind, path in checkpoints.items()}


def encoder(path, name="wav2vec2", method="frozen", layers="last"):
    return PretrainedEncoder(
        Backbone(name=name, checkpoint=path, layers=layers), Adaptation(method=method), SAMPLE_RATE_HZ
    )


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.integers(1, 6000), min_size=2, max_size=3))
def test_frames_alone_and_padded_are_equal(encoders, kind, lengths):
    model = encoders[kind]
    clips = [clip(length, seed) for seed, length in enumerate(lengths)]
    batch = batch_of(clips, fill=7.0)
    together, mask = model(batch.waveforms, batch.lengths)

    for row, one in enumerate(clips):
        alone, valid = model(one[None], torch.tensor([len(one)]))
        assert bool(valid.all())
        assert int(mask[row].sum()) == alone.shape[1]
        torch.testing.assert_close(together[row][mask[row]], alone[0], atol=1e-9, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_in_single_precision_differ_by_less_than_a_ten_thousandth(checkpoints, kind):
    model = encoder(checkpoints[kind], kind[0]).eval()
    short, long = clip(5000, 1).float(), clip(48000, 2).float()
    batch = batch_of([short, long])
    together, mask = model(batch.waveforms, batch.lengths)
    alone, _ = model(short[None], torch.tensor([5000]))

    assert float((together[0][mask[0]] - alone[0]).abs().max()) < 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_one_clip_gives_what_the_stock_network_gives(checkpoints, kind):
    import transformers

    stock_class = {
        "wav2vec2": transformers.Wav2Vec2Model,
        "hubert": transformers.HubertModel,
        "wavlm": transformers.WavLMModel,
    }[kind[0]]
    stock = stock_class.from_pretrained(checkpoints[kind]).double().eval()
    wave = clip(9000)
    normal = (wave - wave.mean()) / (wave.var(correction=0) + 1e-7).sqrt()
    with torch.no_grad():
        expected = stock(normal[None], output_hidden_states=True)
    model = encoder(checkpoints[kind], kind[0]).double()
    every_layer = encoder(checkpoints[kind], kind[0], layers="weighted-sum").double()
    frames, _ = model(wave[None], torch.tensor([9000]))
    layers, _ = every_layer(wave[None], torch.tensor([9000]))

    torch.testing.assert_close(frames, expected.last_hidden_state)
    assert every_layer.layers == 3
    torch.testing.assert_close(layers[..., :32], expected.hidden_states[0])
    torch.testing.assert_close(layers[..., -32:], expected.last_hidden_state)


@pytest.mark.parametrize(("kind", "expected"), [(KINDS[0], "masked-norm"), (KINDS[1], "as-is")])
def test_the_cheapest_exact_way_is_found_by_trying(checkpoints, kind, expected):
    assert encoder(checkpoints[kind], kind[0]).strategy == expected


def test_a_network_that_neither_way_makes_exact_is_run_one_length_at_a_time(tmp_path):
    # Batch norm before the positional convolution shifts the zeros of padded frames.
    path = save_checkpoint(tmp_path, "hubert", "group", conv_pos_batch_norm=True)
    import safetensors.torch

    file = Path(path) / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    weights["encoder.pos_conv_embed.batch_norm.bias"] += 0.5
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})

    model = encoder(path, "hubert").double()
    assert model.strategy == "equal-lengths"
    clips = [clip(3000, 1), clip(6000, 2), clip(3000, 3)]
    batch = batch_of(clips)
    together, mask = model(batch.waveforms, batch.lengths)
    for row, one in enumerate(clips):
        alone, _ = model(one[None], torch.tensor([len(one)]))
        torch.testing.assert_close(together[row][mask[row]], alone[0], atol=1e-9, rtol=0)


def test_masked_statistics_equal_one_length_at_a_time(encoders):
    model = encoders[KINDS[0]]
    batch = batch_of([clip(6000, 1), clip(2000, 2), clip(4000, 3)])
    masked, mask = model(batch.waveforms, batch.lengths)
    normal = torch.zeros_like(batch.waveforms)
    for row, length in enumerate(batch.lengths.tolist()):
        one = batch.waveforms[row, :length]
        normal[row, :length] = (one - one.mean()) / (one.var(correction=0) + 1e-7).sqrt()

    grouped = encode_equal_lengths(model._prefix, normal, batch.lengths, batch.lengths, masked.shape[1])

    torch.testing.assert_close(masked[mask], grouped[mask])


def write_preprocessor(path, **settings):
    content = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", **settings}
    (Path(path) / "preprocessor_config.json").write_text(json.dumps(content))


def test_input_is_normalised_only_where_the_preprocessor_says_so(tmp_path):
    path = save_checkpoint(tmp_path, "wav2vec2", "layer")
    wave, length = clip(4000)[None], torch.tensor([4000])
    default, _ = encoder(path).double()(wave, length)
    default_louder, _ = encoder(path).double()(5 * wave + 1, length)
    write_preprocessor(path, do_normalize=False, sampling_rate=16000)
    raw, _ = encoder(path).double()(wave, length)
    raw_louder, _ = encoder(path).double()(5 * wave + 1, length)

    torch.testing.assert_close(default, default_louder, atol=1e-4, rtol=0)
    assert float((raw - raw_louder).abs().max()) > 1e-2
    assert float((raw - default).abs().max()) > 1e-2


def test_another_sample_rate_than_the_checkpoints_is_refused(tmp_path):
    path = save_checkpoint(tmp_path)
    write_preprocessor(path, do_normalize=True, sampling_rate=8000)

    with pytest.raises(PlanError, match=r"data\.sample_rate_hz is 16000.*8000"):
        encoder(path)


def test_random_parts_of_the_stock_network_are_off(tmp_path):
    path = save_checkpoint(
        tmp_path, layerdrop=0.9, mask_time_prob=0.5, mask_feature_prob=0.5, hidden_dropout=0.0, attention_dropout=0.0,
        activation_dropout=0.0, feat_proj_dropout=0.0,
    )  # fmt: skip
    model = encoder(path, method="full").train()
    wave, length = clip(3000).float()[None], torch.tensor([3000])

    assert torch.equal(model(wave, length)[0], model(wave, length)[0])
    assert not any("masked_spec_embed" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("method", ["frozen", "lora"])
@pytest.mark.parametrize("kind", KINDS[:3:2])
def test_no_gradient_runs_through_frozen_convolutions(checkpoints, kind, method):
    model = encoder(checkpoints[kind], kind[0], method).train()
    convolutions = next(m for n, m in model.named_modules() if n.endswith("feature_extractor"))
    asked = []
    convolutions.register_forward_hook(lambda module, inputs, output: asked.append(output.requires_grad))

    model(clip(3000).float()[None], torch.tensor([3000]))

    assert asked == [False]


def other_model(folder, kind):
    path = folder / kind
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"model_type": kind}))
    return str(path)


@pytest.mark.parametrize(
    ("kind", "title"),
    [("unispeech-sat", "UniSpeech-SAT"), ("sew", "SEW"), ("clap", "CLAP"), ("beats", "beats")],
)
def test_other_backbones_are_refused_by_name_with_what_runs(tmp_path, kind, title):
    with pytest.raises(PlanError, match=f"cannot run {title} yet.*the nearest plan that runs is backbone.name"):
        encoder(other_model(tmp_path, kind))


def test_checkpoint_of_the_other_kind_is_named(checkpoints):
    with pytest.raises(PlanError, match=r"backbone\.name is wav2vec2, but .* is a hubert model"):
        encoder(checkpoints[KINDS[2]], "wav2vec2")


def test_missing_checkpoint_says_what_to_do():
    with pytest.raises(InputError, match="nobody/nothing cannot be loaded") as caught:
        encoder("nobody/nothing")
    assert "HF_HUB_OFFLINE" in caught.value.hint

    with pytest.raises(PlanError, match=r"backbone\.checkpoint is not given"):
        encoder(None)


def test_truncated_weights_are_refused(tmp_path):
    path = save_checkpoint(tmp_path)
    file = Path(path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])

    with pytest.raises(InputError, match="cannot be loaded"):
        encoder(path)


def test_missing_weights_do_not_start_random(tmp_path):
    import safetensors.torch

    path = save_checkpoint(tmp_path)
    file = Path(path) / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    del weights["encoder.layers.1.attention.q_proj.weight"]
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})

    with pytest.raises(InputError, match=r"lacks 1 weights .* encoder\.layers\.1\.attention\.q_proj\.weight"):
        encoder(path)


def test_pretraining_checkpoints_with_old_names_in_half_precision_are_read(tmp_path):
    import safetensors.torch
    import transformers

    path = save_checkpoint(tmp_path)
    weights = transformers.Wav2Vec2Model.from_pretrained(path).half().state_dict()
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    renamed = {}
    for name, value in weights.items():
        for new_name, old_name in old.items():
            name = name.replace(new_name, old_name)
        renamed[f"wav2vec2.{name}"] = value
    safetensors.torch.save_file(renamed, Path(path) / "model.safetensors", metadata={"format": "pt"})

    loaded = encoder(path).network.state_dict()

    assert set(weights) - set(loaded) == {"masked_spec_embed"}  # of pretraining only
    assert all(value.dtype == torch.float32 for value in loaded.values())
    assert all(torch.equal(value, weights[name].float()) for name, value in loaded.items())
