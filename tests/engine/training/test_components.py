"""Optimizers, averages, losses of classes and scores, and the contrastive loss, each against its formula."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.plan_sections import Training
from engine.training import loop
from engine.training import run as runs
from engine.training.averaging import WeightAverage
from engine.training.checkpoints import read_checkpoint
from engine.training.contrastive import contrastive_loss, hardest
from engine.training.lion import Lion
from engine.training.losses import binary_cross_entropy, clipped_and_ranked, evaluation_loss, huber, loss_function
from engine.training.model import build_model
from engine.training.optimisation import make_optimiser

from .corpora import assert_same_state, events_of, last_state, score_plan, tone_corpus, tone_plan, train
from .small_models import plan_with, save_checkpoint

torch.set_num_threads(1)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "adafactor", "lion"])
def test_every_optimizer_learns_and_resumes_bit_by_bit(tmp_path: Path, name: str) -> None:
    plan = tone_plan(
        tone_corpus(tmp_path / "data"), training__optimizer=name, training__epochs=2, training__average_decay=0.9
    )
    whole = train(plan, tmp_path / "whole")
    losses = [event["loss"] for event in events_of(whole, "step")]
    assert min(losses[3:]) < losses[0]

    half = train(plan, tmp_path / "half")
    newest = max((half / "checkpoints").glob("last-*"))
    newest.unlink()  # as if killed in the second epoch
    assert_same_state(last_state(whole), last_state(train(plan, half, resume=True)))


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_fp16_gradients_are_scaled_and_a_step_that_overflows_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A GPU's fp16 on the CPU: the scale begins too high, as it always does, and the weights wait for a lower one."""
    plan = tone_plan(
        tone_corpus(tmp_path / "data"), training__optimizer=name, training__precision="fp16", training__epochs=2,
        data__sample_rate_hz=16000, adaptation__method="full", backbone__name="wav2vec2",
        backbone__checkpoint=save_checkpoint(tmp_path), training__learning_rate=0.003,
    )  # fmt: skip
    plain = [event["loss"] for event in events_of(train(plan, tmp_path / "fp32"), "step")]
    monkeypatch.setattr(runs, "precision_of", lambda _wanted, _device: "fp16")
    whole = train(plan, tmp_path / "fp16")
    steps = events_of(whole, "step")

    assert (steps[0]["grad_norm"], events_of(whole, "start")[0]["precision"]) == ("Infinity", "fp16")
    assert all(math.isfinite(step["grad_norm"]) for step in steps[1:])
    assert [step["loss"] for step in steps] == pytest.approx(plain, abs=0.1)
    half = train(plan, tmp_path / "half")
    max((half / "checkpoints").glob("last-*")).unlink()  # as if killed in the second epoch
    assert_same_state(last_state(whole), last_state(train(plan, half, resume=True)))


def test_lion_follows_its_formula() -> None:
    weights, mean = drawn(7), torch.zeros(7, dtype=torch.float64)
    parameter = weights.clone().requires_grad_(True)
    optimiser = Lion([parameter], lr=0.1, betas=(0.9, 0.99), weight_decay=0.2)
    for step in range(4):
        gradient = drawn(7, seed=step + 1)
        parameter.grad = gradient.clone()
        optimiser.step()
        weights = weights - 0.1 * (torch.sign(0.9 * mean + 0.1 * gradient) + 0.2 * weights)
        mean = 0.99 * mean + 0.01 * gradient

    torch.testing.assert_close(parameter.detach(), weights)
    torch.testing.assert_close(optimiser.state[parameter]["mean"], mean)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD), ("lion", Lion)],
)
def test_the_plan_names_the_optimizer_and_its_numbers(name: str, kind: type[Any]) -> None:
    plan = tone_plan(Path("clips.csv"), training__optimizer=name, training__beta1=0.8, training__momentum=0.7)
    optimiser = make_optimiser(build_model(plan, classes=3), plan.training)

    assert type(optimiser) is kind
    assert optimiser.param_groups[0].get("betas", (0.8,))[0] == 0.8
    assert optimiser.param_groups[0].get("momentum", 0.7) == 0.7


