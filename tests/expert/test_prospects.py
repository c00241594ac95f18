"""What answers would change before they are given, ratios of facts, and suppositions against whole consultations."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert.chaining import consult
from expert.interview import questions
from expert.prospects import Prospects
from expert.session import Session
from expert.sweep import Sweep
from expert.whatif import what_if
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Unknown, Value

KNOWLEDGE = load_knowledge()
BASE: dict[str, Value] = {
    "task.type": "regression", "dataset.clips": 700, "machine.pretrained_reachable": True, "machine.gpu": True,
}  # fmt: skip
STUDY: dict[str, Value] = {"task.type": "classification", "task.domain": "environmental", "dataset.hours": 12.5}


def session(said: dict[str, Value], *unknown: str) -> Session:
    facts = [KNOWLEDGE.vocabulary.user_fact(name, value, "test") for name, value in said.items()]
    missing = [Unknown(name, "the user does not know") for name in unknown]
    return consult(KNOWLEDGE, facts, packs=("plan",), unknown=missing)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(["dataset.clips", "dataset.groups", "machine.gpu_memory_gib", "task.reference_hours"]),
    st.integers(1, 200000),
)
def test_a_supposition_costs_no_consultation_and_says_the_same(name: str, value: int) -> None:
    """The sweep reasons anew only about what depends on the supposed fact."""
    base = session({**BASE, "dataset.hours": 3.0})

    assert set(Sweep(base).changes({name: value})) == set(what_if(base, {name: value}).changes)


def test_answers_that_no_rule_tells_apart_are_one() -> None:
    found = Prospects(session(BASE)).answers("dataset.clips")

    assert len(found) < 20
    assert found[0].says.startswith("up to ")
    assert found[-1].says.endswith(" or more")
    values = [answer.value for answer in found]
    assert values == sorted(values, key=float)


def test_ranges_of_numbers_are_told_by_the_thresholds_between_them() -> None:
    found = Prospects(session({**STUDY, "task.reference_hours": 600})).answers("dataset.hours")
    says = [answer.says for answer in found]

    assert says == ["up to 10", "above 10, below 30", "30 to below 1000", "1000 or more"]


def test_a_prospect_is_what_the_answer_then_changes() -> None:
    base = session(BASE)
    (speech, *_) = (item for item in Prospects(base).of("task.domain") if item.answer.value == "speech-quality")

    after = what_if(base, {"task.domain": "speech-quality"})
    assert {change.attribute for change in speech.decisions} == {
        change.attribute for change in after.changes if KNOWLEDGE.vocabulary.entry(change.attribute).kind == "decision"
    }


# --- A ratio of two facts


def test_the_share_of_the_reference_study_is_computed_and_warned_about() -> None:
    """S002-16: 12.5 hours against the 600 of the study."""
    found = session({**STUDY, "task.reference_hours": 600})

    assert found.facts["dataset.share_of_reference"].value == pytest.approx(12.5 / 600)
    assert "too-little-against-the-reference" in {finding.id for finding in found.findings}


def test_what_is_divided_is_asked_for_only_once_there_is_something_to_divide_by() -> None:
    said = {name: value for name, value in STUDY.items() if name != "dataset.hours"}
    before = [question.entry.name for question in questions(session(said))]
    after = questions(session({**said, "task.reference_hours": 600}))
    hours = next(question for question in after if question.entry.name == "dataset.hours")

    assert "task.reference_hours" in before
    assert "dataset.hours" not in before
    assert hours.pending == ("budget.too-little-against-the-reference",)
    assert 0 < hours.warnings < 1


def test_without_a_reference_study_the_hours_are_not_asked_for() -> None:
    said = {name: value for name, value in STUDY.items() if name != "dataset.hours"}
    asked = {question.entry.name for question in questions(session(said, "task.reference_hours"))}

    assert not asked & {"task.reference_hours", "dataset.hours"}


def test_a_ratio_to_nothing_is_unknown() -> None:
    assert "dataset.share_of_reference" not in session({**STUDY, "task.reference_hours": 0}).facts


def test_a_measured_ratio_is_not_divided_anew() -> None:
    facts = [Fact("dataset.share_of_reference", 0.5, "audit"), Fact("dataset.hours", 1.0, "audit")]
    found = consult(KNOWLEDGE, [*facts, Fact("task.reference_hours", 100, "user")], packs=("plan",))

    assert found.facts["dataset.share_of_reference"].value == 0.5
