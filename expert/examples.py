"""Runs the examples and pins of rules, so that no rule is shipped on faith; through the real engine, or by recursion.

The naive evaluator answers in a thirtieth of a second for the whole rulebook, for an editor that checks at every
keystroke; the engine needs two milliseconds a case. The test suite runs every case through both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from knowledge.conditions import spell
from knowledge.records import Fact
from knowledge.rulebook import Check, Knowledge, Rule
from knowledge.schema import Example

from .chaining import consult
from .reference import Assessment, Reference
from .strata import concluding

Evaluate = Callable[[Rule, Example, Knowledge], tuple[bool, Assessment]]
"""Draws the conclusions of one example; returns whether the rule fires, and the view on what was concluded."""


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example that turned out otherwise than written."""

    rule: str
    example: Example
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def by_recursion(rule: Rule, example: Example, knowledge: Knowledge) -> tuple[bool, Assessment]:
    """Evaluate with the naive reference evaluator."""
    facts = {name: Fact(name, value, "user") for name, value in example.given.items()}
    assessment = Reference(knowledge.vocabulary, concluding(knowledge.pack(rule.pack)), facts).assessment
    return assessment.status(rule) == "fires", assessment


def by_engine(rule: Rule, example: Example, knowledge: Knowledge) -> tuple[bool, Assessment]:
    """Evaluate by forward chaining in durable-rules."""
    facts = [Fact(name, value, "user") for name, value in example.given.items()]
    session = consult(knowledge, facts, packs=(rule.pack,))
    fires = any(firing.rule.id == rule.id for firing in session.firings)
    return fires, Assessment(concluding(knowledge.pack(rule.pack)), session.facts.get)


def test_examples(knowledge: Knowledge, evaluate: Evaluate = by_recursion) -> tuple[ExampleFailure, ...]:
    """Run every example of every check, and every case of every rule in a consultation with the rule's own pack."""
    of_checks = [failure for check in knowledge.checks for failure in failures_of_check(check)]
    return (*of_checks, *(failure for rule in knowledge.rules for failure in failures_of(rule, knowledge, evaluate)))


def failures_of_check(check: Check) -> Iterator[ExampleFailure]:
    """Run the examples of one check; a measure that an example does not give is unknown."""
    for example in check.examples:
        assessment = Assessment({}, {name: Fact(name, value, "audit") for name, value in example.given.items()}.get)
        fired = all(assessment.clause(clause) is True for clause in check.when)
        if fired != example.fires:
            given = ", ".join(f"{name} = {spell(value)}" for name, value in example.given.items())
            yield ExampleFailure(check.id, example, f"given {given} it {'fires' if fired else 'does not fire'}")


def failures_of(rule: Rule, knowledge: Knowledge, evaluate: Evaluate = by_engine) -> Iterator[ExampleFailure]:
    """Run the examples and the pins of one rule.

    What an example gives counts as said by the user: facts are taken as they are, and conclusions of other rules
    (`dataset.regime: small`) are settled by it.
    """
    for example in rule.cases:
        fires, assessment = evaluate(rule, example, knowledge)
        if fires != example.fires:
            given = ", ".join(f"{name} = {spell(value)}" for name, value in example.given.items())
            clauses = [clause for clause in (*rule.when, *rule.needs) if assessment.clause(clause) is not True]
            lacks = "; ".join(" or ".join(map(str, clause)) for clause in clauses)
            outcome = "fires, expected not to" if fires else f"does not fire for want of: {lacks}"
            yield ExampleFailure(rule.id, example, f"given {given} it {outcome}")
