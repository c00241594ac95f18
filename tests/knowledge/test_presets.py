"""Search presets: what is refused when they are loaded, and what their numbers come to."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from expert.paths import wrong_paths
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from knowledge.presets import DerivedSetting, Dimension
from tests.knowledge.folder import folder

PRESET = """
- preset: search.rate
  title: The rate
  because: It matters most.
  dimensions: [{tunes: training.learning_rate, real: [0.00001, 0.001], scale: log}]
  certainty: 0.7
  source: S000-13a
  since: "0.2"
"""


def load(root: Path, preset: str) -> Any:
    return load_knowledge(folder(root, presets__all=preset)).presets


def test_a_preset_is_loaded(tmp_path: Path) -> None:
    (preset,) = load(tmp_path, PRESET)

    assert preset.dimensions[0].real == (0.00001, 0.001)
    assert preset.citations == ("S000-13a",)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (", scale: log", "", "decade"),
        ("0.00001, 0.001", "0.001, 0.00001", "empty"),
        ("0.00001, 0.001", "0, 0.001", "above 0"),
        ("real: [0.00001, 0.001], scale: log", "integer: [1, 8], step: 3", "do not end on 8"),
        ("real: [0.00001, 0.001], scale: log", "choice: [1]", "different values"),
        ("real: [0.00001, 0.001], scale: log", "choice: [1, 2], integer: [1, 2]", "exactly one"),
        ("scale: log", "scale: log, awaits: trainer", "means"),
        ("scale: log", "scale: log, only_if: {training.optimizer: adam}", "not tried here"),
        ("S000-13a", "S999-1", "not in sources.yaml"),
        ("certainty: 0.7", "certainty: 0.7\n  when: [{dataset.clip: 3}]", "dataset.clip"),
        ("certainty: 0.7", "certainty: 0.7\n  phases: [{name: a, sampler: tpe, trials: 1, varies: x}]", "does not: x"),
    ],
)
def test_what_cannot_be_searched_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(KnowledgeError, match=says):
        load(tmp_path, PRESET.replace(old, new))


def test_a_preset_that_says_nothing_is_refused(tmp_path: Path) -> None:
    without = "\n".join(line for line in PRESET.splitlines() if "dimensions" not in line)

    with pytest.raises(KnowledgeError, match="what is varied, or how"):
        load(tmp_path, without)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("training.learning_rate", "training.learning_rat", "did you mean training.learning_rate"),
        ("scale: log", "scale: log, awaits: trainer, means: Rate.", "which the plan has by now"),
        ("real: [0.00001, 0.001], scale: log", "choice: [1, fast]", "'fast'"),
    ],
)
def test_settings_that_the_plan_does_not_have_are_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    knowledge = load_knowledge(folder(tmp_path, presets__all=PRESET.replace(old, new)))

    assert any(says in wrong.message for wrong in wrong_paths(knowledge) if wrong.subject == "search.rate")


@given(st.floats(1, 1024), st.floats(1, 1024), st.sampled_from([0.5, 1.0]))
def test_a_derived_rate_follows_its_batch(small: float, large: float, exponent: float) -> None:
    rate = DerivedSetting(sets="rate", by=("batch",), base=1e-4, at=32, exponent=exponent)

    assert math.isclose(rate.value(large) / rate.value(small), (large / small) ** exponent, rel_tol=1e-9)
    assert rate.value(32) == 1e-4
    assert rate.model_copy(update={"at_most": 2e-4}).value(large) <= 2e-4


@given(st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_wide_ranges_are_logarithmic(low: float, high: float) -> None:
    if not low < high:
        return
    if high / low > 11:
        with pytest.raises(ValidationError):
            Dimension(tunes="a", real=(low, high))
    Dimension(tunes="a", real=(low, high), scale="log")


def test_the_ladder_of_the_source_costs_a_fifteenth() -> None:
    ladder = next(one for one in load_knowledge().presets if one.preset == "method.fidelity-ladder")
    costs = [phase.trials * (phase.hours or 0) * (phase.layers or 0) * (phase.epochs or 0) for phase in ladder.phases]
    full = ladder.phases[0].trials * costs[-1] / ladder.phases[-1].trials

    assert math.isclose(full / sum(costs), 15.7, abs_tol=0.1)


def test_no_searched_rate_or_decay_is_drawn_evenly() -> None:
    wide = [
        (preset.preset, one.tunes)
        for preset in load_knowledge().presets
        for one in preset.dimensions
        if one.real and one.tunes.endswith(("learning_rate", "weight_decay")) and one.scale != "log"
    ]

    assert wide == []
