"""How, why and why not, as a reader gets them."""

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest

from expert.chaining import consult
from expert.explanation import how, why, why_not
from expert.interview import questions
from expert.session import Session
from knowledge.errors import KnowledgeError, UsageError
from knowledge.records import Fact, Unknown, Value

from .builders import entry, fact, knowledge, rule, vocabulary

WORDS = vocabulary(
    entry("data.clips", "integer", ask="How many clips?", topic="data", supplied_by=("audit", "user")),
    entry("data.kind", "choice", values=("speech", "music"), ask="Speech or music?", topic="problem"),
    entry("gpu.memory_gib", unit="GiB", supplied_by=("machine",)),
    entry("data.regime", "choice", "derived", values=("tiny", "large")),
    entry("data.poor", "boolean", "derived"),
    entry("adapt.method", "choice", "decision", values=("frozen", "lora", "full"), topic="backbone"),
    findings=("leak",),
)
BOOK = knowledge(
    WORDS,
    rule(
        WORDS, "regime.tiny", [{"data.clips": "< 100"}], {"set": {"data.regime": "tiny"}},
        certainty=0.9, because="{data.clips} clips are few.",
    ),
    rule(WORDS, "regime.large", [{"data.clips": ">= 100"}], {"set": {"data.regime": "large"}}),
    rule(WORDS, "poor.tiny", [{"data.regime": "tiny"}], {"set": {"data.poor": True}}),
    rule(
        WORDS, "method.frozen", [{"data.poor": True}, {"any": [{"data.kind": "speech"}, {"gpu.memory_gib": "< 8"}]}],
        {"recommend": {"adapt.method": "frozen"}}, strength="strong",
    ),
    rule(WORDS, "method.lora", [{"gpu.memory_gib": ">= 12"}], {"recommend": {"adapt.method": "lora"}}),
    rule(
        WORDS, "method.full", [{"none": "data.poor"}, {"gpu.memory_gib": ">= 24"}],
        {"recommend": {"adapt.method": "full"}},
    ),
)  # fmt: skip
POOR = (fact("data.clips", 50, n=50), fact("data.kind", "speech", "user"), fact("gpu.memory_gib", 16.0, "machine"))
RICH = (fact("data.clips", 5000), fact("gpu.memory_gib", 16.0, "machine"))


def run(*facts: Fact, fixed: Mapping[str, Value] | None = None) -> Session:
    return consult(BOOK, facts, packs=("plan",), fixed=fixed)


def text(block: str) -> str:
    return dedent(block).strip("\n")


def test_how_a_decision_came_about() -> None:
    assert how(run(*POOR), "adapt.method").render() == text("""
        adapt.method = frozen (decided, certainty 0.58)
          by method.frozen: Title of method.frozen [experience]
            reason of method.frozen
            data.poor = yes (concluded, certainty 0.72)
              by poor.tiny: Title of poor.tiny [experience]
                reason of poor.tiny
                data.regime = tiny (concluded, certainty 0.90)
                  by regime.tiny: Title of regime.tiny [experience]
                    50 clips are few.
                    data.clips = 50 (measured on the data set, 50 items)
            data.kind = speech (you said so)
          instead of lora (lost on strength; method.lora)
        """)


def test_how_something_was_excluded() -> None:
    assert how(run(*RICH), "data.poor").render() == text("""
        data.poor = no (excluded)
          poor.tiny: data.regime is tiny fails, it is large
        """)


def test_how_an_established_absence_is_proved() -> None:
    session = run(fact("data.clips", 5000), fact("gpu.memory_gib", 48.0, "machine"))

    assert how(session, "adapt.method").render() == text("""
        adapt.method = full (decided, certainty 0.80)
          by method.full: Title of method.full [experience]
            reason of method.full
            established: none data.poor
            gpu.memory_gib = 48 (measured on this machine)
            data.poor = no (excluded)
              poor.tiny: data.regime is tiny fails, it is large
          instead of lora (lost on refinement; method.lora)
        """)


def test_how_of_what_the_user_fixed_shows_the_objections() -> None:
    assert how(run(*POOR, fixed={"adapt.method": "full"}), "adapt.method").render() == text("""
        adapt.method = full (you said so)
          instead of frozen (lost on your choice; method.frozen)
          instead of lora (lost on your choice; method.lora)
        """)


def test_what_is_unknown_cannot_be_proved() -> None:
    with pytest.raises(UsageError, match=r"adapt\.method is unknown: nobody supplied it"):
        how(run(), "adapt.method")
    with pytest.raises(KnowledgeError, match=r"adapt\.methods"):
        how(run(), "adapt.methods")


