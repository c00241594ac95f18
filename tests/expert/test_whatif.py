"""What-if and sensitivity against consultations that are drawn anew by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert.chaining import consult
from expert.session import Session
from expert.whatif import sensitivity, what_if
from knowledge.errors import TonmeisterError
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Unknown, Value

KNOWLEDGE = load_knowledge()
CASE: dict[str, Value] = {
    "task.type": "classification",
    "task.domain": "clean-speech",
    "dataset.clips": 950,
    "dataset.groups": 30,
    "machine.gpu": True,
    "machine.gpu_memory_gib": 24.0,
    "machine.pretrained_reachable": True,
}


def session(**fixed: Value) -> Session:
    facts = [Fact(name, value, "audit" if name.startswith("dataset") else "user") for name, value in CASE.items()]
    unknown = [Unknown("dataset.duration_median_seconds", "nothing was decoded")]
    choices = {name.replace("__", "."): value for name, value in fixed.items()}
    return consult(KNOWLEDGE, facts, packs=("plan",), unknown=unknown, fixed=choices)


def test_what_if_equals_a_consultation_with_the_other_fact() -> None:
    result = what_if(session(), {"dataset.clips": 50_000})
    facts = [Fact(n, 50_000 if n == "dataset.clips" else v, "user") for n, v in CASE.items()]
    again = consult(KNOWLEDGE, facts, packs=("plan",))
    changed = {change.attribute: change.after for change in result.changes}

    assert changed["dataset.regime"] == "large"
    before = {name: decision.value for name, decision in session().decisions.items()}
    assert {**before, **changed}.items() >= {name: decision.value for name, decision in again.decisions.items()}.items()


def test_what_is_fixed_stays_fixed_and_a_decision_can_be_supposed() -> None:
    held = what_if(session(adaptation__method="frozen"), {"dataset.clips": 50_000})
    assert "adaptation.method" not in {change.attribute for change in held.changes}
    supposed = what_if(session(), {"adaptation.method": "full"})
    assert supposed.changes
    assert "adaptation.method" not in {change.attribute for change in supposed.changes}
    assert supposed.render().startswith("If adaptation.method = full:\n  ")


def test_supposing_what_is_known_changes_nothing() -> None:
    result = what_if(session(), {"dataset.clips": 950})
    assert result.changes == ()
    assert result.render() == "If dataset.clips = 950:\n  nothing would change"


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TonmeisterError, match=r"dataset\.clips"):
        what_if(session(), {"dataset.clips": -1})
    with pytest.raises(TonmeisterError, match=r"dataset\.klips"):
        sensitivity(session(), "dataset.klips")


def test_the_nearest_threshold_on_either_side_is_found() -> None:
    flips = {(flip.name, flip.moved > flip.value): flip for flip in sensitivity(session(), "dataset.clips").flips}
    upward = flips["dataset.clips", True]

    assert upward.moved == 1000
    assert ("dataset.regime", "small", "medium") in [(c.attribute, c.before, c.after) for c in upward.changes]
    assert f"dataset.clips is 950; at 1000, {50 / 950:.1%} away:" in sensitivity(session()).lines()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 200_000))
def test_between_the_flips_nothing_changes(clips: int) -> None:
    facts = [Fact(n, clips if n == "dataset.clips" else v, "user") for n, v in CASE.items()]
    base = consult(KNOWLEDGE, facts, packs=("plan",))
    flips = sensitivity(base, "dataset.clips").flips
    low = max((int(flip.moved) + 1 for flip in flips if flip.moved < clips), default=0)
    high = min((int(flip.moved) - 1 for flip in flips if flip.moved > clips), default=10**6)

    for same in (low, high):
        assert what_if(base, {"dataset.clips": same}).changes == ()
    for flip in flips:
        assert what_if(base, {"dataset.clips": int(flip.moved)}).changes
