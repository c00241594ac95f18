"""Trials of rules on given values: the outcome is the engine's, and it says what comes of a rule that fires."""

import pytest

from expert.trial import facts_read, try_rules
from knowledge.errors import UsageError
from knowledge.loader import load_knowledge

KNOWLEDGE = load_knowledge()


def test_every_example_of_the_shipped_tables_is_tried_as_it_is_written() -> None:
    rows = [rule for rule in KNOWLEDGE.rules if rule.table]
    assert rows
    for rule in rows:
        for example in rule.examples:
            (trial,) = try_rules([rule], example.given, KNOWLEDGE)
            assert (trial.check.status == "fires") == example.fires, f"{rule.id}: {example.given}"
            assert bool(trial.says) == example.fires


def test_a_refuted_rule_names_only_what_fails_with_its_distance() -> None:
    rule = KNOWLEDGE.rule("rank.8-for-medium-data")
    assert rule is not None
    (trial,) = try_rules([rule], {"dataset.regime": "small", "adaptation.method": "lora"}, KNOWLEDGE)
    assert trial.outcome == "does not fire: dataset.regime is medium (it is small)"


def test_an_open_rule_names_what_is_unknown() -> None:
    rule = KNOWLEDGE.rule("rank.8-for-medium-data")
    assert rule is not None
    (trial,) = try_rules([rule], {"dataset.regime": "medium"}, KNOWLEDGE)
    assert trial.outcome.startswith("cannot tell yet: adaptation.method is lora or dora (it is unknown")


def test_a_rule_that_fires_and_loses_says_to_which_and_on_what() -> None:
    lost = []
    for rule in KNOWLEDGE.pack("plan"):
        if rule.then.kind != "recommend":
            continue
        for example in rule.examples:
            if example.fires:
                (trial,) = try_rules([rule], example.given, KNOWLEDGE)
                assert trial.outcome.startswith("fires")
                lost += [trial.outcome] if " wins on " in trial.outcome else []
    assert lost, "some default is overruled in an example of its own"
    assert all(": " in text and " becomes " in text for text in lost)


def test_what_the_user_says_of_the_conclusion_is_told() -> None:
    rule = KNOWLEDGE.rule("rank.8-for-medium-data")
    assert rule is not None
    given = {"dataset.regime": "medium", "adaptation.method": "lora", "adaptation.rank": 4}
    (trial,) = try_rules([rule], given, KNOWLEDGE)
    assert trial.outcome == "fires, but you say that adaptation.rank is 4"
    assert trial.record()["outcome"] == trial.outcome


def test_facts_are_read_once_in_the_order_of_the_rules() -> None:
    assert facts_read(KNOWLEDGE.table("adapter-rank")) == ("dataset.regime", "adaptation.method")


def test_a_misspelt_fact_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        try_rules(KNOWLEDGE.rules[:1], {"dataset.regme": "tiny"}, KNOWLEDGE)
    assert "dataset.regime" in caught.value.hint
