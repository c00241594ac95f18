"""Whether durable-rules, the naive reference and CLIPS conclude the same of one case; says what differs, in words."""

from __future__ import annotations

from random import Random
from typing import Any

from expert.chaining import consult
from expert.givens import admit
from expert.reference import Assessment, Reference
from expert.session import Session
from expert.strata import concluding, stratify
from knowledge.records import Fact, Value
from knowledge.rulebook import Knowledge
from knowledge.schema import Pack

from ..expert.builders import knowledge
from .clips_rules import ClipsStratum

_TOLERANCE = 1e-9


class ClipsOracle:
    """The strata of one pack in CLIPS."""

    def __init__(self, book: Knowledge, pack: Pack = "plan") -> None:
        self.book = book
        self.pack = pack
        self.by_attribute = concluding(book.pack(pack))
        self.strata = [(stratum, ClipsStratum(stratum.rules)) for stratum in stratify(book.pack(pack))]
        self.level = {name: stratum.level for stratum, _ in self.strata for name in stratum.settles}

    def disagreement(self, session: Session) -> str:
        """Compare the fired rules of every stratum, from what holds when that stratum begins."""
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
            own = {rule.id for rule in stratum.rules}
            fired = {firing.rule.id for firing in session.firings if firing.rule.id in own}
            clips = oracle.run(below, established, session.pinned)
            if clips != fired:
                return (
                    f"stratum {stratum.level}: CLIPS alone fires {clips - fired}, durable-rules alone {fired - clips}"
                )
        return ""


def disagreement(oracle: ClipsOracle, facts: list[Fact]) -> tuple[int, str]:
    """Put one case to all three; return how many rules fired, and what differs, empty when nothing does."""
    session = consult(oracle.book, facts, packs=(oracle.pack,))
    found = _from_reference(oracle, session, facts) or oracle.disagreement(session)
    return len(session.firings), found


def _from_reference(oracle: ClipsOracle, session: Session, facts: list[Fact]) -> str:
    words = oracle.book.vocabulary
    reference = Reference(words, oracle.by_attribute, admit(words, oracle.by_attribute, facts, (), {}).facts)
    expected = {name: (type(fact.value), fact.value) for name, fact in reference.everything().items()}
    got = {name: (type(fact.value), fact.value) for name, fact in session.facts.items()}
    if got != expected:
        return f"facts: engine {got.items() - expected.items()}, reference {expected.items() - got.items()}"
    rules = oracle.book.pack(oracle.pack)
    fires = {rule.id for rule in rules if reference.assessment.status(rule) == "fires"}
    fired = {firing.rule.id for firing in session.firings}
    if fired != fires:
        return f"fired: engine alone {fired - fires}, reference alone {fires - fired}"
    for name in oracle.by_attribute.keys() & expected.keys():
        if abs(session.certainty(name) - reference.certainty(name)) > _TOLERANCE:
            return f"certainty of {name}: engine {session.certainty(name)}, reference {reference.certainty(name)}"
    return ""


def order_effect(book: Knowledge, facts: list[Fact], random: Random) -> str:
    """Conclude again with rules and facts in another order; return what differs, empty when nothing does."""
    rules, others = random.sample(book.rules, len(book.rules)), random.sample(facts, len(facts))
    before = conclusions(consult(book, facts, packs=("plan",)))
    after = conclusions(consult(knowledge(book.vocabulary, *rules), others, packs=("plan",)))
    return ", ".join(part for part in before if before[part] != after[part])


def conclusions(session: Session) -> dict[str, Any]:
    """Everything that a user could notice, without the order in which it was reached."""
    return {
        "facts": {name: (type(fact.value), fact.value, fact.source) for name, fact in session.facts.items()},
        "certainties": dict(session.certainties),
        "decisions": dict(session.decisions),
        "fired": {firing.rule.id: firing.certainty for firing in session.firings},
        "findings": session.findings,
        "not assessable": session.not_assessable,
    }
