"""What a consultation concludes: kinds of conditions, absence, decisions, what is given, and exact values."""

import locale
import math
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expert import chaining
from expert.chaining import consult
from expert.definition import define
from expert.session import Session
from expert.strata import stratify
from knowledge.errors import KnowledgeError, UsageError
from knowledge.records import Evidence, Fact, NotAssessable, Unknown, Value
from knowledge.rulebook import Knowledge

from .builders import entry, fact, knowledge, rule, vocabulary

WORDS = vocabulary(
    entry("data.clips", "integer", supplied_by=("audit", "user")),
    entry("data.kind", "choice", values=("speech", "music")),
    entry("data.path", "text"),
    entry("run.gap"),
    entry("run.evaluations", "integer"),
    entry("run.std_ratio", needs={"at_least": 30, "of": "predictions"}),
    entry("data.regime", "choice", "derived", values=("tiny", "large")),
    entry("data.poor", "boolean", "derived"),
    entry("adapt.method", "choice", "decision", values=("frozen", "lora", "full")),
    entry("train.rate", "number", "decision"),
    findings=("leak", "overfit"),
)


def run(book: Knowledge, *facts: Fact, **more: Any) -> Session:
    return consult(book, facts, packs=("plan",), **more)


def fired(session: Session) -> set[str]:
    return {firing.rule.id for firing in session.firings}


def values(session: Session) -> Mapping[str, Value]:
    return {name: fact.value for name, fact in session.facts.items()}


def one_rule(when: list[dict[str, Any]], needs: list[dict[str, Any]] | None = None) -> Knowledge:
    return knowledge(WORDS, rule(WORDS, "a.rule", when, {"finding": "overfit"}, needs=needs))


@pytest.mark.parametrize(
    ("when", "given_fact", "fires"),
    [
        ({"data.clips": "< 100"}, fact("data.clips", 99), True),
        ({"data.clips": "< 100"}, fact("data.clips", 100), False),
        ({"data.clips": "<= 100"}, fact("data.clips", 100), True),
        ({"data.clips": "> 0.5"}, fact("data.clips", 1), True),
        ({"data.clips": "10 .. < 20"}, fact("data.clips", 20), False),
        ({"data.clips": 0}, fact("data.clips", 0), True),
        ({"data.kind": "speech"}, fact("data.kind", "speech"), True),
        ({"data.kind": "!= speech"}, fact("data.kind", "speech"), False),
        ({"data.kind": "!= speech"}, fact("data.kind", "music"), True),
        ({"data.kind": "!= speech"}, fact("data.clips", 1), False),
        ({"data.kind": ["speech", "music"]}, fact("data.kind", "music"), True),
        ({"any": [{"data.kind": "speech"}, {"data.clips": "> 3"}]}, fact("data.clips", 4), True),
        ({"any": [{"data.kind": "speech"}, {"data.clips": "> 3"}]}, fact("data.clips", 3), False),
        ({"known": "data.kind"}, fact("data.kind", "music"), True),
        ({"known": "data.kind"}, fact("data.clips", 3), False),
        ({"unknown": "data.kind"}, fact("data.clips", 3), True),
        ({"unknown": "data.kind"}, fact("data.kind", "music"), False),
        ({"data.path": 'a "b" \\ ü\n'}, fact("data.path", 'a "b" \\ ü\n'), True),
        ({"data.path": "1"}, fact("data.path", "1"), True),
    ],
)
def test_each_kind_of_condition(when: dict[str, Any], given_fact: Fact, fires: bool) -> None:
    assert fired(run(one_rule([when]), given_fact)) == ({"a.rule"} if fires else set())


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e-05)
@example(-1e22)
@example(5e-324)
@example(1.7976931348623157e308)
@example(0.1 + 0.2)
def test_numbers_reach_the_engine_bit_by_bit(number: float) -> None:
    book = one_rule([{"run.gap": number}])

    assert fired(run(book, fact("run.gap", number))) == {"a.rule"}
    beside = math.nextafter(number, math.inf)
    if math.isfinite(beside):
        assert fired(run(book, fact("run.gap", beside))) == set()
        assert fired(run(one_rule([{"run.gap": f"< {beside!r}"}]), fact("run.gap", number))) == {"a.rule"}


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, -(2**31), 2**52 + 1])
def test_large_whole_numbers_are_compared_exactly(number: int) -> None:
    book = one_rule([{"data.clips": number}])

    assert fired(run(book, fact("data.clips", number))) == {"a.rule"}
    assert fired(run(book, fact("data.clips", number + 1))) == set()


def test_facts_of_a_subject_are_left_out() -> None:
    session = run(one_rule([{"data.clips": "< 100"}]), fact("data.clips", 5, subject="split:test"))

    assert fired(session) == set()
    assert "data.clips" not in session.facts


