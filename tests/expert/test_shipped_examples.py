"""Every example and pin of every shipped rule runs through the real engine; the naive evaluator agrees."""

import pytest

from expert.examples import by_engine, failures_of
from expert.examples import test_examples as failing_examples
from knowledge.loader import load_knowledge
from knowledge.rulebook import Rule

KNOWLEDGE = load_knowledge()


@pytest.mark.parametrize("rule", KNOWLEDGE.rules, ids=lambda rule: rule.id)
def test_examples_of_a_rule(rule: Rule) -> None:
    assert {example.fires for example in rule.examples} == {True, False}
    assert [str(failure) for failure in failures_of(rule, KNOWLEDGE, by_engine)] == []


def test_the_naive_evaluator_agrees() -> None:
    assert failing_examples(KNOWLEDGE) == ()
