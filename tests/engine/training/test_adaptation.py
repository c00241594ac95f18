"""Frozen, LoRA, DoRA and full: what must learn does, what must not does not, and merging changes no answer."""

import pytest
import torch

from engine.plan_sections import Training
from engine.training.adaptation import merged
from engine.training.census import silent_tensors as census
from engine.training.model import build_model
from knowledge.errors import PlanError

from .small_models import KINDS, batch_of, clip, plan_with, save_checkpoint

torch.set_num_threads(1)

BATCH = batch_of([clip(6000, 1).float(), clip(3000, 2).float(), clip(4500, 3).float()])


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    return {kind: save_checkpoint(folder, *kind) for kind in KINDS}


def model_with(path, name, method, layers="last", **sections):
    adaptation = {"method": method, "rank": 4, "alpha": 8}
    backbone = {"name": name, "checkpoint": path, "layers": layers}
    return build_model(plan_with(adaptation=adaptation, backbone=backbone, **sections), classes=3)


def step(model, batch=BATCH, rate=0.5):
    model.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(batch), batch.labels)
    loss.backward()
    silent = census(model)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= rate * parameter.grad
    return silent


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["lora", "dora", "full"])
@pytest.mark.parametrize("layers", ["last", "weighted-sum"])
def test_everything_trainable_learns_within_two_steps(checkpoints, kind, method, layers):
    model = model_with(checkpoints[kind], kind[0], method, layers).train()
    first, second = step(model), step(model)

    assert second == ()
    assert all("lora_A" in name for name in first)
    assert bool(first) == (method != "full")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_merged_weights_answer_as_the_adapter_does(checkpoints, kind, method):
    model = model_with(checkpoints[kind], kind[0], method).train()
    untrained, _ = model.eval().encode(BATCH)
    for _ in range(3):
        step(model.train())
    model.eval()
    expected = model(BATCH)
    alone = merged(model)

    torch.testing.assert_close(alone(BATCH), expected, atol=1e-5, rtol=0)
    frames, _ = model.encode(BATCH)
    assert float((frames - untrained).detach().abs().max()) > 2e-4  # the adapter does something
    assert not any("lora" in name for name, _ in alone.named_parameters())
    assert any("lora" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_backbone_has_no_graph_and_stays_in_evaluation_mode(checkpoints, kind):
    model = model_with(checkpoints[kind], kind[0], "frozen").train()
    assert model.encoder_is_frozen
    frames, _ = model.encode(BATCH)
    again, _ = model.encode(BATCH)

    assert not frames.requires_grad
    assert not frames.is_inference()
    assert torch.equal(frames, again)  # dropout is off
    assert not any(module.training for module in model.encoder.network.modules())
    step(model)
    assert all(parameter.grad is None for parameter in model.encoder.parameters())


def test_a_dead_adapter_is_found(checkpoints):
    model = model_with(checkpoints[KINDS[0]], "wav2vec2", "lora").train()
    layer = model.encoder.network.encoder.layers[0].attention.q_proj
    layer.forward = layer.base_layer.forward  # as networks do that use the weight and not the module (training.md 2.1)
    step(model)

    assert {name.rpartition("attention.")[2].split(".")[0] for name in step(model)} == {"q_proj"}


@pytest.mark.parametrize(("method", "trained"), [("frozen", 0), ("lora", 8), ("dora", 12)])
def test_only_the_adapter_of_a_backbone_is_trained_and_kept(checkpoints, method, trained):
    model = model_with(checkpoints[KINDS[0]], "wav2vec2", method)
    state = model.trainable_state()

    assert sum(name.startswith("encoder.") for name in state) == trained
    assert all("lora_" in name or not name.startswith("encoder.") for name in state)


def test_full_trains_all_but_the_convolutions(checkpoints):
    model = model_with(checkpoints[KINDS[0]], "wav2vec2", "full")

    for name, parameter in model.encoder.named_parameters():
        assert parameter.requires_grad == ("feature_extractor" not in name)


@pytest.mark.parametrize(
    ("method", "rates"),
    [
        ("frozen", {"head": 0.1}),
        ("lora", {"head": 0.1, "adapter": 0.1}),
        ("full", {"head": 0.1, "backbone": 0.001}),
    ],
)
def test_each_part_has_its_own_learning_rate(checkpoints, method, rates):
    training = Training(learning_rate=0.1, backbone_learning_rate=0.001)
    model = model_with(checkpoints[KINDS[0]], "wav2vec2", method)
    groups = model.parameter_groups(training)

    assert {group["name"]: group["lr"] for group in groups} == rates
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}


def test_biases_and_norms_are_not_decayed(checkpoints):
    model = model_with(checkpoints[KINDS[0]], "wav2vec2", "full")
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {group["name"]: group for group in model.parameter_groups(Training(weight_decay=0.1))}

    assert {name: group["weight_decay"] for name, group in groups.items()} == {
        "head": 0.1, "head-no-decay": 0.0, "backbone": 0.1, "backbone-no-decay": 0.0,
    }  # fmt: skip
    spared = {names[id(parameter)] for parameter in groups["backbone-no-decay"]["params"]}
    decayed = {names[id(parameter)] for parameter in groups["backbone"]["params"]}
    assert all(name.endswith(("bias", "original0")) or "norm" in name for name in spared)
    assert all(name.endswith(("weight", "original1")) and "norm" not in name for name in decayed)


@pytest.mark.parametrize(("target", "hint"), [("q_porj", "q_proj"), ("banana", "It has")])
def test_targets_that_match_nothing_are_refused(checkpoints, target, hint):
    path = checkpoints[KINDS[0]]
    plan = plan_with(
        backbone={"name": "wav2vec2", "checkpoint": path}, adaptation={"method": "lora", "targets": ["v_proj", target]}
    )
    with pytest.raises(PlanError, match=f"{target} names no linear layer") as caught:
        build_model(plan, classes=3)

    assert hint in caught.value.hint


def test_a_model_without_adapter_is_merged_as_it_is():
    model = build_model(plan_with(backbone={"normalise": "clip"}), classes=3)

    assert torch.equal(merged(model)(BATCH), model.eval()(BATCH))
