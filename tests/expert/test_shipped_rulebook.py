"""The shipped rulebooks on random cases: values at and around every threshold that some rule names."""

import random

import pytest

from expert.boxes import OTHER, Partition
from expert.chaining import consult
from expert.explanation import applicable_remedies, how, why, why_not
from expert.givens import admit
from expert.interview import questions
from expert.reference import Reference
from expert.strata import concluding
from knowledge.loader import load_knowledge
from knowledge.records import Fact
from knowledge.schema import Pack

KNOWLEDGE = load_knowledge()
PACKS: tuple[Pack, ...] = ("plan", "audit", "diagnose")


def case(pack: Pack, seed: int) -> list[Fact]:
    """A random part of the inputs of a pack, each with a value from a random cell."""
    chance = random.Random(seed)
    rules = KNOWLEDGE.pack(pack)
    space = Partition((condition for rule in rules for condition in rule.conditions), KNOWLEDGE.vocabulary)
    share = chance.choice((0.2, 0.6, 0.95))
    found = []
    for name in sorted(space.cells.keys() - concluding(rules).keys()):
        cells = [cell for cell in space.cells[name] if cell not in (None, OTHER)]
        value = chance.choice(cells) if cells else None
        if value is not None and chance.random() < share:
            found.append(Fact(name, value, "log", n=10**6))
    return found


@pytest.mark.parametrize("pack", PACKS)
def test_engine_agrees_with_plain_recursion(pack: Pack) -> None:
    by_attribute = concluding(KNOWLEDGE.pack(pack))
    for seed in range(60):
        facts = case(pack, seed)
        session = consult(KNOWLEDGE, facts, packs=(pack,))
        givens = admit(KNOWLEDGE.vocabulary, by_attribute, facts, (), {})
        reference = Reference(KNOWLEDGE.vocabulary, by_attribute, givens.facts)

        expected = {name: fact.value for name, fact in reference.everything().items()}
        assert {name: fact.value for name, fact in session.facts.items()} == expected
        statuses = {rule.id: reference.assessment.status(rule) for rule in KNOWLEDGE.pack(pack)}
        fires = {name for name, status in statuses.items() if status == "fires"}
        assert {firing.rule.id for firing in session.firings} == fires


@pytest.mark.parametrize("pack", PACKS)
def test_everything_can_be_explained(pack: Pack) -> None:
    for seed in range(8):
        session = consult(KNOWLEDGE, case(pack, seed), packs=(pack,))

        for name in session.facts:
            assert how(session, name).lines()[0].startswith(name)
        for rule in KNOWLEDGE.pack(pack):
            assert why_not(session, rule.then.attribute, rule.then.value).rules
        for question in questions(session):
            assert question.entry.name not in session.facts
            assert len(why(session, question).lines()) > 1
        for finding in session.findings:
            assert {item.id for item in applicable_remedies(session, finding)} <= set(finding.remedies)
