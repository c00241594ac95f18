"""Schedules: equal to torch's and transformers' own, rising and falling where they say so."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.plan_sections import Training
from engine.training.schedules import rate_factor

NAMES = [
    "warmup-cosine",
    "constant",
    "linear",
    "warmup-stable-decay",
    "inverse-square-root",
    "noam",
    "exponential",
    "plateau",
    "cyclic",
]


def reference(name: str, warmup: int, total: int) -> list[float]:
    """The shares that transformers' scheduler of that kind gives to steps 0, 1, ...; its rise starts at 0."""
    import transformers

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = transformers.get_scheduler(name, optimiser, warmup, total)
    rates = []
    for _ in range(total):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("ours", "theirs"), [("linear", "linear"), ("warmup-cosine", "cosine"), ("inverse-square-root", "inverse_sqrt")]
)
def test_after_the_warm_up_it_is_that_of_transformers(ours: str, theirs: str) -> None:
    training = Training(schedule=ours, warmup_fraction=0.2)
    expected = reference(theirs, 20, 100)

    assert [rate_factor(training, step, 100) for step in range(20, 100)] == pytest.approx(expected[20:])


def test_exponential_is_that_of_torch() -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.01 ** (1 / 50))
    for step in range(50):
        expected = optimiser.param_groups[0]["lr"]
        assert rate_factor(Training(schedule="exponential"), step, 50) == pytest.approx(expected)
        optimiser.step()
        scheduler.step()


def test_a_plateau_divides_by_ten() -> None:
    factors = [rate_factor(Training(schedule="plateau"), 7, 100, plateaus) for plateaus in range(3)]

    assert factors == pytest.approx([1, 0.1, 0.01])


def test_noam_falls_with_the_square_root_of_the_step() -> None:
    training = Training(schedule="noam", warmup_fraction=0.1)
    width, warmup = 64, 100

    def paper(step: int) -> float:  # of steps that begin at 1
        return width**-0.5 * min(step**-0.5, step * warmup**-1.5)

    shares = [paper(step) / paper(warmup) for step in range(1, 1001)]
    ours = [rate_factor(training, step, 1000) for step in range(1000)]
    assert ours[:warmup] == pytest.approx(shares[:warmup])
    assert ours[warmup:] == pytest.approx(shares[warmup - 1 : -1])


def test_stable_then_decay_is_level_until_its_last_part() -> None:
    training = Training(schedule="warmup-stable-decay", warmup_fraction=0.1, decay_fraction=0.3)
    factors = [rate_factor(training, step, 100) for step in range(100)]

    assert set(factors[10:71]) == {1.0}
    assert factors[71:] == pytest.approx([1 - step / 30 for step in range(1, 30)])


def test_a_cycle_comes_back_to_its_peak() -> None:
    training = Training(schedule="cyclic", cycles=4)
    factors = [rate_factor(training, step, 400) for step in range(400)]

    assert [step for step, factor in enumerate(factors) if factor == 1] == [0, 100, 200, 300]
    assert min(factors) == factors[50] == pytest.approx(0.01)


@given(st.sampled_from(NAMES), st.integers(1, 2000), st.floats(0, 1), st.floats(0.01, 1), st.integers(1, 9))
def test_no_step_is_without_effect_and_none_above_the_peak(
    name: str, total: int, warmup: float, falling: float, cycles: int
) -> None:
    training = Training(schedule=name, warmup_fraction=warmup, decay_fraction=falling, cycles=cycles)

    for step in {0, total // 3, total // 2, total - 1}:
        assert 0 < rate_factor(training, step, total) <= 1
