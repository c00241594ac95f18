"""Losses: equal to their definitions, free of the label's range, finite where the definition is not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import metrics
from engine.training.losses import concordance_loss, cross_entropy, loss_function
from knowledge.errors import PlanError

from .small_models import plan_with

torch.set_num_threads(1)

numbers = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=40)


def regression(loss, **training):
    return plan_with(classes=False, training={"loss": loss, **training})


@given(numbers)
def test_concordance_loss_equals_the_metric(pairs):
    predictions, labels = torch.tensor(pairs, dtype=torch.float64).T
    if float(labels.std()) < 1e-2 or float(predictions.std()) < 1e-2:
        return

    expected = 1 - metrics.ccc(labels.numpy(), predictions.numpy())

    assert float(concordance_loss(predictions, labels)) == pytest.approx(expected, abs=1e-4)


def test_concordance_loss_equals_the_published_formula():
    random = np.random.default_rng(0)
    true = random.normal(3, 1, 50)
    predicted = 0.5 * true + random.normal(1, 0.4, 50)
    covariance = np.mean((true - true.mean()) * (predicted - predicted.mean()))
    expected = 1 - 2 * covariance / (true.var() + predicted.var() + (true.mean() - predicted.mean()) ** 2)

    assert float(concordance_loss(torch.tensor(predicted), torch.tensor(true))) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("labels", [torch.linspace(1, 5, 20), torch.full((20,), 3.0)])
@pytest.mark.parametrize("name", ["ccc", "mse+ccc", "mse"])
def test_gradient_is_finite_for_constant_predictions(labels, name):
    predictions = torch.full((20,), 3.0, requires_grad=True)

    loss_function(regression(name))(predictions, labels).backward()

    assert bool(predictions.grad.isfinite().all())


@pytest.mark.parametrize("name", ["mse", "ccc", "mse+ccc"])
def test_loss_does_not_depend_on_the_range_of_the_label(name):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randn(32, generator=generator, dtype=torch.float64)
    predictions = torch.randn(32, generator=generator, dtype=torch.float64)
    small = loss_function(regression(name), label_std=1.0)(predictions, labels)
    large = loss_function(regression(name), label_std=25.0)(25 * predictions + 60, 25 * labels + 60)

    torch.testing.assert_close(small, large)


def test_mean_prediction_costs_one_deviation():
    labels = torch.tensor([10.0, 30.0, 20.0, 40.0])
    deviation = float(labels.std(correction=0))

    loss = loss_function(regression("mse"), label_std=deviation)(torch.full((4,), 25.0), labels)

    assert float(loss) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["ccc", "mse+ccc"])
def test_small_batches_are_refused_for_the_ccc(name):
    with pytest.raises(PlanError, match=r"training\.batch_size 8") as caught:
        loss_function(regression(name, batch_size=8))

    assert "8 clips" in caught.value.message
    loss_function(regression(name, batch_size=32, accumulation=4))  # passes are joined before it is taken


def test_small_last_batch_is_refused_in_training_and_scored_in_evaluation():
    loss = loss_function(regression("ccc", batch_size=32))
    labels = torch.linspace(1, 5, 10)
    predictions = labels.clone().requires_grad_(True)

    with pytest.raises(PlanError, match="10 clips"):
        loss(predictions, labels)

    assert float(loss(predictions.detach(), labels)) == pytest.approx(0, abs=1e-6)


def test_weighted_cross_entropy_adds_up_over_passes():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (12,), generator=generator)
    shares = torch.tensor([0.5, 0.25, 0.25])
    loss = loss_function(plan_with(training={"class_balance": "weighted-loss"}), shares)
    weights = torch.tensor([2 / 3, 4 / 3, 4 / 3])

    whole = loss(scores, labels)
    parts = (loss(scores[:8], labels[:8]) * 8 + loss(scores[8:], labels[8:]) * 4) / 12

    torch.testing.assert_close(whole, parts)
    expected = -(scores.log_softmax(1)[range(12), labels] * weights[labels]).mean()
    torch.testing.assert_close(whole, expected)


def test_plain_cross_entropy_is_that_of_torch():
    scores, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])

    torch.testing.assert_close(cross_entropy(scores, labels), torch.nn.functional.cross_entropy(scores, labels))
