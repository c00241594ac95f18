"""Which remedies are offered."""

from typing import Any

import pytest

from expert.chaining import consult
from expert.explanation import applicable_remedies
from knowledge.records import Fact
from knowledge.rulebook import Remedy

from .builders import entry, fact, knowledge, remedy, rule, vocabulary

WORDS = vocabulary(
    entry("run.gap"),
    entry("gpu.memory_gib"),
    entry("run.good_epochs", "integer"),
    entry("training.epochs", "integer", "decision", plan="training.epochs"),
    entry("training.rate", "number", "decision", plan="training.learning_rate"),
    entry("pooling.name", "text", "decision", plan="pooling.name"),
    findings=("overfit", "leak"),
)
PLAN = [fact("training.epochs", 20, "plan"), fact("training.rate", 1e-3, "plan"), fact("pooling.name", "mean", "plan")]


def offered(*remedies: Remedy, facts: list[Fact]) -> list[str]:
    names = tuple(item.id for item in remedies)
    book = knowledge(
        WORDS,
        rule(WORDS, "a.rule", [{"run.gap": "> 0"}], {"finding": "overfit"}, remedies=names),
        rule(WORDS, "b.rule", [{"run.gap": "> 5"}], {"finding": "leak"}),
        remedies=remedies,
    )
    session = consult(book, [fact("run.gap", 1.0), *PLAN, *facts], packs=("plan",))
    return [item.id for item in applicable_remedies(session, session.findings[0])]


@pytest.mark.parametrize(
    ("conditions", "facts", "is_offered"),
    [
        ({"when": [{"gpu.memory_gib": ">= 8"}]}, [fact("gpu.memory_gib", 16.0)], True),
        ({"when": [{"gpu.memory_gib": ">= 8"}]}, [fact("gpu.memory_gib", 4.0)], False),
        ({"when": [{"gpu.memory_gib": ">= 8"}]}, [], False),
        ({"when": [{"none": "finding.leak"}]}, [], True),
        ({"unless": [{"gpu.memory_gib": "< 8"}]}, [fact("gpu.memory_gib", 4.0)], False),
        ({"unless": [{"gpu.memory_gib": "< 8"}]}, [fact("gpu.memory_gib", 16.0)], True),
        ({"unless": [{"gpu.memory_gib": "< 8"}]}, [], True),
        ({"unless": [{"gpu.memory_gib": "< 8"}, {"run.gap": 1.0}]}, [], False),
    ],
)
def test_conditions_of_a_remedy(conditions: dict[str, Any], facts: list[Fact], is_offered: bool) -> None:
    made = remedy(WORDS, "r.one", {"training.epochs": 40}, **conditions)

    assert offered(made, facts=facts) == (["r.one"] if is_offered else [])


@pytest.mark.parametrize(
    ("patch", "is_offered"),
    [
        ({"pooling.name": "mean"}, False),
        ({"pooling.name": "attention"}, True),
        ({"pooling.name": "mean", "training.epochs": 40}, True),
        ({"training.epochs": {"multiply": 1.01}}, False),
        ({"training.epochs": {"multiply": 2}}, True),
        ({"training.learning_rate": {"multiply": 0.3}}, True),
        ({"training.epochs": {"at_least": 20}}, False),
        ({"training.epochs": {"at_least": 21}}, True),
        ({"training.epochs": {"at_most": 20}}, False),
        ({"training.epochs": {"at_most": 19}}, True),
        ({"training.epochs": {"from": "run.good_epochs"}}, False),
        ({"head.name": "mlp"}, True),
    ],
)
def test_a_patch_that_changes_nothing_is_not_offered(patch: dict[str, Any], is_offered: bool) -> None:
    assert offered(remedy(WORDS, "r.one", patch), facts=[]) == (["r.one"] if is_offered else [])


def test_a_copied_fact_changes_the_plan_when_it_differs() -> None:
    made = remedy(WORDS, "r.one", {"training.epochs": {"from": "run.good_epochs"}})

    assert offered(made, facts=[fact("run.good_epochs", 20)]) == []
    assert offered(made, facts=[fact("run.good_epochs", 12)]) == ["r.one"]


def test_an_action_is_always_offered_and_the_order_of_the_rule_is_kept() -> None:
    made = [remedy(WORDS, "r.two", {}, action="record more"), remedy(WORDS, "r.one", {"training.epochs": 40})]

    assert offered(*made, facts=[]) == ["r.two", "r.one"]
