"""How competing recommendations are settled."""

import itertools
from typing import Any

import pytest

from expert.resolution import Activation, combine, decide, settle
from knowledge.records import Value
from knowledge.schema import Strength
from knowledge.vocabulary import Entry

from .builders import entry, rule, vocabulary

WORDS = vocabulary(
    entry("in.x"),
    entry("in.kind", "choice", values=("a", "b")),
    entry("out.method", "choice", "decision", values=("frozen", "lora", "full")),
    entry("out.least", "number", "decision", policy="min"),
    entry("out.most", "number", "decision", policy="max"),
    entry("out.sole", "choice", "decision", values=("frozen", "lora", "full"), policy="unique"),
)
X = [{"in.x": "> 1"}]


def activation(
    id_: str,
    value: Value,
    *,
    name: str = "out.method",
    when: list[dict[str, Any]] = X,
    strength: Strength = "default",
    certainty: float = 0.8,
) -> Activation:
    made = rule(WORDS, f"r.{id_}", when, {"recommend": {name: value}}, strength=strength, certainty=certainty)
    return Activation(made, ("in.x",), certainty)


def word(name: str = "out.method") -> Entry:
    return WORDS.entry(name)


def outcome(*activations: Activation, name: str = "out.method") -> tuple[Value, dict[Value, str], bool]:
    """The winner, why each other value lost, and whether it is contested; equal in every order."""
    results = [settle(word(name), order) for order in itertools.permutations(activations)]
    assert all(result == results[0] for result in results)
    return results[0].winner.value, {loser.value: loser.lost_on for loser in results[0].losers}, results[0].contested


def test_strength_beats_certainty() -> None:
    must = activation("must", "frozen", strength="must", certainty=0.2)
    strong = activation("strong", "full", strength="strong", certainty=1.0)

    assert outcome(must, strong) == ("frozen", {"full": "strength"}, False)


def test_certainty_decides_between_equally_strong_rules() -> None:
    assert outcome(activation("a", "frozen", certainty=0.7), activation("b", "lora")) == (
        "lora", {"frozen": "certainty"}, True,
    )  # fmt: skip


def test_rules_for_one_value_add_up() -> None:
    two = [activation("a", "frozen", certainty=0.6), activation("b", "frozen", certainty=0.6)]

    assert outcome(*two, activation("c", "lora")) == ("frozen", {"lora": "certainty"}, True)
    assert settle(word(), two).winner.certainty == pytest.approx(0.84)


def test_the_special_case_beats_the_general_one() -> None:
    general = activation("general", "frozen", when=[{"in.x": "> 1"}, {"in.x": "< 100"}])
    special = activation("special", "lora", when=[{"in.x": "5 .. 6"}])

    assert outcome(general, special) == ("lora", {"frozen": "refinement"}, True)


def test_more_conditions_win_where_neither_is_a_special_case() -> None:
    short = activation("short", "frozen", when=[{"in.kind": "a"}])
    long = activation("long", "lora", when=[{"in.x": "> 1"}, {"known": "in.kind"}])

    assert outcome(short, long) == ("lora", {"frozen": "conditions"}, True)


def test_the_name_decides_at_last() -> None:
    assert outcome(activation("a", "lora"), activation("b", "full")) == ("full", {"lora": "name"}, True)


@pytest.mark.parametrize(("name", "value", "lost_on"), [("out.least", 2.0, "minimum"), ("out.most", 8.0, "maximum")])
def test_extremes_are_taken_among_the_strongest(name: str, value: float, lost_on: str) -> None:
    two, eight = (activation(f"n{number}", number, name=name, certainty=0.5) for number in (2.0, 8.0))
    weaker = [activation(f"w{number}", number, name=name, strength="fallback") for number in (1.0, 9.0)]

    winner, lost, contested = outcome(two, eight, *weaker, name=name)
    assert winner == value
    assert lost == {1.0: "strength", 9.0: "strength", 10.0 - value: lost_on}
    assert not contested


def test_a_unique_decision_with_two_values_is_contested() -> None:
    pair = activation("a", "lora", name="out.sole"), activation("b", "full", name="out.sole", certainty=0.9)

    assert outcome(*pair, name="out.sole") == ("full", {"lora": "certainty"}, True)


def test_mutual_special_cases_still_give_one_winner() -> None:
    narrow, wide = [{"in.x": "5 .. 6"}], [{"in.x": "> 1"}]
    frozen = [activation("f1", "frozen", when=narrow), activation("f2", "frozen", when=wide)]
    lora = [activation("l1", "lora", when=narrow), activation("l2", "lora", when=wide)]

    assert outcome(*frozen, *lora) == ("frozen", {"lora": "name"}, True)


def test_what_the_user_fixed_wins_and_lists_objections_strongest_first() -> None:
    rules = [
        activation("agrees", "lora", strength="fallback"),
        activation("weak", "full", strength="fallback"),
        activation("strong", "frozen", strength="must"),
    ]

    decision = decide(word(), rules, "lora")

    assert (decision.value, decision.rule, decision.certainty) == ("lora", "r.agrees", 1.0)
    assert decision.fixed_by_user
    assert not decision.contested
    assert decision.objections == ("r.strong", "r.weak")
    assert [loser.lost_on for loser in decision.losers] == ["your choice", "your choice"]


def test_a_choice_that_no_rule_shares_names_no_rule() -> None:
    assert decide(word(), [], "full").rule == ""


def test_certainty_does_not_depend_on_order() -> None:
    values = [0.1, 0.7, 0.30000000000000004, 0.55]

    assert len({combine(order) for order in itertools.permutations(values)}) == 1
    assert combine([0.5, 0.5]) == 0.75
    assert combine([]) == 0.0
