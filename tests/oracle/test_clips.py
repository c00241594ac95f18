"""CLIPS as the independent oracle of the two-valued part: within each stratum it must fire the same rules."""

from hypothesis import given, settings

from expert.chaining import consult
from expert.reference import Assessment
from expert.strata import concluding, stratify
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge, Pack

from ..expert import strategies
from .clips_rules import ClipsStratum


def assert_clips_agrees(book: Knowledge, given_facts: list[Fact], pack: Pack = "plan") -> None:
    """Compare the fired rules of every stratum, from what holds when that stratum begins."""
    session = consult(book, given_facts, packs=(pack,))

    rules = book.pack(pack)
    by_attribute = concluding(rules)
    level = {name: stratum.level for stratum in stratify(rules) for name in stratum.settles}
    for stratum in stratify(rules):
        below: dict[str, Value] = {
            name: fact.value
            for name, fact in session.facts.items()
            if name in session.pinned or level.get(name, -1) < stratum.level
        }
        assessment = Assessment(by_attribute, lambda name, below=below: session.facts[name] if name in below else None)
        conditions = (condition for rule in stratum.rules for condition in rule.conditions)
        established = {c.key for c in conditions if c.kind != "is" and assessment.truth(c) is True}
        fired = {firing.rule.id for firing in session.firings if firing.rule in stratum.rules}
        assert ClipsStratum(stratum.rules).run(below, established) == fired


@settings(max_examples=60, deadline=None)
@given(strategies.rulebooks(), strategies.facts(pinned=False))
def test_clips_fires_the_same_rules(book: Knowledge, given_facts: list[Fact]) -> None:
    assert_clips_agrees(book, given_facts)


def test_clips_fires_the_same_shipped_rules() -> None:
    book = load_knowledge()
    for rule in book.rules[::9]:
        for example in rule.examples:
            assert_clips_agrees(book, [Fact(name, value, "user") for name, value in example.given.items()], rule.pack)
