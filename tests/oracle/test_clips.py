"""CLIPS and the naive reference as independent oracles: within each stratum all three must fire the same rules."""

from random import Random

import pytest
from hypothesis import given, settings

from knowledge.loader import load_knowledge
from knowledge.records import Fact
from knowledge.rulebook import Knowledge
from knowledge.schema import Pack

from ..expert import strategies
from .agreement import ClipsOracle, disagreement, order_effect
from .random_cases import random_book, random_facts, random_shipped_facts

PACKS: tuple[Pack, ...] = ("plan", "audit", "diagnose")


@settings(max_examples=60, deadline=None)
@given(strategies.rulebooks(), strategies.facts())
def test_clips_fires_the_same_rules(book: Knowledge, given_facts: list[Fact]) -> None:
    assert disagreement(ClipsOracle(book), given_facts)[1] == ""


@pytest.mark.parametrize("pack", PACKS)
def test_clips_fires_the_same_shipped_rules(pack: Pack) -> None:
    oracle = ClipsOracle(load_knowledge(), pack)
    for rule in oracle.book.pack(pack)[::8]:
        for example in rule.examples:
            facts = [Fact(name, value, "user") for name, value in example.given.items()]
            assert disagreement(oracle, facts)[1] == ""


@pytest.mark.parametrize("pack", PACKS)
def test_all_three_agree_on_shipped_rules_at_their_thresholds(pack: Pack) -> None:
    oracle = ClipsOracle(load_knowledge(), pack)
    fired = 0
    for seed in range(20):
        random = Random(seed)
        count, difference = disagreement(oracle, random_shipped_facts(random, oracle.book, pack))
        assert difference == "", seed
        fired += count
    assert fired > 20, "facts that fire nothing compare nothing"


def test_no_order_matters() -> None:
    for seed in range(150):
        random = Random(seed)
        assert order_effect(random_book(random), random_facts(random), random) == "", seed


def test_an_oracle_with_another_threshold_is_noticed() -> None:
    """The comparison itself can fail."""
    knowledge = load_knowledge()
    rule = next(rule for rule in knowledge.pack("plan") if rule.id == "size.tiny")
    facts = [Fact("dataset.clips", 99, "user")]
    oracle = ClipsOracle(knowledge, "plan")
    assert disagreement(oracle, facts)[1] == ""

    other = next(clips for stratum, clips in oracle.strata if rule in stratum.rules)
    other.forget(rule.id)

    assert "size.tiny" in disagreement(oracle, facts)[1]
