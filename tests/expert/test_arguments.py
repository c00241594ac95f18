"""Both sides of decisions, assumptions, changes of mind; on small books and on the knowledge that is shipped."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert.arguments import contested, critique
from expert.assumptions import assumptions
from expert.chaining import consult
from expert.consultation.plan import draft_plan
from expert.consultation.suppose import supposed
from expert.mind import change_of_mind
from expert.session import Session
from expert.whatif import what_if
from knowledge.errors import KnowledgeError, UsageError
from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge

from .builders import entry, fact, knowledge, rule, vocabulary
from .plan_cases import CASES, KNOWLEDGE, MANIFEST, draft

WORDS = vocabulary(
    entry("data.kind", "choice", values=("speech", "music"), ask="Speech or music?", topic="problem"),
    entry("data.clips", "integer", ask="How many clips?", topic="data"),
    entry("data.snr_db"),
    entry("adapt.method", "choice", "decision", values=("frozen", "lora", "full")),
    entry("train.rate", "number", "decision"),
)


def book(*rules: tuple[str, list[dict[str, Any]], dict[str, Any]], **more: Any) -> Knowledge:
    return knowledge(WORDS, *(rule(WORDS, name, when, then, **more.get(name[0], {})) for name, when, then in rules))


LORA = ("a.lora", [{"data.kind": "speech"}], {"recommend": {"adapt.method": "lora"}})
FULL = ("b.full", [{"data.clips": ">= 100"}], {"recommend": {"adapt.method": "full"}})
RATE = ("r.lora", [{"adapt.method": "lora"}], {"recommend": {"train.rate": 1e-3}})
ASSUMED = ("f.frozen", [{"unknown": "data.kind"}], {"recommend": {"adapt.method": "frozen"}})
QUIET = ("q.full", [{"data.snr_db": "> 20"}], {"recommend": {"adapt.method": "full"}})
SPEECH, MANY = fact("data.kind", "speech"), fact("data.clips", 500)


def run(made: Knowledge, *facts: Fact, **fixed: Value) -> Session:
    return consult(made, facts, packs=("plan",), fixed={name.replace("_", "."): value for name, value in fixed.items()})


def test_both_arguments_of_a_contested_decision_are_told() -> None:
    made = book(LORA, FULL, a={"certainty": 0.9}, b={"certainty": 0.6})
    (item,) = contested(run(made, SPEECH, MANY)).items

    assert (item.value, item.settled) == ("lora", "a surer rule wins")
    assert [argument.rule for argument in item.arguments] == ["a.lora"]
    assert [(argument.rule, argument.value) for argument in item.rivals] == [("b.full", "full")]
    assert all(argument.sources for argument in (*item.arguments, *item.rivals))


def test_where_a_stronger_rule_wins_nothing_is_contested() -> None:
    made = book(LORA, FULL, a={"strength": "strong"})

    assert contested(run(made, SPEECH, MANY)).items == ()


def test_a_choice_is_held_against_the_rules_with_what_it_costs() -> None:
    found = critique(run(book(LORA, RATE), SPEECH, adapt_method="full"))
    (item,) = found.items

    assert [argument.rule for argument in item.rivals] == ["a.lora"]
    assert {(change.attribute, change.after) for change in item.costs} == {
        ("adapt.method", "lora"),
        ("train.rate", 1e-3),
    }


def test_a_choice_that_the_rules_share_is_undisputed() -> None:
    made = book(LORA, FULL, a={"strength": "strong"}, b={"strength": "fallback"})
    found = critique(run(made, SPEECH, MANY, adapt_method="lora"))

    assert found.items == ()
    assert found.undisputed == ("adapt.method",)


def test_a_fallback_does_not_argue_where_something_better_does() -> None:
    made = book(LORA, ASSUMED, FULL, f={"strength": "fallback"})
    (alone,) = critique(run(made, adapt_method="lora")).items
    (beside,) = critique(run(made, MANY, adapt_method="lora")).items

    assert [argument.rule for argument in alone.rivals] == ["f.frozen"]
    assert [argument.rule for argument in beside.rivals] == ["b.full"]


def test_an_undecided_name_is_refused() -> None:
    with pytest.raises(UsageError, match=r"train\.rate is not decided"):
        critique(run(book(LORA), SPEECH), "train.rate")
    with pytest.raises(KnowledgeError):
        contested(run(book(LORA), SPEECH), "train.rates")


def test_an_assumption_names_what_would_settle_it() -> None:
    made = book(ASSUMED, LORA, QUIET, f={"strength": "fallback"})
    (item,) = assumptions(run(made)).items

    assert item.fallback
    assert item.answers == ("data.kind",)
    assert item.measurements == ("data.snr_db",)
    assert assumptions(run(made, SPEECH, fact("data.snr_db", 1.0, "audit"))).items == ()


def test_what_would_change_the_mind_is_found_on_both_sides_and_in_the_unknown() -> None:
    made = book(LORA, FULL, a={"strength": "fallback"}, b={"strength": "strong"})
    known = change_of_mind(run(made, SPEECH, MANY), "adapt.method")
    open_ = change_of_mind(run(made, SPEECH), "adapt.method")

    assert [(turn.fact, turn.to, turn.change.after) for turn in known.turns] == [("data.clips", "99", "lora")]
    assert [(turn.fact, turn.known, turn.to) for turn in open_.turns] == [
        ("data.kind", "speech", "music"), ("data.clips", None, "100 or more"),
    ]  # fmt: skip


def test_what_nobody_concludes_cannot_be_argued_about() -> None:
    with pytest.raises(UsageError, match="expected a decision"):
        change_of_mind(run(book(LORA), SPEECH), "data.kind")
    with pytest.raises(UsageError, match="settled from outside"):
        change_of_mind(run(book(LORA), SPEECH, adapt_method="full"), "adapt.method")


@settings(deadline=None, max_examples=12)
@given(st.sampled_from(sorted(CASES)), st.sampled_from(["adaptation.method", "pooling.name", "training.epochs"]))
def test_every_turn_of_mind_is_one(case: str, attribute: str) -> None:
    """Supposing the numbers and answers that it names does change the decision as it says."""
    session = draft(CASES[case]).session
    for turn in change_of_mind(session, attribute).turns:
        entry_ = KNOWLEDGE.vocabulary.entry(turn.fact)
        if entry_.type in ("choice", "boolean"):
            value = turn.to.partition(" or ")[0]
            changes = what_if(session, {turn.fact: value}).changes
            assert turn.change.after in {change.after for change in changes if change.attribute == attribute}


def test_a_supposition_shows_the_lines_of_the_plan() -> None:
    result = draft(CASES["quality-scores-large-gpu"])
    found = supposed(result, {"dataset.clips": 80})

    assert "+ adaptation.method: frozen" in found.diff
    assert not found.refused
    assert supposed(result, {"dataset.clips": 7000}).diff == ()


def test_a_supposition_without_a_plan_says_why() -> None:
    result = draft(CASES["quality-scores-large-gpu"])

    unfit = {"task.type": "ctc", "training.loss": "mse"}
    assert supposed(result, {"task.type": "ctc"}).refused == ""
    assert "no plan that runs" in supposed(result, unfit).render()
    refused = supposed(result, {"training.loss": "cross-entropy"})
    assert "cross-entropy" in refused.refused
    nothing = draft_plan(KNOWLEDGE, [], manifest=MANIFEST)
    assert supposed(nothing, {"task.type": "classification"}).diff == ()
