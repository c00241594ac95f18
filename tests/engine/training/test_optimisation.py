from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.plan_sections import Training
from engine.training.model import build_model
from engine.training.optimisation import make_optimiser, set_rates
from engine.training.schedules import rate_factor

from .corpora import tone_plan


@given(st.integers(1, 3000), st.floats(0, 1))
def test_the_rate_rises_over_the_warm_up_and_falls_after_it(total: int, warmup: float) -> None:
    training = Training(warmup_fraction=warmup)
    factors = [rate_factor(training, step, total) for step in range(total)]
    peak = round(warmup * total)

    assert all(0 < factor <= 1 for factor in factors)
    assert factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert peak == 0 or factors[peak - 1] == 1


def test_a_constant_schedule_stays_level_after_the_warm_up() -> None:
    training = Training(schedule="constant", warmup_fraction=0.5)

    assert [rate_factor(training, step, 8) for step in range(8)] == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]


def test_half_way_the_cosine_is_at_half() -> None:
    assert rate_factor(Training(), 50, 100) == pytest.approx(0.5)


def test_every_group_follows_its_own_peak() -> None:
    plan = tone_plan(Path("clips.csv"), training__weight_decay=0.1, training__learning_rate=0.01)
    optimiser = make_optimiser(build_model(plan, classes=3), plan.training)
    optimiser.param_groups[1]["peak"] = 0.5
    rates = set_rates(optimiser, plan.training, 500, 1000)

    assert rates == {"head": pytest.approx(0.005), "head-no-decay": pytest.approx(0.25)}
    assert [group["lr"] for group in optimiser.param_groups] == list(rates.values())
    assert isinstance(optimiser, torch.optim.AdamW)


def test_adafactor_moves_small_weights_by_the_rate_that_the_plan_names() -> None:
    """Under torch's own scale, weights of 0.03 move by a thirtieth of the rate, and biases by a thousandth of it."""
    moved = {}
    for name in ("adafactor", "adamw"):
        plan = tone_plan(Path("clips.csv"), training__optimizer=name, training__schedule="constant")
        model = build_model(plan, classes=3)
        optimiser = make_optimiser(model, plan.training)
        learning = [one for one in model.parameters() if one.requires_grad]
        for one in learning:
            one.data.normal_(0, 0.03)
            one.grad = torch.randn_like(one)
        before = [one.detach().clone() for one in learning]
        optimiser.step()
        moved[name] = [float((one.detach() - old).abs().mean()) for one, old in zip(learning, before, strict=True)]

    for own, adam in zip(moved["adafactor"], moved["adamw"], strict=True):
        assert 0.3 * adam < own < 3 * adam
