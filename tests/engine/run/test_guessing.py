"""Guesses, excursions, mixed columns, ends that nobody recorded and the worst of several sets, on made curves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.run.ending import ending
from engine.evidence.run.groups import groups
from engine.evidence.run.guessing import against_guess
from engine.evidence.run.instability import excursions, mislabelled
from engine.evidence.run.series import Series
from engine.evidence.run.skill import clips_behind
from knowledge.records import Measured

from .test_signals import run_of


def values(measured: Measured) -> dict[str, object]:
    return {fact.name: fact.value for fact in measured.facts}


def curve(name: str, ys) -> Series:
    count = len(ys)
    return Series(name, tuple(range(1, count + 1)), (None,) * count, tuple(float(y) for y in ys))


@given(st.integers(2, 200))
def test_a_guess_names_its_classes(classes):
    named, loss, accuracy, skill = against_guess(math.log(classes), 1 / classes, 1 / classes)
    assert named == classes
    assert (loss, accuracy, skill) == (pytest.approx(1), pytest.approx(1), pytest.approx(0))


@given(st.floats(0.5, 1.0), st.floats(0.01, 0.6))
def test_a_model_that_is_mostly_right_is_far_from_a_guess(accuracy, loss):
    _, level, _, skill = against_guess(loss, accuracy, accuracy)
    assert level < 0.95 or skill > 0.15


def test_a_model_that_learns_later_lies_above_a_guess():
    assert against_guess(math.log(2), 0.5, 0.8)[3] == pytest.approx(0.6)


@pytest.mark.parametrize("loss", [0.0, -1.0, 20.0])
def test_a_loss_that_no_guess_has(loss):
    assert against_guess(loss, 0.5, 0.5) is None


def test_an_early_excursion_and_a_late_one_are_told_apart():
    fall = np.geomspace(4, 1, 40)
    early, late = fall.copy(), fall.copy()
    early[6:12] *= 20
    late[30:36] *= 20

    first, second = values(excursions(run_of(train=early))), values(excursions(run_of(train=late)))

    assert first["run.early_excursion"] > 10 > 2 > first["run.late_excursion"]
    assert second["run.late_excursion"] > 10 > 2 > second["run.early_excursion"]
    assert first["run.train_end_over_highest"] < 0.1


def test_one_record_alone_is_no_excursion():
    spiked = np.geomspace(4, 1, 40)
    spiked[10] *= 50

    assert values(excursions(run_of(train=spiked)))["run.early_excursion"] < 2


def test_a_loss_that_rises_as_its_error_falls_stands_under_another_header():
    rising, falling = np.linspace(0.2, 0.8, 30), np.linspace(0.04, 0.001, 30)
    run = run_of(train=rising)
    mixed = replace(run, series=(*run.series, curve("train/mse", falling)))
    sound = replace(run, series=(*run.series, curve("train/mse", rising)))

    assert values(mislabelled(mixed))["run.loss_against_error"] == pytest.approx(-1)
    assert values(mislabelled(sound))["run.loss_against_error"] == pytest.approx(1)


def test_a_straight_line_of_the_learning_rate_tells_what_is_left_and_a_cosine_does_not():
    line, cosine = np.linspace(1e-3, 6e-4, 30), 5e-4 * (1 + np.cos(np.linspace(0, math.pi, 30)))
    run = run_of(train=np.linspace(2, 1, 30))

    left = values(ending(replace(run, learning_rates=(curve("lr/all", line),))))
    whole = values(ending(replace(run, learning_rates=(curve("lr/all", cosine),))))

    assert left["run.schedule_left"] == pytest.approx(0.6)
    assert left["run.schedule_straightness"] == pytest.approx(1)
    assert whole["run.schedule_straightness"] < 0.99


def test_the_worst_of_several_sets():
    sets = (curve("val:near/accuracy", [0.8] * 5), curve("val:far/accuracy", [0.4] * 5))
    run = replace(run_of(train=[2, 1]), series=sets)

    assert values(groups(run))["run.worst_set_behind"] == pytest.approx(0.2)


@given(st.integers(10, 150), st.integers(0, 2**32 - 1))
def test_the_number_of_clips_is_read_off_the_scores(clips, seed):
    rights = np.random.default_rng(seed).choice(np.arange(clips + 1), size=8, replace=False)
    found = clips_behind(curve("val/accuracy", rights / clips))

    assert found == 0 or clips % found == 0 or found <= clips


def test_scores_of_many_clips_tell_no_number():
    assert clips_behind(curve("val/accuracy", [0.13317, 0.24171, 0.35513, 0.47719, 0.59393])) == 0
