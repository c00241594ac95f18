"""The whole model of a plan: answers without neighbours, repeatable starts, and a state that comes back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.training.model import Batch, build_model
from knowledge.errors import InputError

from .small_models import batch_of, clip, plan_with, save_checkpoint

torch.set_num_threads(1)

BATCH = batch_of([clip(6000, 1).float(), clip(3000, 2).float(), clip(4500, 3).float()])
POOLINGS = ["mean", "attention", "hierarchical", "statistics", "attentive-statistics"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 5000), min_size=2, max_size=3),
    st.sampled_from(["mfcc", "log-mel"]),
    st.sampled_from(["linear", "mlp", "temporal"]),
    st.sampled_from(POOLINGS),
)
def test_answers_do_not_depend_on_the_neighbours(lengths, backbone, head, pooling):
    plan = plan_with(
        backbone={"name": backbone, "normalise": "clip"},
        head={"name": head, "hidden": 8, "dropout": 0.5},
        pooling={"name": pooling, "segment_seconds": 0.05},
    )
    model = build_model(plan, classes=4).double().eval()
    clips = [clip(length, seed) for seed, length in enumerate(lengths)]
    together = model(batch_of(clips))

    assert together.shape == (len(clips), 4)
    for row, one in enumerate(clips):
        torch.testing.assert_close(together[row], model(batch_of([one]))[0], atol=1e-9, rtol=0)


@pytest.mark.parametrize("head", ["linear", "mlp", "temporal"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_weight_of_the_head_gets_a_gradient(head, pooling):
    from engine.training.census import silent_tensors as census

    plan = plan_with(
        backbone={"normalise": "clip"},
        head={"name": head, "hidden": 8},
        pooling={"name": pooling, "segment_seconds": 0.05},
    )
    model = build_model(plan, classes=3).train()
    torch.nn.functional.cross_entropy(model(BATCH), BATCH.labels).backward()

    assert census(model) == ()


def test_frames_computed_once_give_the_same_answer():
    plan = plan_with(backbone={"normalise": "clip"}, head={"name": "temporal", "hidden": 8})
    model = build_model(plan, classes=3).eval()
    frames, mask = model.encode(BATCH)
    kept = Batch(None, None, BATCH.labels, BATCH.indices, frames, mask.sum(1))

    assert torch.equal(model(kept), model(BATCH))
    assert model.encoder_is_frozen


@pytest.mark.parametrize("bounded", [True, False])
def test_regression_starts_near_the_label_mean(bounded):
    plan = plan_with(
        classes=False, backbone={"normalise": "clip"}, output={"bounded": bounded, "low": 0.0, "high": 10.0}
    )
    model = build_model(plan, label_mean=7.0, label_std=1.5)
    answers = model(BATCH)

    assert answers.shape == (3,)
    assert bool(((answers - 7).abs() < 1.5).all())


def test_bounded_answers_stay_in_range_whatever_the_weights():
    plan = plan_with(classes=False, backbone={"normalise": "clip"}, output={"bounded": True, "low": 1.0, "high": 5.0})
    model = build_model(plan, label_mean=3.0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1e4)

    answers = model(BATCH).detach()

    assert bool(((answers >= 1) & (answers <= 5)).all())


def test_equal_seeds_start_equal_and_leave_the_random_state_alone():
    plan = plan_with(backbone={"normalise": "clip"}, head={"name": "mlp", "hidden": 8})
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (build_model(plan, classes=3, seed=seed).eval()(BATCH) for seed in (1, 1, 2))

    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_kept_state_restores_a_backbone_model(tmp_path, method):
    backbone = {"name": "hubert", "checkpoint": save_checkpoint(tmp_path, "hubert")}
    plan = plan_with(backbone=backbone, adaptation={"method": method})
    trained, fresh = build_model(plan, classes=3, seed=1).eval(), build_model(plan, classes=3, seed=2).eval()
    with torch.no_grad():
        for parameter in trained.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05)
    expected = trained(BATCH)
    assert not torch.allclose(fresh(BATCH), expected)
    fresh.load_trainable_state(trained.trainable_state())

    torch.testing.assert_close(fresh(BATCH), expected, atol=1e-6, rtol=0)


def test_the_kept_state_holds_corpus_statistics_and_label_scale():
    plan = plan_with(classes=False)
    trained, fresh = build_model(plan, label_mean=50.0, label_std=9.0), build_model(plan, seed=3)
    assert trained.needs_normalisation
    trained.fit_normalisation(lambda: [BATCH])
    state = trained.trainable_state()
    fresh.load_trainable_state(state)

    assert not fresh.needs_normalisation
    assert torch.equal(fresh.eval()(BATCH), trained.eval()(BATCH))
    assert sorted(state) == [
        "answer.1.bias", "answer.1.weight", "encoder.deviation", "encoder.fitted", "encoder.mean",
        "output.deviation", "output.mean", "scale.deviation", "scale.fitted", "scale.mean",
    ]  # fmt: skip


def test_the_kept_state_can_be_written_as_safetensors(tmp_path):
    from safetensors.torch import load_file, save_file

    model = build_model(plan_with(head={"name": "temporal", "hidden": 8}), classes=3)
    save_file(model.trainable_state(), tmp_path / "model.safetensors")

    model.load_trainable_state(load_file(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("change", [{"head": {"name": "mlp"}}, {"backbone": {"mels": 40, "coefficients": 13}}])
def test_the_state_of_another_plan_is_refused(change):
    state = build_model(plan_with(), classes=3).trainable_state()

    with pytest.raises(InputError, match="does not fit this plan"):
        build_model(plan_with(**change), classes=3).load_trainable_state(state)


@pytest.mark.parametrize(("task", "loss"), [("ctc", "ctc"), ("detection", "binary-cross-entropy")])
def test_frames_have_answers_of_their_own(task, loss):
    head = {"name": "temporal", "hidden": 8}
    plan = plan_with(task={"type": task}, training={"loss": loss}, head=head, backbone={"normalise": "clip"})
    model = build_model(plan, classes=5).double().eval()
    clips = [clip(4000), clip(9000)]
    answers = model(batch_of(clips))
    lengths = torch.tensor([len(one) for one in clips])

    assert answers.shape[2] == 6
    torch.testing.assert_close(answers[..., 0].sum(1).long(), model.answer_frames(lengths))
    alone = model(batch_of(clips[:1]))
    torch.testing.assert_close(answers[:1, : alone.shape[1]], alone)


def test_a_batch_moves_as_a_whole():
    moved = BATCH.to("cpu")

    assert len(moved) == 3
    assert torch.equal(moved.waveforms, BATCH.waveforms)
    assert moved.features is None


def test_mixed_precision_answers_are_single_precision():
    model = build_model(plan_with(backbone={"normalise": "clip"}, head={"name": "temporal", "hidden": 8}), classes=3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        answers = model(BATCH)

    assert answers.dtype == torch.float32
