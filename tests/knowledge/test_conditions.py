"""How the sentences of a rule are read, and what they hold for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.conditions import Condition, parse_clauses, parse_condition, same
from knowledge.errors import KnowledgeError
from knowledge.vocabulary import Entry, Vocabulary

VOCABULARY = Vocabulary(
    {
        entry.name: entry
        for entry in (
            Entry(kind="fact", name="dataset.clips", type="integer", range=(0, None), means="Clips."),
            Entry(kind="fact", name="run.ratio", type="number", means="Ratio."),
            Entry(kind="fact", name="machine.gpu", type="boolean", means="GPU."),
            Entry(kind="fact", name="task.type", type="choice", values=("a", "b", "c"), means="Task."),
            Entry(kind="fact", name="dataset.column", type="text", means="Column."),
        )
    }
)


def holds(sentence: object, value: object, fact: str = "dataset.clips") -> bool:
    return all(condition.holds(value) for condition in parse_condition(fact, sentence, VOCABULARY, "here"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sentence", "inside", "outside"),
    [
        ("< 100", [0, 99], [100, 101]),
        ("<= 100", [99, 100], [101]),
        ("> 100", [101], [99, 100]),
        (">= 100", [100, 101], [99]),
        ("== 100", [100], [99, 101]),
        ("!= 100", [99, 101], [100]),
        (100, [100], [99, 101]),
        ("100 .. 500", [100, 101, 499, 500], [99, 501]),
        ("100 .. < 500", [100, 499], [99, 500, 501]),
        ("> 100 .. 500", [101, 500], [100, 501]),
        (">100..<500", [101, 499], [100, 500]),
        ([1, 2, 3], [1, 3], [0, 4]),
    ],
)
def test_a_sentence_about_whole_numbers(sentence: object, inside: list[int], outside: list[int]) -> None:
    assert [value for value in (*inside, *outside) if holds(sentence, value)] == inside


@pytest.mark.parametrize(
    ("sentence", "inside", "outside"),
    [
        ("< -0.05", [-0.06, -1.0], [-0.05, 0.0]),
        ("-1 .. < 1", [-1.0, 0.999], [-1.001, 1.0]),
        ("1e-5 .. 1e-3", [1e-5, 5e-4, 1e-3], [9.9e-6, 1.1e-3]),
        (">= 1e-05", [1e-5], [9.99e-6]),
        (0.5, [0.5], [0.25]),
    ],
)
def test_a_sentence_about_real_numbers(sentence: object, inside: list[float], outside: list[float]) -> None:
    assert [value for value in (*inside, *outside) if holds(sentence, value, "run.ratio")] == inside


def test_an_interval_gives_two_conditions() -> None:
    assert parse_condition("dataset.clips", "100 .. < 500", VOCABULARY, "here") == (
        Condition("is", "dataset.clips", ">=", 100),
        Condition("is", "dataset.clips", "<", 500),
    )


def test_a_threshold_may_lie_outside_the_range_and_between_whole_numbers() -> None:
    assert holds("> -1", 0)
    assert holds("< 99.5", 99)
    assert not holds("< 99.5", 100)


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_known_and_unknown_stand_before_the_fact(name: str) -> None:
    assert parse_condition(name, "dataset.clips", VOCABULARY, "here") == (Condition(name, "dataset.clips"),)  # type: ignore[arg-type]


def test_any_holds_alternatives() -> None:
    clauses = parse_clauses(
        [{"machine.gpu": True}, {"any": [{"task.type": "a"}, {"unknown": "task.type"}]}], VOCABULARY, "here"
    )

    assert clauses == (
        (Condition("is", "machine.gpu", "==", True),),
        (Condition("is", "task.type", "==", "a"), Condition("unknown", "task.type")),
    )


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"dataset.clip": 3}, "unknown fact 'dataset.clip'"),
        ({"dataset.clips": "500 .. 100"}, "interval '500 .. 100' is empty"),
        ({"dataset.clips": "100 .. 100"}, "is empty"),
        ({"dataset.clips": "many"}, "expected a whole number"),
        ({"dataset.clips": True}, "expected a whole number"),
        ({"dataset.clips": 1.5}, "expected a whole number"),
        ({"dataset.clips": -1}, "expected of at least 0"),
        ({"run.ratio": "< nan"}, "finite"),
        ({"task.type": "d"}, "expected one of a, b, c"),
        ({"task.type": "> a"}, "compares numbers only"),
        ({"machine.gpu": "maybe"}, "expected true or false"),
        ({"none": "task.type"}, "needs a boolean fact"),
        ({"dataset.clips": 1, "machine.gpu": True}, "one condition a list item"),
        ({"any": [{"dataset.clips": "1 .. 5"}]}, "interval cannot stand inside `any`"),
    ],
)
def test_a_sentence_that_means_nothing_is_refused(item: dict[str, object], message: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        parse_clauses([item], VOCABULARY, "rules.yaml:7 (a.b)")

    assert caught.value.message.startswith("rules.yaml:7 (a.b)")
    assert message in caught.value.message


def test_a_misspelt_fact_names_the_nearest() -> None:
    with pytest.raises(KnowledgeError) as caught:
        parse_clauses([{"dataset.clip": 3}], VOCABULARY, "here")

    assert caught.value.hint == "Did you mean dataset.clips?"


def test_true_is_not_one_and_one_is_not_its_text() -> None:
    assert not same(True, 1)
    assert not same("1", 1)
    assert same(1, 1.0)


@given(
    low=st.integers(0, 1000),
    width=st.integers(1, 1000),
    value=st.integers(0, 3000),
    open_low=st.booleans(),
    open_high=st.booleans(),
)
def test_an_interval_holds_what_its_ends_say(low: int, width: int, value: int, open_low: bool, open_high: bool) -> None:
    sentence = f"{'> ' if open_low else ''}{low} .. {'< ' if open_high else ''}{low + width}"
    above = value > low if open_low else value >= low
    below = value < low + width if open_high else value <= low + width

    assert holds(sentence, value) == (above and below)
