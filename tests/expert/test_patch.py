"""A remedy changes what it says, keeps types, and refuses what it cannot know."""

import pytest

from engine.plan import Plan, differences, make_plan
from expert.consultation.patch import apply_remedy, diff_lines
from knowledge.errors import UsageError
from knowledge.records import Fact
from knowledge.rulebook import Remedy

PLAN = make_plan({"task": {"type": "classification"}, "data": {"manifest": "m.csv"}}, "test")


def remedy(action: str = "", **patch: object) -> Remedy:
    paths = {path.replace("__", "."): value for path, value in patch.items()}
    return Remedy("test.remedy", "Test", paths, action, (), (), "nothing", "nothing", ("experience",), "x.yaml", 1)


def patched(**patch: object) -> Plan:
    return apply_remedy(
        PLAN, remedy(**patch), {"dataset.repaired_manifest": Fact("dataset.repaired_manifest", "n.csv", "audit")}
    )


def test_literal_and_multiply_and_bounds() -> None:
    plan = patched(
        training__clip_norm=1.0,
        training__epochs={"at_least": 40},
        training__learning_rate={"multiply": 0.3},
        adaptation__rank={"multiply": 0.5},
        training__batch_size={"at_most": 16},
        data__manifest={"from": "dataset.repaired_manifest"},
    )

    assert differences(PLAN, plan) == {
        "data.manifest": ("m.csv", "n.csv"),
        "adaptation.rank": (8, 4),
        "training.epochs": (20, 40),
        "training.batch_size": (32, 16),
        "training.learning_rate": (5e-4, 1.5e-4),
        "training.clip_norm": (0.0, 1.0),
    }


def test_at_least_leaves_a_larger_value_alone() -> None:
    assert patched(training__epochs={"at_least": 10}) == PLAN


def test_the_diff_shows_old_above_new() -> None:
    assert diff_lines(PLAN, patched(training__clip_norm=1.0)) == [
        "- training.clip_norm: 0.0",
        "+ training.clip_norm: 1.0",
    ]


def test_an_action_for_a_person_is_not_applied() -> None:
    with pytest.raises(UsageError, match="something that a person does"):
        apply_remedy(PLAN, remedy(action="Record more clips."), {})


def test_an_unknown_fact_is_not_copied() -> None:
    with pytest.raises(UsageError, match=r"dataset.repaired_manifest is unknown"):
        apply_remedy(PLAN, remedy(data__manifest={"from": "dataset.repaired_manifest"}), {})