def test_the_average_is_the_weighted_sum_of_all_weights() -> None:
    layer = torch.nn.Linear(2, 1)
    average = WeightAverage(dict(layer.named_parameters()), 0.5)
    expected = layer.weight.detach().clone()
    for step in range(1, 30):
        with torch.no_grad():
            layer.weight.add_(1.0)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * layer.weight.detach()
    own = layer.weight.detach().clone()

    torch.testing.assert_close(average.tensors["weight"], expected)
    with average.in_place():
        torch.testing.assert_close(layer.weight.detach(), expected)
    assert torch.equal(layer.weight.detach(), own)


@pytest.mark.parametrize("averaged", [True, False])
def test_the_better_of_weights_and_average_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, averaged: bool
) -> None:
    losses = iter([0.5, 0.4 if averaged else 0.6])
    monkeypatch.setattr(loop, "loss_of", lambda *_: next(losses))
    plan = tone_plan(tone_corpus(tmp_path / "data"), training__average_decay=0.9, training__epochs=1)
    plan = plan.model_copy(update={"evaluation": plan.evaluation.model_copy(update={"select_by": "loss"})})
    run = train(plan, tmp_path / "run")
    (event,), state = events_of(run, "eval"), last_state(run)
    best, _ = read_checkpoint(run / "checkpoints" / "best.safetensors")

    assert (event["averaged"], event["loss"]) == (averaged, 0.4 if averaged else 0.5)
    kind = "average" if averaged else "model"
    assert not torch.equal(state["average.answer.1.weight"], state["model.answer.1.weight"])
    assert torch.equal(best["answer.1.weight"], state[f"{kind}.answer.1.weight"])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_smoothed_and_weighted_losses_equal_their_formulas(smoothing: float) -> None:
    scores, labels, shares = drawn(9, 3), torch.arange(9) % 3, torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    soft = torch.nn.functional.one_hot(labels).double() * (1 - smoothing) + smoothing / 3
    weights = 1 / (3 * shares)
    settings = {"label_smoothing": smoothing, "class_balance": "weighted-loss"}

    classes = loss_function(plan_with(training=settings), shares)(scores, labels)
    torch.testing.assert_close(classes, -((soft * scores.log_softmax(1)).sum(1) * weights[labels]).mean())
    each = loss_function(plan_with(training={"loss": "binary-cross-entropy", **settings}), shares)(scores, labels)
    chance = scores.sigmoid()
    expected = -(weights * soft * chance.log() + (1 - soft) * (1 - chance).log()).mean()
    torch.testing.assert_close(each, expected)


def test_several_true_classes_are_several_questions() -> None:
    scores, labels = drawn(5, 4), (drawn(5, 4, seed=1) > 0).long()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels.double())

    torch.testing.assert_close(binary_cross_entropy(scores, labels), expected)


def test_logits_are_adjusted_in_training_only() -> None:
    shares = torch.tensor([0.9, 0.1], dtype=torch.float64)
    plan = plan_with(training={"class_balance": "logit-adjustment"})
    scores, labels = drawn(6, 2).requires_grad_(True), torch.tensor([0, 1] * 3)
    adjusted = torch.nn.functional.cross_entropy(scores + shares.log(), labels)
    plain = torch.nn.functional.cross_entropy(scores, labels)

    torch.testing.assert_close(loss_function(plan, shares)(scores, labels), adjusted)
    torch.testing.assert_close(loss_function(plan, shares)(scores.detach(), labels), plain.detach())
    torch.testing.assert_close(evaluation_loss(plan)(scores.detach(), labels), plain.detach())


