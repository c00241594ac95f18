"""Which questions are asked, and in which order."""

from collections.abc import Mapping
from typing import Any

from expert.chaining import consult
from expert.interview import by_topic, questions
from knowledge.records import Fact, Unknown, Value
from knowledge.rulebook import Knowledge

from .builders import entry, fact, knowledge, rule, vocabulary

WORDS = vocabulary(
    entry("data.clips", "integer", ask="How many clips?", topic="data"),
    entry("data.kind", "choice", values=("speech", "music"), ask="Speech or music?", topic="problem"),
    entry("data.noisy", "boolean", ask="Noisy?", topic="data"),
    entry("data.far", "boolean", ask="Far away?", topic="data"),
    entry("data.snr_db"),
    entry("data.regime", "choice", "derived", values=("tiny", "large")),
    entry("data.poor", "boolean", "derived"),
    entry("adapt.method", "choice", "decision", values=("frozen", "lora", "full")),
    entry("train.rate", "number", "decision"),
    entry("head.name", "choice", "decision", values=("linear", "mlp")),
    entry("train.least", "number", "decision", policy="min"),
    findings=("leak", "overfit"),
)


def book(*rules: tuple[str, list[dict[str, Any]], dict[str, Any]], **more: Any) -> Knowledge:
    return knowledge(WORDS, *(rule(WORDS, name, when, then, **more.get(name[0], {})) for name, when, then in rules))