ABSENCE = knowledge(
    WORDS,
    rule(WORDS, "leak.by-gap", [{"run.gap": "> 1"}], {"finding": "leak"}),
    rule(WORDS, "leak.by-clips", [{"data.clips": "< 10"}], {"finding": "leak"}),
    rule(WORDS, "overfit.clean", [{"none": "finding.leak"}], {"finding": "overfit"}),
    rule(WORDS, "method.clean", [{"finding.leak": False}], {"recommend": {"adapt.method": "full"}}),
)


def test_absence_needs_every_rule_refuted() -> None:
    half = run(ABSENCE, fact("run.gap", 0.5))
    whole = run(ABSENCE, fact("run.gap", 0.5), fact("data.clips", 20))

    assert "finding.leak" not in half.facts
    assert fired(half) == set()
    assert half.not_assessable == (
        NotAssessable("leak", ("data.clips (unknown)",), "leak.by-clips"),
        NotAssessable("overfit", ("data.clips (unknown)",), "overfit.clean"),
    )
    assert values(whole)["finding.leak"] is False
    assert fired(whole) == {"overfit.clean", "method.clean"}
    assert whole.not_assessable == ()


def test_absence_of_what_no_rule_of_the_packs_concludes_is_an_input() -> None:
    book = knowledge(WORDS, rule(WORDS, "overfit.clean", [{"none": "finding.leak"}], {"finding": "overfit"}))

    assert fired(run(book)) == set()
    assert fired(run(book, Fact("finding.leak", False, "rule"))) == {"overfit.clean"}


def test_a_pack_that_is_not_chosen_concludes_nothing() -> None:
    book = knowledge(
        WORDS,
        rule(WORDS, "poor.few", [{"data.clips": "< 10"}], {"set": {"data.poor": True}}, pack="audit"),
        rule(WORDS, "method.poor", [{"data.poor": True}], {"recommend": {"adapt.method": "frozen"}}),
    )

    assert fired(run(book, fact("data.clips", 5))) == set()
    assert fired(run(book, fact("data.clips", 5), fact("data.poor", True))) == {"method.poor"}
    both = consult(book, [fact("data.clips", 5)], packs=("audit", "plan"))
    assert fired(both) == {"poor.few", "method.poor"}


def test_missing_evidence_is_not_assessable_and_refutes_nothing() -> None:
    book = knowledge(
        WORDS,
        rule(WORDS, "a.rule", [{"run.gap": "> 1"}], {"finding": "overfit"}, needs=[{"run.evaluations": ">= 5"}]),
        rule(WORDS, "b.rule", [{"none": "finding.overfit"}], {"recommend": {"adapt.method": "full"}}),
    )

    enough = run(book, fact("run.gap", 2.0), fact("run.evaluations", 5))
    too_few = run(book, fact("run.gap", 2.0), fact("run.evaluations", 3))
    refuted = run(book, fact("run.gap", 0.0), fact("run.evaluations", 3))

    assert [finding.id for finding in enough.findings] == ["overfit"]
    assert too_few.findings == ()
    assert too_few.not_assessable == (NotAssessable("overfit", ("5 evaluations (3 found)",), "a.rule"),)
    assert fired(too_few) == set()
    assert refuted.not_assessable == ()
    assert fired(refuted) == {"b.rule"}


def test_a_measurement_on_too_few_items_is_unknown_with_the_reason() -> None:
    book = one_rule([{"run.std_ratio": "< 0.8"}])

    few = run(book, fact("run.std_ratio", 0.5, n=7))

    assert few.unknown == {"run.std_ratio": "7 predictions, 30 needed"}
    assert few.not_assessable[0].needs == ("run.std_ratio: 7 predictions, 30 needed",)
    assert fired(run(book, fact("run.std_ratio", 0.5, n=30))) == {"a.rule"}


def test_what_the_user_says_needs_no_number_of_items() -> None:
    assert fired(run(one_rule([{"run.std_ratio": "< 0.8"}]), fact("run.std_ratio", 0.5, "user"))) == {"a.rule"}


def test_reasons_for_unknown_facts_are_told() -> None:
    reason = Unknown("run.gap", "the log holds no validation loss")

    session = run(one_rule([{"run.gap": "> 1"}]), unknown=[reason])

    assert session.not_assessable[0].needs == ("run.gap: the log holds no validation loss",)


