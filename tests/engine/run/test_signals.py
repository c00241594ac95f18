"""Signals against curves made by hand, whose answers are known."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.run.measure import measure_run
from engine.evidence.run.read import read_run
from engine.evidence.run.series import RunMeta, RunSeries, Series
from engine.evidence.run.statistics import kendall, kendall_luck

from .builders import healthy, write_run


def curve(name, values, steps=None):
    steps = steps or range(1, len(values) + 1)
    return Series(name, tuple(steps), tuple(float(step) for step in steps), tuple(map(float, values)))


def run_of(train=(), val=(), metric=(), name="accuracy", rates=(), norms=(), **meta):
    series = [curve("train/loss", train), curve("val/loss", val), curve(f"val/{name}", metric)]
    return RunSeries(
        Path("run"),
        "test",
        tuple(one for one in series if len(one)),
        (curve("lr/head", rates),) if len(rates) else (),
        curve("grad_norm", norms) if len(norms) else None,
        meta=RunMeta(**meta),
    )


def value(run, name):
    return measure_run(run).get(f"run.{name}")


def reason(run, name):
    return next(item.reason for item in measure_run(run).unknown if item.name == f"run.{name}")


def test_generalisation_loss_is_the_end_over_the_best():
    run = run_of(train=[1.0, 0.8, 0.6, 0.5, 0.4, 0.3], val=[1.0, 0.5, 0.6, 0.7, 0.8, 0.9])

    assert value(run, "generalisation_loss") == pytest.approx(0.8 / 0.5 - 1)
    assert value(run, "evaluations_after_best") == 4
    assert value(run, "kendall_after_best") == 1
    assert value(run, "lowest_quarter_after_best") == pytest.approx(0.675 / 0.5 - 1)
    assert value(run, "train_change_since_best") == pytest.approx(0.4 / 0.8 - 1)
    assert value(run, "best_is_first") is False


def test_a_rise_is_measured_against_the_noise():
    random = np.random.default_rng(0)
    fall = np.linspace(1, 0.5, 30)
    noisy = run_of(val=np.r_[fall, np.full(30, 0.52)] * np.exp(random.normal(0, 0.1, 60)))
    clear = run_of(val=np.r_[fall, np.linspace(0.5, 0.7, 30)] * np.exp(random.normal(0, 0.005, 60)))

    assert value(noisy, "rise_over_noise") < 2
    assert value(clear, "rise_over_noise") > 20


def test_the_metric_trend_after_the_best_loss_is_oriented():
    val = [1.0, 0.5, 0.6, 0.7, 0.8]

    assert value(run_of(val=val, metric=[0.1, 0.5, 0.6, 0.7, 0.8]), "metric_trend_after_best") == 1
    assert value(run_of(val=val, metric=[40, 30, 25, 20, 15], name="wer"), "metric_trend_after_best") == 1
    assert value(run_of(val=val, metric=[0.1, 0.8, 0.7, 0.6, 0.5]), "metric_trend_after_best") == -1


def test_losses_below_zero_have_no_relative_rise():
    run = run_of(train=[1, 0.5, -0.2, -0.3, -0.4], val=[1, 0.5, -0.1, -0.2, -0.3])

    assert value(run, "generalisation_loss") is None
    assert "above 0" in reason(run, "generalisation_loss")
    assert value(run, "train_end_over_best") is None


def test_divergence():
    run = run_of(train=[2.0, 1.0, 0.5, 0.4, 2.5, 3.0, 3.5])

    assert value(run, "train_end_over_best") == pytest.approx(3.0 / 0.4)
    assert value(run, "train_end_over_start") == pytest.approx(3.0 / 2.0)


def test_not_a_number_is_counted_with_its_steps():
    run = run_of(train=[1.0, 0.9, math.nan, math.inf], val=[1.0, math.nan], metric=[0.5, 0.6])
    fact = next(fact for fact in measure_run(run).facts if fact.name == "run.nonfinite_losses")

    assert fact.value == 3
    assert [item.step for item in fact.evidence] == [2, 3, 4]


def test_a_filtered_not_a_number_is_a_sudden_zero_or_a_zero_without_gradient():
    sudden = run_of(train=[2.0, 1.9, 0.0, 0.0], norms=[1.0, 1.1, 0.0, 0.0])
    without = run_of(train=[2.0, 0.0], norms=[1.0, math.nan])
    gradual = run_of(train=[2.0, 0.1, 0.01, 0.001, 0.0], norms=[1.0, 0.1, 0.01, 0.001, 0.0])
    with_gradient = run_of(train=[2.0, 0.0], norms=[1.0, 0.3])

    assert value(sudden, "zero_losses_without_gradient") == 2
    assert value(without, "zero_losses_without_gradient") == 1
    assert value(without, "nonfinite_gradient_share") == 0.5
    assert value(gradual, "zero_losses_without_gradient") == 0
    assert value(with_gradient, "zero_losses_without_gradient") == 0


def test_the_scale_of_the_training_loss():
    val = np.linspace(1.0, 0.3, 10)
    run = run_of(train=4 * val, val=val)

    assert value(run, "train_over_validation") == pytest.approx(4)
    assert value(run, "train_over_validation_spread") == pytest.approx(0, abs=1e-12)
    assert value(run, "train_over_validation_at_start") == pytest.approx(4)


def test_training_loss_between_evaluations_is_averaged():
    run = RunSeries(
        Path("run"),
        "test",
        (curve("train/loss", [4, 2, 1, 1], [5, 10, 15, 20]), curve("val/loss", [1, 1, 1], [10, 20, 30])),
    )

    assert run.train_at_evaluations.tolist() == [3, 1, 1]


def test_a_validation_loss_near_that_of_a_guess():
    two = run_of(val=[0.69, 0.692, 0.688, 0.69], metric=[0.5, 0.8, 0.9, 0.95])
    many = run_of(val=[3.6, 3.5, 3.5, 3.4], metric=[0.5, 0.8, 0.9, 0.95], classes=50)

    assert value(two, "validation_loss_from_chance") < 0.01
    assert value(two, "validation_loss_spread") == pytest.approx(0.004 / 0.69)
    assert value(two, "metric_error_reduction") == pytest.approx(0.9)
    assert value(many, "validation_loss_from_chance") == pytest.approx(1 - 3.5 / math.log(50))


def test_skill_counts_from_a_guess():
    quarter = run_of(metric=[0.25, 0.4, 0.6, 0.7, 0.7], classes=4)
    stated = run_of(metric=[0.25, 0.4, 0.6, 0.7, 0.7], classes=4, chance=0.5, selected_by="accuracy")
    words = run_of(metric=[90, 60, 40, 30, 25], name="wer")
    percent = run_of(metric=[25, 40, 60, 70, 70], classes=4)
    scores = run_of(metric=[0.0, 0.2, 0.3, 0.4, 0.4], name="ccc")

    assert value(quarter, "best_skill") == pytest.approx(0.6)
    assert value(stated, "best_skill") == pytest.approx(0.4)
    assert value(words, "best_skill") == pytest.approx(0.75)
    assert value(percent, "best_skill") == pytest.approx(0.6)
    assert value(scores, "best_skill") == pytest.approx(0.4)
    assert "guess is not known" in reason(run_of(metric=[0.2, 0.3, 0.4, 0.5, 0.5]), "best_skill")


def test_a_frozen_metric():
    run = run_of(metric=[0.2, 0.3712, 0.3712, 0.3712, 0.37121, 0.5])

    assert value(run, "constant_metric_evaluations") == 4
    assert value(run, "constant_metric_share") == pytest.approx(4 / 6)


def test_what_the_loss_pick_costs():
    run = run_of(val=[0.5, 0.4, 0.6, 0.7, 0.8], metric=[0.5, 0.6, 0.7, 0.8, 0.7])

    assert value(run, "loss_pick_regret") == pytest.approx((0.8 - 0.6) / 0.3)


def test_the_last_quarter_and_where_the_best_lies():
    falling = run_of(val=np.exp(-np.arange(16) * 0.1), metric=np.linspace(0.2, 0.8, 16))
    settled = run_of(val=np.r_[2.0, 1.0, np.full(14, 0.5)])

    assert value(falling, "validation_change_last_quarter") == pytest.approx(math.exp(-0.3) - 1)
    assert value(falling, "validation_change_last_quarter_high") < 0
    assert value(falling, "metric_gain_last_quarter") == pytest.approx(0.6 * 3 / 15)
    assert value(falling, "best_epoch_share") == value(falling, "best_loss_share") == 1
    assert value(settled, "validation_change_last_quarter") == 0
    assert value(settled, "best_loss_share") == pytest.approx(3 / 16)
    assert value(settled, "validation_settled_share") == pytest.approx(2 / 15)


def test_settling_of_a_loss_that_rises_is_unknown():
    assert value(run_of(val=[1.0, 1.1, 1.2, 1.3]), "validation_settled_share") is None


def test_the_best_epoch_goes_by_what_the_checkpoint_is_chosen_by():
    val, metric = [0.5, 0.4, 0.6, 0.7], [0.1, 0.2, 0.3, 0.4]

    assert value(run_of(val=val, metric=metric, selected_by="accuracy"), "best_epoch_share") == 1
    assert value(run_of(val=val, metric=metric, selected_by="loss"), "best_epoch_share") == 0.5


def warm_cosine(steps, warm):
    rise = np.linspace(0, 1, warm, endpoint=False)
    return np.r_[rise, 0.5 * (1 + np.cos(np.pi * np.arange(steps - warm) / (steps - warm - 1)))] * 1e-3


def test_schedules_are_recognised():
    cosine = run_of(rates=warm_cosine(100, 10))
    constant = run_of(rates=np.r_[np.linspace(0.1, 1, 5), np.ones(95)])
    warming = run_of(rates=np.linspace(0.01, 1, 40))
    spent = run_of(rates=np.r_[np.linspace(1, 0.011, 60), np.full(40, 1e-9)])

    assert value(cosine, "learning_rate_peak") == pytest.approx(1e-3)
    assert value(cosine, "learning_rate_warmup_share") == pytest.approx(0.11)
    assert value(cosine, "learning_rate_end_share") == pytest.approx(0)
    assert value(cosine, "learning_rate_still_rising") is False
    assert value(constant, "learning_rate_constant_share") == 1
    assert value(constant, "learning_rate_still_rising") is False
    assert value(warming, "learning_rate_still_rising") is True
    assert value(spent, "learning_rate_spent_share") == pytest.approx(0.4)
    assert value(run_of(rates=np.full(20, 1e-4)), "learning_rate_warmup_share") == 0


def test_the_group_with_the_highest_rate_speaks_for_the_schedule():
    run = run_of(rates=[1e-3, 5e-4, 1e-4])
    slow = curve("lr/backbone", [1e-5, 1e-5, 1e-5])
    both = RunSeries(run.source, run.reader, run.series, (slow, *run.learning_rates))

    assert value(both, "learning_rate_end_share") == pytest.approx(0.1)


def test_a_loss_that_rises_with_the_learning_rate():
    rising = run_of(train=np.linspace(1, 2, 20), rates=np.r_[np.linspace(0.1, 1, 10), np.ones(10)])
    falling = run_of(train=np.linspace(2, 1, 20), rates=np.r_[np.linspace(0.1, 1, 10), np.ones(10)])

    assert value(rising, "loss_follows_warmup") == 1
    assert value(falling, "loss_follows_warmup") == -1
    assert value(run_of(train=[2, 1], rates=[1, 0.5]), "loss_follows_warmup") is None
    assert value(rising, "loss_follows_warmup_luck") == pytest.approx(1 / math.factorial(10))
    assert value(falling, "loss_follows_warmup_luck") == pytest.approx(1)


@pytest.mark.parametrize("count", [5, 8, 60])
def test_the_luck_of_an_order_is_that_of_drawn_ones(count):
    random = np.random.default_rng(0)
    drawn = [kendall(np.arange(count), random.permutation(count)) for _ in range(3000)]
    for tau in (0.0, 0.2, 0.6):
        assert kendall_luck(tau, count) == pytest.approx(np.mean(np.array(drawn) >= tau - 1e-9), abs=0.03)


def test_a_score_that_was_never_filled_does_not_make_the_loss_none():
    train, empty = curve("train/loss", np.linspace(2, 1, 20)), curve("val/error", [float("nan")] * 20)
    whole = RunSeries(Path("run"), "test", (train, curve("val/loss", np.linspace(2, 1, 20)), empty))
    lost = RunSeries(Path("run"), "test", (train, curve("val/loss", [2.0] * 9 + [float("nan")] * 11), empty))

    assert (value(whole, "nonfinite_losses"), whole.metric) == (0, None)
    assert value(lost, "nonfinite_losses") == 11 + 20
    assert value(RunSeries(Path("run"), "test", (empty,)), "nonfinite_losses") == 20


def test_spikes_are_counted_where_they_are():
    random = np.random.default_rng(0)
    train = np.exp(-np.arange(400) / 200) * np.exp(random.normal(0, 0.05, 400))
    for place in (100, 200, 201, 202, 203, 204, 350):
        train[place] *= 5
    fact = next(fact for fact in measure_run(run_of(train=train)).facts if fact.name == "run.spikes")

    assert fact.value == 7
    assert [item.step for item in fact.evidence] == [101, 201, 202, 203, 204, 205, 351]
    assert value(run_of(train=train), "spikes_per_thousand") == pytest.approx(1000 * 7 / 400)
    assert value(run_of(train=train), "longest_spike") == 5


@pytest.mark.parametrize(
    "train",
    [
        3 * np.exp(-np.arange(200) / 5) + 0.01,  # a steep fall
        np.r_[np.full(100, 2.0), np.full(100, 0.5)],  # a step of the learning rate
        np.r_[np.full(100, 0.5), np.full(100, 2.0)],  # a divergence is no spike
        np.full(200, 0.7),
    ],
)
def test_falls_and_steps_are_no_spikes(train):
    assert value(run_of(train=train), "spikes") == 0


def test_an_evaluation_spike():
    random = np.random.default_rng(0)
    wer = 60 * np.exp(-np.arange(60) / 60) * np.exp(random.normal(0, 0.004, 60))
    wer[40] *= 1.15

    assert value(run_of(metric=wer, name="wer"), "evaluation_spikes") == 1


def test_noise_of_evaluations_and_an_unlucky_last_one():
    random = np.random.default_rng(0)
    course = 0.9 - 0.5 * np.exp(-np.arange(40) / 8)
    calm = run_of(metric=course + random.normal(0, 0.004, 40))
    wild = run_of(metric=course + random.normal(0, 0.08, 40))
    unlucky = course + random.normal(0, 0.004, 40)
    unlucky[-1] -= 0.1

    assert value(calm, "validation_noise") < 0.01
    assert value(wild, "validation_noise") > 0.04
    assert value(wild, "validation_noise_share") > 0.15
    assert value(run_of(metric=unlucky), "last_below_end_over_noise") > 5
    assert value(calm, "last_below_end_over_noise") < 3


def test_gradient_norms(tmp_path):
    made = healthy(epochs=20)
    made.grad_norm = [0.5] * 280 + [2.0] * 14 + [50.0] * 6
    made.plan = {"training": {"clip_norm": 1.0}}
    run = read_run(write_run(tmp_path / "run", made))

    assert value(run, "gradient_norm_p50") == 0.5
    assert value(run, "gradient_norm_p99_over_p50") == 100
    assert value(run, "clipped_share") == pytest.approx(20 / 300)


def test_how_far_a_run_came():
    assert value(run_of(train=[1] * 30, planned_steps=100, status="unfinished"), "finished_share") == 0.3
    assert value(run_of(train=[1] * 95, planned_steps=100, status="completed"), "finished_share") == 1
    assert value(run_of(train=[1] * 30), "finished_share") is None
    assert value(run_of(train=[1] * 60, planned_steps=100, status="unfinished"), "has_validation") is False
    assert value(run_of(train=[1] * 20, val=[1]), "has_validation") is True


def test_an_empty_run_leaves_everything_unknown_with_a_reason():
    measured = measure_run(run_of())
    counts = {"run.evaluations": 0, "run.training_points": 0, "run.has_gpu_telemetry": False}
    counts["run.has_loss_scale"] = False

    assert {fact.name: fact.value for fact in measured.facts} == counts
    assert all(item.reason for item in measured.unknown)
    assert len(measured.unknown) > 50


def test_every_signal_is_either_known_or_unknown_on_every_run(tmp_path):
    """No fact may be forgotten on the way to an early return."""
    everything = {item.name for item in measure_run(run_of()).unknown} | {
        fact.name for fact in measure_run(run_of()).facts
    }
    runs = [
        read_run(write_run(tmp_path / "whole", healthy())),
        run_of(train=[1, 0.9, 0.8]),
        run_of(val=[1, 0.9, 0.8]),
        run_of(metric=[0.1, 0.2, 0.3, 0.4, 0.4]),
        run_of(train=[1, math.nan], val=[math.nan], metric=[math.nan], rates=[0.0], norms=[math.nan]),
        run_of(train=[-1, -2, -3, -4, -5], val=[-1, -2, -3, -4, -5], metric=[0, 0, 0, 0, 0], name="wer"),
        run_of(train=[0, 0, 0, 0, 0], val=[0, 0, 0, 0, 0], metric=[1, 1, 1, 1, 1], rates=[1] * 5, norms=[0] * 5),
    ]

    for run in runs:
        measured = measure_run(run)
        names = [fact.name for fact in measured.facts] + [item.name for item in measured.unknown]
        assert sorted(names) == sorted(set(names))
        assert set(names) == everything


def test_epochs_seen_are_those_of_the_last_record():
    run = run_of(train=[1.0, 0.9, 0.8])
    cut = Series("train/loss", (1, 2), (0.24, 0.48), (1.0, 0.9))

    assert value(run, "epochs_seen") == 3.0
    assert value(RunSeries(Path("run"), "test", (cut,), (), None, meta=RunMeta()), "epochs_seen") == 0.48


def test_a_log_without_epochs_leaves_them_unknown():
    bare = Series("train/loss", (1, 2), (None, None), (1.0, 0.9))

    assert reason(RunSeries(Path("run"), "test", (bare,), (), None, meta=RunMeta()), "epochs_seen") == (
        "the log does not count epochs"
    )


def test_numbers_at_their_limits_are_measured_without_a_word() -> None:
    wild = [*[1.0, 1.1] * 10, 1e308, *[1.0, 1.1] * 10]
    run = run_of(train=wild, val=wild, metric=wild, rates=[*np.linspace(1e308, 1e300, 41)])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value(run, "evaluations") == len(wild)
