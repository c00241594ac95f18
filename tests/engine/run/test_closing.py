"""Which way a curve goes at its end: the line through its second half, and what noise leaves of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.evidence.run.closing import closing
from engine.evidence.run.series import RunSeries, Series

NAMES = ("run.validation_closing_low", "run.validation_closing", "run.validation_closing_high")


def run(name: str, values: np.ndarray) -> RunSeries:
    at = np.arange(1, len(values) + 1)
    return RunSeries(Path("log"), "test", (Series(name, at, at.astype(float), values),))


def facts(name: str, values: np.ndarray) -> dict[str, float]:
    return {fact.name: fact.value for fact in closing(run(name, values)).facts}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
@pytest.mark.parametrize("points", [5, 8, 40, 300])
def test_a_loss_that_falls_evenly_gains_a_quarter_in_a_quarter(points, scale):
    found = facts("val/loss", scale * np.exp(-np.arange(points) / points))

    low, value, high = (found[name] for name in NAMES)
    assert value == pytest.approx(0.25 * points / (points - 1), rel=0.05)
    assert high - low < 0.01


def test_a_score_in_per_cent_says_the_same_as_in_shares():
    shares = 0.9 - 0.6 * np.exp(-np.arange(20) / 5)

    assert facts("val/accuracy", 100 * shares) == pytest.approx(facts("val/accuracy", shares))


def test_a_loss_that_crosses_zero_has_a_line_too():
    found = facts("val/loss", 0.2 - 0.01 * np.arange(40))

    assert found["run.validation_closing_low"] > 0.2


def test_a_curve_at_rest_gains_nothing():
    found = facts("val/loss", np.array([1.0, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]))

    assert found["run.validation_closing"] == pytest.approx(0.0, abs=1e-9)


def test_a_rise_after_the_best_is_below_zero():
    time = np.linspace(0, 1, 12)
    found = facts("val/loss", np.where(time < 0.4, 2 - 3 * time, 0.8 + 0.5 * (time - 0.4)))

    assert found["run.validation_closing_high"] < 0


def test_the_interval_holds_the_truth_nine_times_in_ten():
    random = np.random.default_rng(7)
    inside = 0
    for _ in range(400):
        found = facts("val/loss", 10 + np.linspace(4, 0, 24) + random.normal(0, 0.3, 24))
        low, _, high = (found[name] for name in NAMES)
        truth = np.log(12 / 11) / np.log(14 / 10)  # what a quarter brings in the second half, of all
        inside += low - 0.03 < truth < high + 0.03

    assert inside >= 340


def test_more_noise_widens_the_interval():
    random = np.random.default_rng(3)
    course, noise = 1 + np.exp(-np.arange(40) / 5), random.normal(0, 1, 40)
    widths = [
        found["run.validation_closing_high"] - found["run.validation_closing_low"]
        for found in (facts("val/loss", course + size * noise) for size in (0.001, 0.01, 0.1))
    ]

    assert widths[0] < widths[1] < widths[2]


@pytest.mark.parametrize("values", [[1.0, 0.9, 0.8, 0.7], [1.0, 1.1, 1.2, 1.3, 1.4]])
def test_too_few_or_nothing_gained_is_unknown_with_a_reason(values):
    measured = closing(run("val/loss", np.array(values)))

    assert not [fact for fact in measured.facts if fact.name in NAMES]
    assert all(one.reason for one in measured.unknown)