def test_huber_is_that_of_scipy() -> None:
    from scipy.special import huber as reference

    predictions, labels = 3 * drawn(50), drawn(50, seed=1)

    assert float(huber(predictions, labels)) == pytest.approx(reference(1.0, (predictions - labels).numpy()).mean())


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=12))
def test_clipped_and_ranked_equals_a_loop_over_pairs(pairs: list[tuple[float, float]]) -> None:
    predicted, true = zip(*pairs, strict=True)
    clipped = np.mean([(p - t) ** 2 if abs(p - t) > 0.25 else 0.0 for p, t in pairs])
    ranks = [
        max(0.0, abs((predicted[i] - predicted[j]) - (true[i] - true[j])) - 0.1)
        for i in range(len(pairs))
        for j in range(len(pairs))
        if i != j
    ]
    loss = clipped_and_ranked(torch.tensor(predicted, dtype=torch.float64), torch.tensor(true, dtype=torch.float64))

    assert float(loss) == pytest.approx(clipped + 0.5 * (np.mean(ranks) if ranks else 0.0), abs=1e-9)


@pytest.mark.parametrize("loss", ["huber", "clipped-mse+rank"])
def test_scores_are_learnt(tmp_path: Path, loss: str) -> None:
    manifest = tone_corpus(tmp_path / "data", scores=True)
    losses = [
        e["train_loss"] for e in events_of(train(score_plan(manifest, training__loss=loss), tmp_path / "run"), "eval")
    ]

    assert losses[-1] < losses[0]


def contrast(vectors: np.ndarray, labels: np.ndarray, temperature: float) -> float:  # type: ignore[type-arg]
    """SupCon, L_out of equation 2, in loops."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    losses = []
    for i in range(len(labels)):
        partners = [p for p in range(len(labels)) if p != i and labels[p] == labels[i]]
        if partners:
            total = sum(np.exp(unit[i] @ unit[a] / temperature) for a in range(len(labels)) if a != i)
            shares = [np.log(np.exp(unit[i] @ unit[p] / temperature) / total) for p in partners]
            losses.append(-np.mean(shares))
    return float(np.mean(losses)) if losses else 0.0


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 4), st.floats(0.05, 2))
def test_contrastive_loss_equals_its_formula(seed: int, clips: int, classes: int, temperature: float) -> None:
    vectors, labels = drawn(clips, 5, seed=seed), torch.arange(clips) % classes
    vectors.requires_grad_(True)
    loss = contrastive_loss(vectors, labels, temperature)
    loss.backward()

    assert float(loss.detach()) == pytest.approx(
        contrast(vectors.detach().numpy(), labels.numpy(), temperature), abs=1e-9
    )
    assert bool(vectors.grad.isfinite().all())  # type: ignore[union-attr]


def test_the_hardest_pairs_are_the_least_alike_of_a_class_and_the_most_alike_of_others() -> None:
    angles = torch.tensor([0.0, 0.1, 1.0, 0.2, 2.0])
    vectors = torch.stack([angles.cos(), angles.sin()], 1)
    labels = torch.tensor([0, 0, 0, 1, 1])
    alike, same = vectors @ vectors.T, labels[:, None] == labels[None, :]

    positives = hardest(-alike, same & ~torch.eye(5, dtype=torch.bool), 0.5)
    negatives = hardest(alike, ~same, 0.5)
    assert positives[0].tolist() == [False, False, True, False, False]
    assert negatives[0].tolist() == [False, False, False, True, False]
    assert negatives[4].tolist() == [False, True, True, False, False]
    assert float(contrastive_loss(vectors, labels, 0.1, 0.5)) > float(contrastive_loss(vectors, labels, 0.1))


def test_a_plan_of_old_is_read_as_it_was() -> None:
    training = Training()

    assert (training.optimizer, training.schedule, training.class_balance) == ("adamw", "warmup-cosine", "as-they-come")
    assert not (training.label_smoothing or training.average_decay or training.batch_seconds)
