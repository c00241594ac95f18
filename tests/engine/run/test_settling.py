"""When a score was reached, how far it fell back, late starts, and what the folds of one log have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.run.formats.console import read_console
from engine.evidence.run.read import read_runs
from engine.evidence.run.replicates import replicates
from engine.evidence.run.settling import settling
from engine.evidence.run.volume import volume
from expert.consultation.diagnose import diagnose_run
from knowledge.loader import load_knowledge
from knowledge.records import Measured

from .test_guessing import curve
from .test_signals import run_of


def values(measured: Measured) -> dict[str, object]:
    return {fact.name: fact.value for fact in measured.facts}


def scored(ys):
    return replace(run_of(), series=(curve("val/accuracy", ys),))


def test_a_score_is_reached_where_its_error_is_a_twentieth_from_that_of_the_end():
    errors = np.concatenate([np.linspace(0.5, 0.2, 20), np.full(80, 0.2)])
    assert values(settling(scored(1 - errors)))["run.metric_reached_share"] == pytest.approx(0.19, abs=0.02)


@given(st.integers(20, 60), st.integers(1, 10_000))
def test_a_score_that_only_rises_has_no_setback(count, seed):
    ys = np.sort(np.random.default_rng(seed).uniform(0.1, 0.9, count))
    found = values(settling(scored(ys)))
    assert found["run.metric_setback"] == 0
    assert found["run.metric_setback_late"] == 0
    assert 0 <= found["run.metric_reached_share"] <= 1


def test_a_setback_is_told_in_its_half():
    ys = np.linspace(0.2, 0.9, 100)
    ys[20:30] = 0.0
    found = values(settling(scored(ys)))
    assert found["run.metric_setback"] > 0.3
    assert found["run.metric_setback_late"] < 0.05


def test_noise_is_told_against_the_error_that_is_left():
    wave = np.random.default_rng(3).normal(0, 0.005, 60)
    high, low = scored(0.96 + wave), scored(0.5 + wave)
    assert values(settling(high))["run.noise_of_error"] > 5 * values(settling(low))["run.noise_of_error"]


def test_a_late_start_is_a_share_of_the_way_to_the_lowest_loss():
    losses = np.concatenate([np.full(10, 3.2), np.linspace(3.2, 1.0, 10), np.full(10, 1.5)])
    found = values(settling(replace(run_of(), series=(curve("val/loss", losses),))))
    assert found["run.initial_plateau_evaluations"] == 12
    assert found["run.initial_plateau_share"] > 0.5
    assert found["run.initial_rise"] == pytest.approx(0)


FOLD = """========== FOLD {k}/4 ==========
Epoch   1: train_loss=1.46 train_acc=0.530 val_loss=1.33 val_acc=0.254
Epoch  10: train_loss=0.03 train_acc=0.986 val_loss={high} val_acc=0.627
Early stopping at epoch 11 (best: epoch 1, val_loss=1.33)
"""


@pytest.fixture
def folds(tmp_path):
    def write(*highs: float):
        path = tmp_path / "folds.log"
        path.write_text("".join(FOLD.format(k=k + 1, high=high) for k, high in enumerate(highs)))
        return path

    return write


def test_what_holds_in_every_fold_is_the_least_of_them(folds):
    runs = read_runs(folds(3.8, 2.7, 2.66))
    found = values(replicates(runs))
    assert found["run.replicates"] == 3
    assert found["run.replicates_smallest_rise"] == pytest.approx(1.0)
    assert found["run.replicates_best_is_first"] is True
    assert found["run.replicates_score_gap"] == pytest.approx(0.359)
    assert found["run.replicates_pick_regret"] == pytest.approx(0.373)


def test_folds_say_by_what_they_choose_and_are_no_appended_runs(folds):
    run = read_runs(folds(3.8, 2.7, 2.66))[-1]
    assert run.meta.selected_by == "loss"
    assert "run.appended_runs" not in values(volume(run))


def test_folds_too_short_alone_are_judged_together(folds):
    found = {one.id for one in diagnose_run(load_knowledge(), folds(3.8, 2.7, 2.66)).session.findings}
    assert {"overfitting", "wrong-selection-metric", "best-at-first-evaluation"} <= found
    assert "insufficient-evidence" not in found


def test_one_fold_that_does_not_rise_acquits_them_all(folds):
    found = {one.id for one in diagnose_run(load_knowledge(), folds(3.8, 2.7, 1.0)).session.findings}
    assert not {"overfitting", "wrong-selection-metric"} & found


def test_runs_of_different_curves_are_no_replicates(folds):
    runs = read_runs(folds(3.8, 2.7))
    assert values(replicates((runs[0], replace(runs[1], series=runs[1].series[:1])))) == {"run.replicates": 1}


@pytest.mark.parametrize(
    ("line", "chosen"),
    [
        ("Epoch 00011: val_loss did not improve from 0.1234", "loss"),
        ("Epoch 3: val_accuracy improved from 0.5 to 0.6, saving model to best.h5", "accuracy"),
        ("Monitored metric val_loss did not improve in the last 3 records. Best score: 0.123.", "loss"),
        ("epoch 4: val_loss 0.5 is fine", ""),
    ],
)
def test_a_console_log_says_by_what_the_checkpoint_is_chosen(line, chosen):
    found = read_console(["Epoch 1: train loss: 1.0, val loss: 1.0", line])
    assert found is not None
    assert found[1].selected_by == chosen
