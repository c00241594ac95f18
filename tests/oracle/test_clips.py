"""CLIPS as the independent oracle of the two-valued part: within each stratum it must fire the same rules."""

import pytest
from hypothesis import given, settings

from expert.chaining import consult
from expert.reference import Assessment
from expert.strata import concluding, stratify
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge, Pack

from ..expert import strategies
from .clips_rules import ClipsStratum


class Oracle:
    """The strata of one pack in CLIPS."""

    def __init__(self, book: Knowledge, pack: Pack = "plan") -> None:
        self.book = book
        self.pack = pack
        self.by_attribute = concluding(book.pack(pack))
        self.strata = [(stratum, ClipsStratum(stratum.rules)) for stratum in stratify(book.pack(pack))]
        self.level = {name: stratum.level for stratum, _ in self.strata for name in stratum.settles}

    def compare(self, given_facts: list[Fact]) -> None:
        """Compare the fired rules of every stratum, from what holds when that stratum begins."""
        session = consult(self.book, given_facts, packs=(self.pack,))

        for stratum, oracle in self.strata:
            below: dict[str, Value] = {
                name: fact.value
                for name, fact in session.facts.items()
                if name in session.pinned or self.level.get(name, -1) < stratum.level
            }
            held = {name: session.facts[name] for name in below}
            assessment = Assessment(self.by_attribute, held.get)
            conditions = (condition for rule in stratum.rules for condition in rule.conditions)
            established = {c.key for c in conditions if c.kind != "is" and assessment.truth(c) is True}
            fired = {firing.rule.id for firing in session.firings if firing.rule in stratum.rules}
            assert oracle.run(below, established) == fired


@settings(max_examples=60, deadline=None)
@given(strategies.rulebooks(), strategies.facts(pinned=False))
def test_clips_fires_the_same_rules(book: Knowledge, given_facts: list[Fact]) -> None:
    Oracle(book).compare(given_facts)


@pytest.mark.parametrize("pack", ["plan", "audit", "diagnose"])
def test_clips_fires_the_same_shipped_rules(pack: Pack) -> None:
    oracle = Oracle(load_knowledge(), pack)
    for rule in oracle.book.pack(pack)[::3]:
        for example in rule.examples:
            oracle.compare([Fact(name, value, "user") for name, value in example.given.items()])
