"""The plan rulebook as it ships: sources, examples on both sides of every number, no contradiction, plain wording."""

import re

import pytest

from engine.plan import plan_paths
from expert.examples import test_examples as failing_examples
from expert.verification import verify
from knowledge.conditions import Condition
from knowledge.loader import load_knowledge
from knowledge.rulebook import Rule

KNOWLEDGE = load_knowledge()
RULES = KNOWLEDGE.pack("plan")
ENTRIES = KNOWLEDGE.vocabulary.entries


def test_verification_finds_nothing() -> None:
    assert [problem.message for problem in verify(KNOWLEDGE, packs=("plan",))] == []


def test_every_example_holds() -> None:
    ids = {rule.id for rule in RULES}

    assert [failure for failure in failing_examples(KNOWLEDGE) if failure.rule in ids] == []


def test_a_reason_says_what_happens_and_commands_nobody() -> None:
    commanding = [rule.id for rule in RULES if re.search(r"\b(should|must|ought|have to)\b", rule.because)]
    unfinished = [rule.id for rule in RULES if not rule.because.endswith(".")]

    assert (commanding, unfinished) == ([], [])


def numeric(rule: Rule) -> list[Condition]:
    return [
        condition
        for condition in rule.conditions
        if condition.kind == "is" and condition.operator in ("<", "<=", ">", ">=")
    ]


@pytest.mark.parametrize("rule", [rule for rule in RULES if numeric(rule)], ids=lambda rule: rule.id)
def test_an_example_stands_at_every_threshold(rule: Rule) -> None:
    """At the threshold itself, or one step of the fact's unit beside it."""
    for condition in numeric(rule):
        step = 1.0 if ENTRIES[condition.fact].type == "integer" else 0.1 + 1e-9
        values = [float(example.given[condition.fact]) for example in rule.examples if condition.fact in example.given]

        assert any(abs(value - float(condition.value)) <= step for value in values), str(condition)  # type: ignore[arg-type]


WANTED = {
    "problem.formulation",
    "training.memory_saver",
    "evaluation.interval",
    "backbone.recommended",
    "training.recipe",
    "adaptation.placed_on",
}
"""Where this trainer runs one value, and a finding or the meaning says so of the others."""


def test_every_decision_is_asked_of_some_rule_and_fills_a_line_of_the_plan() -> None:
    concluded = {rule.then.attribute for rule in RULES}
    paths = set(plan_paths())

    for entry in ENTRIES.values():
        if entry.kind == "decision":
            assert entry.name in concluded
            assert entry.plan in paths or entry.awaits or entry.name in WANTED
            assert entry.topic is not None


def test_no_two_decisions_fill_the_same_line() -> None:
    lines = [entry.plan for entry in ENTRIES.values() if entry.kind == "decision" and entry.plan]

    assert len(lines) == len(set(lines))


def test_every_choice_of_a_plan_line_is_one_that_the_plan_has() -> None:
    """A value that a rule can recommend but the plan refuses would only be found when somebody gets it."""
    from typing import get_args

    from engine.plan import Plan

    for entry in ENTRIES.values():
        if entry.kind == "decision" and entry.type == "choice" and entry.plan:
            section, _, key = entry.plan.partition(".")
            model = Plan.model_fields[section].annotation
            assert set(entry.values) == set(get_args(model.model_fields[key].annotation))  # type: ignore[union-attr]


def test_every_paper_that_is_cited_is_listed_once_and_used() -> None:
    cited = {source for rule in KNOWLEDGE.rules for source in rule.sources}
    cited |= {source for remedy in KNOWLEDGE.remedies.values() for source in remedy.sources}
    cited |= {source for preset in KNOWLEDGE.presets for source in preset.citations}
    cited |= {source for card in KNOWLEDGE.backbones for source in card.source}
    cited |= {source for cause in KNOWLEDGE.causes for source in cause.sources}
    papers = {source.source for source in KNOWLEDGE.sources.values() if source.kind == "paper"}

    assert papers <= cited