def test_why_a_question_is_asked() -> None:
    session = run(fact("data.clips", 50), fact("gpu.memory_gib", 16.0, "machine"))
    (question,) = questions(session)

    assert why(session, question).render() == text("""
        data.kind: Speech or music?
          The answer bears on adapt.method.
          speech: adapt.method becomes frozen
          method.frozen: Title of method.frozen
            would conclude adapt.method = frozen
            data.poor is yes: holds (it is yes)
            data.kind is speech: UNKNOWN (it is unknown)
            or gpu.memory_gib < 8: FAILS (it is 16 GiB, 8 away)
        """)


def test_why_not_tells_each_condition_and_the_distance_to_the_threshold() -> None:
    assert why_not(run(*RICH), "adapt.method", "full").render() == text("""
        adapt.method = full: every rule for it is refuted
          method.full: Title of method.full (refuted)
            none data.poor: holds (it is no)
            gpu.memory_gib >= 24: FAILS (it is 16 GiB, 8 away)
        """)


def test_why_not_a_value_that_lost() -> None:
    assert why_not(run(*POOR), "adapt.method", "lora").render() == text("""
        adapt.method = lora: lost to frozen (method.frozen) on strength
          method.lora: Title of method.lora (fires)
            gpu.memory_gib >= 12: holds (it is 16 GiB)
        """)


def test_why_not_something_that_waits_for_an_unknown() -> None:
    unknown = [Unknown("gpu.memory_gib", "no driver answers")]
    session = consult(BOOK, [fact("data.clips", 5000)], packs=("plan",), unknown=unknown)

    assert why_not(session, "adapt.method", "lora").render() == text("""
        adapt.method = lora: something is unknown that a rule for it needs
          method.lora: Title of method.lora (open)
            gpu.memory_gib >= 12: UNKNOWN (it is unknown: no driver answers)
        """)


@pytest.mark.parametrize(
    ("name", "value", "outcome"),
    [
        ("adapt.method", "frozen", "it is so"),
        ("data.regime", "large", "every rule for it is refuted"),
        ("data.kind", "music", "no rule concludes it"),
        ("finding.leak", True, "no rule concludes it"),
    ],
)
def test_outcomes_of_why_not(name: str, value: Value, outcome: str) -> None:
    assert why_not(run(*POOR), name, value).outcome == outcome


def test_why_not_against_the_users_own_choice() -> None:
    session = run(*POOR, fixed={"adapt.method": "full"})

    assert why_not(session, "adapt.method", "frozen").outcome == "full was given (you said so)"


def test_why_not_refuses_a_value_that_cannot_be() -> None:
    with pytest.raises(KnowledgeError, match="one of frozen, lora, full"):
        why_not(run(), "adapt.method", "half")


def test_what_was_proved_is_not_proved_twice() -> None:
    book = knowledge(
        WORDS,
        rule(WORDS, "poor.few", [{"data.clips": "< 100"}], {"set": {"data.poor": True}}),
        rule(WORDS, "regime.poor", [{"data.poor": True}], {"set": {"data.regime": "tiny"}}),
        rule(
            WORDS,
            "method.both",
            [{"data.poor": True}, {"data.regime": "tiny"}],
            {"recommend": {"adapt.method": "lora"}},
        ),
    )

    lines = how(consult(book, [fact("data.clips", 5)], packs=("plan",)), "adapt.method").lines()
    assert sum("by poor.few" in line for line in lines) == 1
    assert lines[-1].strip() == "data.poor = yes (see above)"


def test_explanations_are_plain_values_too() -> None:
    session = run(fact("data.clips", 50), fact("gpu.memory_gib", 16.0, "machine"))

    proof = json.loads(json.dumps(how(session, "adapt.method").record()))
    assert proof["value"] == "lora"
    assert proof["steps"][0]["supports"][0]["name"] == "gpu.memory_gib"
    reasons = json.loads(json.dumps(why(session, questions(session)[0]).record()))
    assert reasons["rules"][0]["conclusion"] == "adapt.method = frozen"
    refused = json.loads(json.dumps(why_not(session, "adapt.method", "full").record()))
    assert refused["rules"][0]["clauses"][1][0] == {
        "condition": "gpu.memory_gib >= 24", "truth": False, "found": "it is 16 GiB, 8 away", "distance": 8.0,
    }  # fmt: skip
