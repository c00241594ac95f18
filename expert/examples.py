"""Runs the inline examples of rules through the real engine, so that no rule is shipped on faith."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.conditions import spell
from knowledge.records import Fact
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Example

from .chaining import consult
from .reference import Assessment
from .strata import concluding


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example that turned out otherwise than written."""

    rule: str
    example: Example
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def test_examples(knowledge: Knowledge) -> tuple[ExampleFailure, ...]:
    """Run every example of every rule in a consultation with the rule's own pack."""
    return tuple(failure for rule in knowledge.rules for failure in failures_of(rule, knowledge))


def failures_of(rule: Rule, knowledge: Knowledge) -> Iterator[ExampleFailure]:
    """Run the examples and the pins of one rule.

    What an example gives counts as said by the user: facts are taken as they are, and conclusions of other rules
    (`dataset.regime: small`) are settled by it.
    """
    for example in rule.cases:
        facts = [Fact(name, value, "user") for name, value in example.given.items()]
        session = consult(knowledge, facts, packs=(rule.pack,))
        fired = any(firing.rule.id == rule.id for firing in session.firings)
        if fired != example.fires:
            given = ", ".join(f"{name} = {spell(value)}" for name, value in example.given.items())
            assessment = Assessment(concluding(knowledge.pack(rule.pack)), session.facts.get)
            clauses = [clause for clause in (*rule.when, *rule.needs) if assessment.clause(clause) is not True]
            lacks = "; ".join(" or ".join(map(str, clause)) for clause in clauses)
            outcome = "fires, expected not to" if fired else f"does not fire for want of: {lacks}"
            yield ExampleFailure(rule.id, example, f"given {given} it {outcome}")