def asked(
    made: Knowledge, *facts: Fact, unknown: tuple[str, ...] = (), fixed: Mapping[str, Value] | None = None
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The questions in order, with what they decide and the rules that wait."""
    answers = [Unknown(name, "the user does not know") for name in unknown]
    session = consult(made, facts, packs=("plan",), unknown=answers, fixed=fixed)
    return {item.entry.name: (item.decides, item.pending) for item in questions(session)}


METHOD = ("m.lora", [{"data.kind": "speech"}], {"recommend": {"adapt.method": "lora"}})
RATE = ("r.lora", [{"adapt.method": "lora"}], {"recommend": {"train.rate": 1e-3}})
REGIME = ("s.tiny", [{"data.clips": "< 100"}], {"set": {"data.regime": "tiny"}})
HEAD = ("h.tiny", [{"data.regime": "tiny"}], {"recommend": {"head.name": "linear"}})


def test_a_question_decides_through_other_conclusions() -> None:
    assert asked(book(METHOD, RATE, REGIME, HEAD)) == {
        "data.kind": (("adapt.method", "train.rate"), ("m.lora",)),
        "data.clips": (("head.name",), ("s.tiny",)),
    }


def test_what_changes_most_on_average_over_its_answers_is_asked_first_and_topics_break_ties() -> None:
    made = book(
        ("a.noisy", [{"data.noisy": True}], {"recommend": {"head.name": "linear"}}),
        ("b.far", [{"data.far": True}], {"recommend": {"head.name": "mlp"}}),
        ("c.far", [{"data.far": False}], {"recommend": {"head.name": "linear"}}),
        ("d.kind", [{"data.kind": "music"}], {"recommend": {"head.name": "linear"}}),
    )
    found = questions(consult(made, [], packs=("plan",)))

    assert [(item.entry.name, item.effect) for item in found] == [
        ("data.far", 1.0), ("data.kind", 0.5), ("data.noisy", 0.5),
    ]  # fmt: skip
    assert list(by_topic(found)) == ["data", "problem"]


def test_an_answer_that_changes_nothing_in_any_combination_is_not_asked() -> None:
    """Every rule reads it, and whichever of them fires, the rate is the same."""
    made = book(
        ("n.yes", [{"data.noisy": True}], {"recommend": {"adapt.method": "lora"}}),
        ("n.no", [{"data.noisy": False}], {"recommend": {"adapt.method": "full"}}),
        ("n.assumed", [{"unknown": "data.noisy"}], {"recommend": {"train.rate": 1e-3}}),
        ("r.lora", [{"adapt.method": "lora"}], {"recommend": {"train.rate": 1e-3}}),
        ("r.full", [{"adapt.method": "full"}], {"recommend": {"train.rate": 1e-3}}),
    )

    assert list(asked(made)) == ["data.noisy"]
    assert asked(made, fixed={"adapt.method": "full"}) == {}


def test_what_another_topic_waits_for_is_asked_before_it_but_not_before_what_it_needs_itself() -> None:
    words = vocabulary(
        *(item for item in WORDS.entries.values() if item.name not in ("data.far", "adapt.method")),
        entry("data.far", "boolean", ask="Far away?", topic="problem", asked_before="backbone"),
        entry("adapt.method", "choice", "decision", values=("frozen", "lora", "full"), topic="backbone"),
        findings=("leak",),
    )
    rules = (
        ("m.tiny", [{"data.clips": "< 100"}], {"recommend": {"adapt.method": "lora"}}),
        ("h.kind", [{"data.kind": "speech"}], {"recommend": {"head.name": "mlp"}}),
        ("r.kind", [{"data.kind": "speech"}], {"recommend": {"train.rate": 1e-3}}),
        ("l.far", [{"data.far": True}, {"data.kind": "speech"}], {"finding": "leak"}),
    )
    made = knowledge(words, *(rule(words, *item) for item in rules))

    assert list(asked(made)) == ["data.kind", "data.far", "data.clips"]


def test_what_is_known_is_not_asked() -> None:
    assert asked(book(METHOD), fact("data.kind", "music")) == {}


def test_an_answer_of_i_do_not_know_is_not_asked_again() -> None:
    assert asked(book(METHOD), unknown=("data.kind",)) == {}


def test_what_a_measurement_could_not_tell_is_still_asked() -> None:
    session = consult(book(METHOD), [], packs=("plan",), unknown=[Unknown("data.kind", "no label column")])

    assert [item.entry.name for item in questions(session)] == ["data.kind"]


def test_a_refuted_rule_asks_nothing() -> None:
    made = book(("a.r", [{"data.kind": "speech"}, {"data.noisy": True}], {"recommend": {"head.name": "mlp"}}))

    assert list(asked(made)) == ["data.kind", "data.noisy"]
    assert asked(made, fact("data.kind", "music")) == {}


def test_a_rule_that_waits_for_something_out_of_reach_asks_nothing() -> None:
    made = book(("a.r", [{"data.kind": "speech"}, {"data.snr_db": "< 5"}], {"recommend": {"head.name": "mlp"}}))

    assert asked(made) == {}
    assert list(asked(made, fact("data.snr_db", 3.0))) == ["data.kind"]


def test_out_of_reach_holds_through_other_conclusions() -> None:
    made = book(
        REGIME, ("h.both", [{"data.regime": "tiny"}, {"data.kind": "speech"}], {"recommend": {"head.name": "mlp"}})
    )

    assert list(asked(made)) == ["data.kind", "data.clips"]
    assert asked(made, unknown=("data.clips",)) == {}


def test_missing_evidence_that_cannot_come_asks_nothing() -> None:
    made = book(METHOD, m={"needs": [{"data.snr_db": "> 0"}]})

    assert asked(made) == {}


def test_what_the_user_fixed_is_not_asked_about() -> None:
    assert asked(book(METHOD), fixed={"adapt.method": "full"}) == {}
    assert asked(book(METHOD, RATE), fixed={"adapt.method": "full"}) == {}


def test_a_weaker_rule_cannot_change_what_a_stronger_one_settled() -> None:
    settled = ("z.must", [{"data.noisy": True}], {"recommend": {"adapt.method": "frozen"}})
    noisy = fact("data.noisy", True)

    assert asked(book(METHOD, settled, z={"strength": "must"}), noisy) == {}
    assert list(asked(book(METHOD, settled, z={"strength": "fallback"}), noisy)) == ["data.kind"]


def test_a_rule_for_the_value_that_won_changes_nothing() -> None:
    settled = ("z.noisy", [{"data.noisy": True}], {"recommend": {"adapt.method": "lora"}})

    assert asked(book(METHOD, settled), fact("data.noisy", True)) == {}


def test_an_extreme_is_only_moved_outward() -> None:
    low = ("a.low", [{"data.noisy": True}], {"recommend": {"train.least": 1.0}})
    high = ("b.high", [{"data.far": True}], {"recommend": {"train.least": 9.0}})

    assert list(asked(book(low, high), fact("data.far", True))) == ["data.noisy"]
    assert asked(book(low, high), fact("data.noisy", True)) == {}


def test_a_changed_decision_reopens_those_that_read_it() -> None:
    settled = ("z.noisy", [{"data.noisy": True}], {"recommend": {"adapt.method": "frozen"}})
    rate = ("r.frozen", [{"adapt.method": "frozen"}], {"recommend": {"train.rate": 1e-2}})

    stronger = {"m": {"strength": "strong"}}
    questions_ = asked(book(METHOD, settled, RATE, rate, **stronger), fact("data.noisy", True))
    assert questions_ == {"data.kind": (("adapt.method", "train.rate"), ("m.lora",))}


def test_exclusion_is_asked_for_where_absence_decides() -> None:
    leak = ("l.far", [{"data.far": True}, {"data.snr_db": "< 5"}], {"finding": "leak"})
    clean = ("c.clean", [{"none": "finding.leak"}], {"recommend": {"head.name": "mlp"}})

    assert asked(book(leak, clean)) == {"data.far": (("head.name",), ("l.far",))}
    assert asked(book(leak, clean), fact("data.far", False)) == {}


def test_a_rule_for_the_unknown_asks_before_it_assumes() -> None:
    assumed = ("u.kind", [{"unknown": "data.kind"}], {"recommend": {"head.name": "linear"}})

    assert asked(book(assumed)) == {"data.kind": (("head.name",), ("u.kind",))}
    assert asked(book(assumed), unknown=("data.kind",)) == {}


def test_a_derived_fact_that_nothing_reads_asks_nothing() -> None:
    assert asked(book(REGIME)) == {}


def test_findings_ask_after_decisions() -> None:
    overfit = ("o.far", [{"data.far": True}], {"finding": "overfit"})

    assert asked(book(overfit, REGIME, HEAD)) == {
        "data.clips": (("head.name",), ("s.tiny",)),
        "data.far": ((), ("o.far",)),
    }


def test_of_alternatives_each_that_can_hold_is_asked() -> None:
    either = ("e.either", [{"any": [{"data.far": True}, {"data.noisy": True}, {"data.snr_db": "< 5"}]}],
              {"recommend": {"head.name": "mlp"}})  # fmt: skip

    assert list(asked(book(either))) == ["data.far", "data.noisy"]
    assert list(asked(book(either), fact("data.far", False))) == ["data.noisy"]
    assert asked(book(either), fact("data.far", True)) == {}
