"""Runs of which nothing carries over, and rankings that get better while their loss rises."""

import numpy as np
import pytest

from engine.evidence.run.series import RunSeries, Series

from .test_signals import curve, reason, run_of, value

VAL = [4.0, 3.6, 3.5, 3.7, 3.9, 4.2]
TRAIN = [3.2, 2.8, 2.5, 2.2, 1.9, 1.7]


def with_series(run: RunSeries, *more: Series) -> RunSeries:
    return RunSeries(run.source, run.reader, (*run.series, *more), meta=run.meta)


def test_the_lowest_validation_loss_is_held_against_the_first_training_loss():
    run = run_of(train=TRAIN, val=VAL, metric=[0.02, 0.03, 0.05, 0.05, 0.06, 0.05])

    assert value(run, "validation_loss_over_first_training") == pytest.approx(3.5 / 3.2)
    assert value(run, "best_score") == pytest.approx(0.06)


def test_an_untrained_model_has_the_higher_of_the_first_step_and_the_first_epoch():
    fast = Series("train/loss", (1, 100, 200), (0.01, 1.0, 2.0), (3.0, 0.2, 0.1))
    val = Series("val/loss", (100, 200), (1.0, 2.0), (0.8, 0.7))

    run = RunSeries(run_of().source, "test", (fast, val))

    assert value(run, "validation_loss_over_first_training") == pytest.approx(0.7 / 3.0)
    assert "share" in reason(run, "best_score")


def test_without_a_training_loss_nothing_is_held_against_it():
    assert "both" in reason(run_of(val=VAL), "validation_loss_over_first_training")
    assert "above 0" in reason(run_of(train=[-1, -2], val=VAL), "validation_loss_over_first_training")


def test_the_mean_place_of_the_right_answer_speaks_for_the_shares_that_cut_it():
    top = [0.10, 0.12, 0.14, 0.13, 0.12, 0.11]
    place = curve("val/acc_pos", [9.0, 8.0, 7.0, 6.5, 6.0, 5.5])
    run = run_of(train=TRAIN, val=VAL, metric=top, name="acc_top5")

    assert value(run, "metric_error_change") > 0
    assert value(with_series(run, place), "metric_error_change") == pytest.approx(6.0 / 7.0 - 1)
    assert value(with_series(run, place), "worst_error_change") == pytest.approx(6.0 / 7.0 - 1)


@pytest.mark.parametrize("place", [np.zeros(6), [0.0, 0.0]])
def test_a_rank_of_a_process_or_one_scored_seldom_says_nothing(place):
    run = run_of(train=TRAIN, val=VAL, metric=[0.10, 0.12, 0.14, 0.13, 0.12, 0.11], name="acc_top5")

    assert value(with_series(run, curve("val/rank", place)), "metric_error_change") > 0


def test_a_rank_beside_no_share_of_a_ranking_may_be_one_of_a_matrix():
    run = run_of(train=TRAIN, val=VAL, metric=[0.10, 0.12, 0.14, 0.13, 0.12, 0.11])

    assert value(with_series(run, curve("val/rank", [9, 8, 7, 6, 5, 4])), "metric_error_change") > 0


def test_the_error_of_decibels_is_an_amplitude():
    run = run_of(val=VAL, metric=[0.0, 3.0, 6.0206, 6.0206, 6.0206, 6.0206], name="si_sdr")

    assert value(run, "metric_error_reduction") == pytest.approx(0.5, abs=1e-4)
    assert (
        value(run_of(val=VAL, metric=[-2.25, -2.0, -1.5, -1.2, -1.0, -0.98], name="si_sdr"), "metric_error_reduction")
        > 0.1
    )
