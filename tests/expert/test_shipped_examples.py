"""Every inline example of every shipped rule runs through the real engine."""

import pytest

from expert.examples import failures_of
from knowledge.loader import load_knowledge
from knowledge.rulebook import Rule

KNOWLEDGE = load_knowledge()


@pytest.mark.parametrize("rule", KNOWLEDGE.rules, ids=lambda rule: rule.id)
def test_examples_of_a_rule(rule: Rule) -> None:
    assert {example.fires for example in rule.examples} == {True, False}
    assert [str(failure) for failure in failures_of(rule, KNOWLEDGE)] == []