CHAIN = knowledge(
    WORDS,
    rule(WORDS, "regime.tiny", [{"data.clips": "< 100"}], {"set": {"data.regime": "tiny"}}, certainty=0.9),
    rule(WORDS, "regime.large", [{"data.clips": ">= 100"}], {"set": {"data.regime": "large"}}),
    rule(WORDS, "poor.tiny", [{"data.regime": "tiny"}], {"set": {"data.poor": True}}, certainty=0.5),
    rule(WORDS, "method.poor", [{"data.poor": True}], {"recommend": {"adapt.method": "frozen"}}),
    rule(WORDS, "method.rich", [{"none": "data.poor"}], {"recommend": {"adapt.method": "full"}}),
    rule(WORDS, "rate.full", [{"adapt.method": "full"}], {"recommend": {"train.rate": 1e-05}}),
    rule(WORDS, "rate.other", [{"adapt.method": "!= full"}], {"recommend": {"train.rate": 1e-03}}),
)


def test_conclusions_chain_over_strata_with_certainty() -> None:
    session = run(CHAIN, fact("data.clips", 50))

    assert values(session) == {
        "data.clips": 50,
        "data.regime": "tiny",
        "data.poor": True,
        "adapt.method": "frozen",
        "train.rate": 1e-03,
    }
    assert session.certainty("data.poor") == pytest.approx(0.9 * 0.5)
    assert session.certainty("train.rate") == pytest.approx(0.9 * 0.5 * 0.8 * 0.8)
    assert [firing.number for firing in session.firings] == [1, 2, 3, 4]


def test_what_the_user_fixed_wins_is_read_further_and_meets_objections() -> None:
    session = run(CHAIN, fact("data.clips", 50), fixed={"adapt.method": "full"})

    decision = session.decisions["adapt.method"]
    assert (decision.value, decision.fixed_by_user, decision.contested) == ("full", True, False)
    assert decision.objections == ("method.poor",)
    assert decision.losers[0].lost_on == "your choice"
    assert session.facts["adapt.method"].source == "user"
    assert session.decisions["train.rate"].value == 1e-05


def test_a_fixed_decision_that_no_rule_concludes_is_kept() -> None:
    session = run(one_rule([{"data.clips": 1}]), fixed={"train.rate": "0.01"})

    assert session.decisions["train.rate"].value == 0.01
    assert session.decisions["train.rate"].fixed_by_user


def test_a_plan_cannot_decide_what_the_rules_decide() -> None:
    session = run(CHAIN, fact("data.clips", 50), fact("adapt.method", "lora", "plan"))

    assert session.decisions["adapt.method"].value == "frozen"
    assert session.decisions["adapt.method"].losers == ()


def test_a_plan_tells_decisions_to_packs_without_rules_for_them() -> None:
    book = knowledge(WORDS, rule(WORDS, "a.rule", [{"adapt.method": "lora"}], {"finding": "overfit"}))

    assert fired(run(book, fact("adapt.method", "lora", "plan"))) == {"a.rule"}


@pytest.mark.parametrize(
    ("source", "regime"), [("user", "tiny"), ("audit", "tiny"), ("rule", "large"), ("plan", "large")]
)
def test_who_may_overrule_a_derived_fact(source: Any, regime: str) -> None:
    session = run(CHAIN, fact("data.clips", 500), fact("data.regime", "tiny", source))

    assert values(session)["data.regime"] == regime


def test_of_several_suppliers_the_first_in_the_vocabulary_counts() -> None:
    said, counted = fact("data.clips", 5000, "user"), fact("data.clips", 40, "audit")

    for facts in ([said, counted], [counted, said]):
        assert values(run(CHAIN, *facts))["data.clips"] == 40


def test_two_values_from_one_supplier_are_refused() -> None:
    with pytest.raises(UsageError, match="given twice by audit: 5 and 6"):
        run(CHAIN, fact("data.clips", 5), fact("data.clips", 6))


def test_equal_values_from_one_supplier_keep_the_better_evidence() -> None:
    poor, rich = fact("data.clips", 5), fact("data.clips", 5, n=5, evidence=(Evidence("five files"),))

    for facts in ([poor, rich], [rich, poor]):
        assert run(CHAIN, *facts).facts["data.clips"] == rich


@pytest.mark.parametrize(
    ("given_fact", "error"),
    [
        (fact("data.clip", 1), KnowledgeError),
        (fact("run.gap", math.nan), KnowledgeError),
        (fact("run.gap", math.inf), KnowledgeError),
        (fact("run.gap", True), KnowledgeError),
        (fact("data.clips", 1.5), KnowledgeError),
        (fact("data.kind", "speach", "user"), UsageError),
    ],
)
def test_facts_that_do_not_fit_are_refused(given_fact: Fact, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(CHAIN, given_fact)


def test_a_fixed_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="one of frozen, lora, full"):
        run(CHAIN, fixed={"adapt.method": "half"})


