"""At each limit the engine still concludes rightly; one step beyond, the rulebook is refused."""

from typing import Any

import pytest

from expert import capacity
from expert.chaining import consult
from expert.strata import stratify
from expert.verification import verify
from knowledge.errors import KnowledgeError
from knowledge.records import Fact
from knowledge.rulebook import Knowledge

from .builders import entry, fact, knowledge, rule, vocabulary

COLOURS = tuple(f"c{number}" for number in range(600))
WORDS = vocabulary(
    entry("data.colour", "choice", values=COLOURS),
    entry("data.size"),
    entry("out.a", "boolean", "derived"),
    entry("out.colour", "choice", "derived", values=COLOURS),
    *(entry(f"many.m{number}", "integer") for number in range(600)),
)
THEN = {"set": {"out.a": True}}


def sharing(count: int) -> Knowledge:
    """Rules that all end in one condition."""
    return knowledge(
        WORDS,
        *(rule(WORDS, f"a.r{n}", [{"many.m0": n}, {"data.colour": "c1"}], THEN) for n in range(count)),
        rule(WORDS, "a.other", [{"many.m1": 1}, {"data.colour": "c2"}], THEN),
    )


def thresholds(count: int) -> Knowledge:
    """Thresholds that one value passes together."""
    return knowledge(WORDS, *(rule(WORDS, f"a.r{n}", [{"data.size": f"> {n}"}], THEN) for n in range(count)))


def constants(count: int) -> Knowledge:
    """Different constants on one fact."""
    return knowledge(WORDS, *(rule(WORDS, f"a.r{n}", [{"data.colour": f"c{n}"}], THEN) for n in range(count)))


def attributes(count: int) -> Knowledge:
    """Different facts of one group."""
    return knowledge(WORDS, *(rule(WORDS, f"a.r{n}", [{f"many.m{n}": 1}], THEN) for n in range(count)))


def conjunction(count: int) -> Knowledge:
    """One rule that reads many facts."""
    return knowledge(WORDS, rule(WORDS, "a.r0", [{f"many.m{n}": 1} for n in range(count)], THEN))


def choices(count: int) -> Knowledge:
    """Lists of choices that share one choice, of what is concluded beside them."""
    return knowledge(
        WORDS,
        rule(WORDS, "a.colour", [{"data.size": "> 0"}], {"set": {"out.colour": "c1"}}),
        *(rule(WORDS, f"a.r{n}", [{"out.colour": ["c1", f"c{n + 2}"]}], THEN) for n in range(count)),
    )


def lists(count: int) -> Knowledge:
    """Lists of choices of a given fact, which are settled before the rules run."""
    return knowledge(
        WORDS, *(rule(WORDS, f"a.r{n}", [{"data.colour": ["c1", f"c{n + 2}"]}], THEN) for n in range(count))
    )


ONES = [fact(f"many.m{number}", 1) for number in range(600)]
LIMITS: dict[str, tuple[Any, int, list[Fact], set[str]]] = {
    "sharing": (
        sharing, capacity.MOST_SHARING, [fact("many.m0", 7), fact("data.colour", "c1")], {"a.r7"},
    ),
    "thresholds": (
        thresholds, capacity.MOST_SATISFIED, [fact("data.size", 1e6)], {f"a.r{n}" for n in range(60)},
    ),
    "constants": (constants, capacity.MOST_SIBLINGS, [fact("data.colour", "c3")], {"a.r3"}),
    "attributes": (attributes, capacity.MOST_SIBLINGS, ONES, {f"a.r{n}" for n in range(511)}),
    "conjunction": (conjunction, capacity.MOST_CONDITIONS_A_RULE, ONES, {"a.r0"}),
    "choices": (choices, 59, [fact("data.size", 1.0)], {"a.colour", *(f"a.r{n}" for n in range(59))}),
    "lists": (lists, capacity.MOST_SIBLINGS, [fact("data.colour", "c1")], {f"a.r{n}" for n in range(511)}),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_the_engine_is_right_at_the_limit(name: str) -> None:
    make, most, facts, expected = LIMITS[name]

    session = consult(make(most), facts, packs=("plan",))

    assert {firing.rule.id for firing in session.firings} == expected


@pytest.mark.parametrize("name", LIMITS)
def test_one_beyond_the_limit_is_refused(name: str) -> None:
    make, most, facts, _ = LIMITS[name]
    book = make(most + 1)

    with pytest.raises(KnowledgeError, match="expected at most"):
        consult(book, facts, packs=("plan",))
    assert {problem.kind for problem in verify(book) if problem.severity == "error"} >= {"capacity"}


def test_too_many_rules_are_refused() -> None:
    rules = {f"r{n}": {"all": [{"c": {"$and": [{"g": n % 400}, {"attr": n}]}}]} for n in range(4097)}

    with pytest.raises(KnowledgeError, match="4097 rules in one stratum"):
        capacity.check_capacity(rules)


def test_too_many_branches_are_refused_with_the_rule() -> None:
    pairs = [{"any": [{f"many.m{n}": 1}, {f"many.m{n}": 2}]} for n in range(7)]
    book = knowledge(WORDS, rule(WORDS, "a.r0", pairs, THEN))

    assert len(stratify(book.rules)) == 1
    with pytest.raises(KnowledgeError, match=r"128 combinations of the `any` clauses of a\.r0 \(rules/test\.yaml:1\)"):
        consult(book, [], packs=("plan",))
