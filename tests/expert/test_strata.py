"""Strata: what must be complete before it is read, and the circles that are refused."""

import pytest

from expert.strata import stratify
from knowledge.errors import KnowledgeError
from knowledge.rulebook import Rule

from .builders import entry, rule, vocabulary

WORDS = vocabulary(
    entry("in.x"),
    entry("mid.a", "boolean", "derived"),
    entry("mid.b", "boolean", "derived"),
    entry("mid.size", "choice", "derived", values=("small", "large")),
    entry("out.c", "boolean", "decision"),
    entry("out.d", "boolean", "decision"),
    findings=("f",),
)
A = rule(WORDS, "a.from-x", [{"in.x": "> 1"}], {"set": {"mid.a": True}})


def levels(*rules: Rule) -> dict[str, int]:
    return {name: stratum.level for stratum in stratify(rules) for name in stratum.settles}


def test_a_positive_reading_stays_in_the_stratum() -> None:
    b = rule(WORDS, "b.from-a", [{"mid.a": True}], {"set": {"mid.b": True}})

    assert levels(A, b) == {"mid.a": 0, "mid.b": 0}
    (stratum,) = stratify([b, A])
    assert stratum.settles == ("mid.a", "mid.b")


@pytest.mark.parametrize(
    "condition",
    [
        {"none": "mid.a"},
        {"known": "mid.a"},
        {"unknown": "mid.a"},
        {"mid.a": False},
        {"mid.a": "!= true"},
        {"mid.a": [True, False]},
    ],
)
def test_absence_is_read_from_a_complete_stratum(condition: dict[str, object]) -> None:
    b = rule(WORDS, "b.from-a", [condition], {"set": {"mid.b": True}})

    assert levels(A, b) == {"mid.a": 0, "mid.b": 1}


def test_a_need_counts_like_a_condition() -> None:
    b = rule(WORDS, "b.from-a", [{"in.x": 1}], {"set": {"mid.b": True}}, needs=[{"none": "mid.a"}])

    assert levels(A, b) == {"mid.a": 0, "mid.b": 1}


def test_decisions_and_several_values_are_settled_before_they_are_read() -> None:
    rules = [
        rule(WORDS, "s.small", [{"in.x": "< 1"}], {"set": {"mid.size": "small"}}),
        rule(WORDS, "s.large", [{"in.x": ">= 1"}], {"set": {"mid.size": "large"}}),
        rule(WORDS, "c.small", [{"mid.size": "small"}], {"recommend": {"out.c": True}}),
        rule(WORDS, "d.from-c", [{"out.c": True}], {"recommend": {"out.d": True}}),
    ]

    assert levels(*rules) == {"mid.size": 0, "out.c": 1, "out.d": 2}


def test_what_no_rule_concludes_is_an_input() -> None:
    assert levels(rule(WORDS, "c.from-a", [{"none": "mid.a"}], {"recommend": {"out.c": True}})) == {"out.c": 0}


@pytest.mark.parametrize("condition", [{"out.d": True}, {"none": "out.d"}])
def test_a_circle_is_refused_by_name(condition: dict[str, object]) -> None:
    rules = [
        rule(WORDS, "c.from-d", [condition], {"recommend": {"out.c": True}}),
        rule(WORDS, "d.from-c", [{"out.c": True}], {"recommend": {"out.d": True}}),
    ]

    with pytest.raises(
        KnowledgeError, match=r"circle: out\.\w -> out\.\w -> out\.\w; rules c.from-d \(rules/test\.yaml:1\), d.from-c"
    ):
        stratify(rules)


def test_a_positive_circle_is_refused_as_well() -> None:
    rules = [
        rule(WORDS, "a.from-b", [{"mid.b": True}], {"set": {"mid.a": True}}),
        rule(WORDS, "b.from-a", [{"mid.a": True}], {"set": {"mid.b": True}}),
    ]

    with pytest.raises(KnowledgeError, match=r"mid\.a"):
        stratify(rules)


def test_a_rule_that_reads_its_own_conclusion_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"out\.c -> out\.c"):
        stratify([rule(WORDS, "c.self", [{"out.c": False}], {"recommend": {"out.c": True}})])