def test_a_rule_without_conditions_always_fires() -> None:
    book = knowledge(WORDS, rule(WORDS, "a.rule", [], {"recommend": {"adapt.method": "lora"}}))

    assert values(run(book)) == {"adapt.method": "lora"}


def test_of_several_branches_the_surest_supports_the_firing() -> None:
    book = knowledge(
        WORDS,
        rule(WORDS, "poor.few", [{"data.clips": "< 100"}], {"set": {"data.poor": True}}, certainty=0.5),
        rule(WORDS, "a.rule", [{"any": [{"data.poor": True}, {"run.gap": "> 1"}]}], {"finding": "overfit"}),
    )

    weak = run(book, fact("data.clips", 5))
    sure = run(book, fact("data.clips", 5), fact("run.gap", 2.0))

    assert weak.certainty("finding.overfit") == pytest.approx(0.4)
    assert sure.certainty("finding.overfit") == pytest.approx(0.8)
    assert sure.firings_for("finding.overfit")[0].supports == ("run.gap",)


def test_a_decimal_comma_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    conventions = {**locale.localeconv(), "decimal_point": ","}
    monkeypatch.setattr(locale, "localeconv", lambda: conventions)

    with pytest.raises(UsageError, match=r"would read 0\.5 as 0"):
        run(CHAIN, fact("data.clips", 5))


def test_a_failure_in_the_middle_leaves_the_engine_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = values(run(CHAIN, fact("data.clips", 50)))

    proceed = chaining.durable_rules_engine.complete_and_start_action

    def fail(handle: int, state: int) -> None:
        assert proceed(handle, state) is not None, "an action is under way"
        raise RuntimeError("in the middle")

    for _ in range(20):
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="in the middle"):
            patch.setattr(chaining.durable_rules_engine, "complete_and_start_action", fail)
            run(CHAIN, fact("data.clips", 50))
        assert values(run(CHAIN, fact("data.clips", 50))) == expected


def test_capacity_is_checked_before_the_c_library_sees_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaining.durable_rules_engine, "create_ruleset", lambda *_: pytest.fail("compiled"))
    whens = ([{"data.clips": n}, {"data.kind": "speech"}] for n in range(256))
    rules = [rule(WORDS, f"a.r{n}", when, {"finding": "overfit"}) for n, when in enumerate(whens)]

    with pytest.raises(KnowledgeError, match="256 rules that share the condition"):
        run(knowledge(WORDS, *rules))


def test_rules_that_wait_for_the_same_are_one_rule_of_the_engine() -> None:
    when = [{"data.clips": ">= 10"}, {"data.kind": ["speech", "music"]}, {"data.clips": "< 20"}, {"unknown": "run.gap"}]
    other = [{"data.clips": ">= 10"}, {"data.kind": ["speech", "music"]}]
    book = knowledge(
        WORDS,
        *(rule(WORDS, f"a.r{n}", when, {"finding": "overfit"}) for n in range(300)),
        rule(WORDS, "a.other", other, {"finding": "leak"}),
    )
    (stratum,) = stratify(book.rules)
    definition = define(stratum)

    assert [len(item.branches) for item in definition.conjunctions.values()] == [1, 300]
    assert len(definition.tokens) == 2, "one for what each of the two waits for besides comparisons"
    session = run(book, fact("data.clips", 12), fact("data.kind", "music"))
    assert len(session.firings) == 301
    (first,) = (firing for firing in session.firings if firing.rule.id == "a.r0")
    assert [str(item) for item in first.supports] == ["data.clips", "data.kind", "data.clips", "unknown run.gap"]
    assert fired(run(book, fact("data.clips", 20), fact("data.kind", "music"))) == {"a.other"}
    assert not fired(run(book, fact("data.clips", 12), fact("data.path", "x")))


def test_what_the_engine_does_not_take_is_an_error() -> None:
    run(CHAIN)
    unit = next(iter(chaining._compiled[CHAIN.digest, frozenset({"plan"})].units))

    with pytest.raises(chaining.InferenceError, match="did not take"), chaining._EngineSession(unit) as engine:
        engine.put_all(['{"id":"f1","g":"nobody","attr":"nobody.reads","value":1}'])


def test_only_a_few_rulebooks_stay_compiled() -> None:
    for number in range(2 * chaining._MOST_COMPILED):
        assert fired(run(one_rule([{"data.clips": number}]), fact("data.clips", number))) == {"a.rule"}

    assert len(chaining._compiled) == chaining._MOST_COMPILED


def test_import_stays_light() -> None:
    code = (
        "import sys, expert.chaining; print(sorted({'numpy', 'scipy', 'torch', 'textual', 'rich'} & set(sys.modules)))"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
