"""Going on from what the frozen part gave equals computing it again, for every backbone and every way to adapt it."""

import pytest
import torch

from engine.plan_sections import Adaptation, Backbone
from engine.training.backbones import PretrainedEncoder
from engine.training.census import silent_tensors as census
from engine.training.model import build_model
from knowledge.errors import PlanError

from .small_models import SAMPLE_RATE_HZ, SPECTRAL, batch_of, clip, plan_with, save_checkpoint, save_spectral_checkpoint

torch.set_num_threads(1)
NAMES = ("wav2vec2", "hubert", "wavlm", *SPECTRAL)
WAYS = {
    "frozen": ({}, None),
    "lora": ({"method": "lora", "rank": 4}, 0),
    "dora": ({"method": "dora", "rank": 4, "targets": ("all-linear",)}, 0),
    "top lora": ({"method": "lora", "rank": 4, "top_layers": 1}, 1),
    "partial": ({"method": "partial", "top_layers": 1}, 1),
    "full": ({"method": "full"}, -1),
}
BATCH = batch_of([clip(6000, 1).float(), clip(3000, 2).float(), clip(45000, 3).float()])


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    speech = {name: save_checkpoint(folder, name, "group") for name in NAMES if name not in SPECTRAL}
    return speech | {name: save_spectral_checkpoint(folder, name) for name in SPECTRAL}


def model_of(checkpoints, name, way="frozen", layers="last", saver="none", fill="window"):
    backbone = {"name": name, "checkpoint": checkpoints[name], "layers": layers, "fill": fill}
    training = {"memory_saver": saver}
    return build_model(plan_with(backbone=backbone, adaptation=WAYS[way][0], training=training), classes=3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", WAYS)
def test_the_rest_goes_on_from_the_prefix(checkpoints, name, way):
    model = model_of(checkpoints, name, way).eval()
    encoder = model.encoder
    assert encoder.cut == WAYS[way][1]
    expected, mask = encoder(BATCH.waveforms, BATCH.lengths)
    prefix, counts = encoder.prefix(BATCH.waveforms, BATCH.lengths)

    assert prefix.shape[2] == encoder.prefix_features
    assert counts.tolist() == [encoder.prefix_size(int(length)) for length in BATCH.lengths]
    # As the cache does: each clip's own tokens, put together again in another order and other company.
    rows = [2, 0]
    kept = torch.nn.utils.rnn.pad_sequence([prefix[row, : counts[row]] for row in rows], batch_first=True)
    frames, again = encoder.rest(kept, BATCH.lengths[rows])
    for place, row in enumerate(rows):
        assert int(again[place].sum()) == int(mask[row].sum())
        torch.testing.assert_close(frames[place][again[place]], expected[row][mask[row]], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["lora", "dora", "partial", "full"])
def test_everything_trainable_learns_within_two_steps(checkpoints, name, way):
    model = model_of(checkpoints, name, way).train()
    silent = []
    for _ in range(2):
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(BATCH), BATCH.labels).backward()
        silent.append(census(model))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= 0.5 * parameter.grad

    assert silent[1] == ()
    assert all("lora_A" in one for one in silent[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["top lora", "partial", "lora"])
def test_what_is_frozen_is_run_without_a_graph_and_without_dropout(checkpoints, name, way):
    model = model_of(checkpoints, name, way).train()
    layers = model.encoder.stages.layers
    seen = {}
    for index, layer in enumerate(layers):
        layer.register_forward_hook(lambda m, i, o, index=index: seen.update({index: m.training}))
    prefix, _ = model.encoder.prefix(BATCH.waveforms, BATCH.lengths)
    again, _ = model.encoder.prefix(BATCH.waveforms, BATCH.lengths)

    assert torch.equal(prefix, again)
    assert not prefix.requires_grad
    model(BATCH)
    assert seen == {0: way == "lora", 1: True}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["lora", "full"])
def test_computing_activations_again_changes_no_gradient(checkpoints, name, way):
    def gradients(saver):
        model = model_of(checkpoints, name, way, saver=saver).train()
        torch.manual_seed(3)  # dropout
        torch.nn.functional.cross_entropy(model(BATCH), BATCH.labels).backward()
        return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}

    kept, again = gradients("none"), gradients("gradient-checkpointing")
    assert kept.keys() == again.keys()
    for key, value in kept.items():
        torch.testing.assert_close(again[key], value, atol=1e-7, rtol=1e-5, msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_passes_add_up_to_the_large_batch(checkpoints, name):
    model = model_of(checkpoints, name, "lora").eval()

    def gradients(groups):
        model.zero_grad()
        for rows in groups:
            part = batch_of([BATCH.waveforms[row, : BATCH.lengths[row]] for row in rows])
            loss = torch.nn.functional.cross_entropy(model(part), BATCH.labels[rows])
            (loss * len(rows) / 3).backward()
        return [p.grad.clone() for p in model.parameters() if p.requires_grad]

    for whole, parts in zip(gradients([[0, 1, 2]]), gradients([[2], [0, 1]]), strict=True):
        torch.testing.assert_close(parts, whole, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_mix_of_layers_and_a_mean_over_frames_change_places(checkpoints, name):
    model = model_of(checkpoints, name, layers="weighted-sum").eval()
    torch.nn.init.normal_(model.mix.weights)
    frames, mask = model.encode(BATCH)
    means = torch.stack([one[valid].mean(0, keepdim=True) for one, valid in zip(frames, mask, strict=True)])

    assert model.reads_means_only
    torch.testing.assert_close(model.head_forward(means, torch.ones(3, 1, dtype=torch.bool)), model(BATCH))


def test_the_prefix_is_known_by_what_it_depends_on(checkpoints):
    def state(way):
        encoder = model_of(checkpoints, "wav2vec2", way).encoder
        return encoder.prefix_state().keys()

    assert all(name.startswith("conv_layers.") for name in state("full"))
    assert not any("layers.1." in name and "encoder" in name for name in state("partial"))
    assert any(name.startswith("encoder.layers.0.") for name in state("top lora"))
    assert not any("encoder.layers" in name or "lora" in name for name in state("lora"))


@pytest.mark.parametrize(("changes", "message"), [
    ({"method": "lora", "top_layers": 3}, "top_layers is 3, and this backbone has 2 layers"),
])  # fmt: skip
def test_more_layers_than_there_are_is_refused(checkpoints, changes, message):
    with pytest.raises(PlanError, match=message):
        PretrainedEncoder(
            Backbone(name="hubert", checkpoint=checkpoints["hubert"]), Adaptation(**changes), SAMPLE_RATE_HZ
        )
