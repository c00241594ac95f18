"""What the vocabulary accepts as a value, and what it makes unknown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import KnowledgeError, UsageError
from knowledge.records import Evidence, Fact, Unknown, Value
from knowledge.vocabulary import Entry, Minimum, Vocabulary

CLIPS = Entry(kind="fact", name="dataset.clips", type="integer", range=(0, None), means="Clips.")
SHARE = Entry(kind="fact", name="dataset.share", type="number", range=(0, 1), means="Share.")
GPU = Entry(kind="fact", name="machine.gpu", type="boolean", means="GPU.")
TASK = Entry(kind="fact", name="task.type", type="choice", values=("classification", "regression"), means="Task.")
COLUMN = Entry(kind="fact", name="dataset.column", type="text", means="Column.")
RATIO = Entry(
    kind="fact", name="run.ratio", type="number", means="Ratio.", needs=Minimum(at_least=30, of="predictions")
)
VOCABULARY = Vocabulary({entry.name: entry for entry in (CLIPS, SHARE, GPU, TASK, COLUMN, RATIO)})


@pytest.mark.parametrize(
    ("entry", "given_value", "value"),
    [
        (CLIPS, 250, 250), (CLIPS, "250", 250), (CLIPS, 250.0, 250), (CLIPS, "1e3", 1000), (CLIPS, 0, 0),
        (SHARE, "0.5", 0.5), (SHARE, 1, 1.0), (SHARE, "1e-05", 1e-5),
        (GPU, "yes", True), (GPU, "No", False), (GPU, "TRUE", True), (GPU, False, False),
        (TASK, "regression", "regression"), (COLUMN, 3, "3"), (COLUMN, "speaker", "speaker"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_its_type(entry: Entry, given_value: object, value: Value) -> None:
    found = entry.coerce(given_value, "here")

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("entry", "given_value", "message"),
    [
        (CLIPS, -1, "got -1, expected of at least 0"),
        (CLIPS, 1.5, "expected a whole number"),
        (CLIPS, True, "got True, expected a whole number of at least 0"),
        (CLIPS, "many", "got 'many', expected a whole number of at least 0"),
        (CLIPS, None, "expected a whole number"),
        (SHARE, 1.01, "expected from 0 to 1"),
        (SHARE, math.nan, "expected a finite number"),
        (SHARE, math.inf, "expected a finite number"),
        (GPU, 1, "expected true or false"),
        (GPU, "perhaps", "expected true or false"),
        (TASK, "regresion", "expected one of classification, regression"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(entry: Entry, given_value: object, message: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        entry.coerce(given_value, "--set")

    assert caught.value.message.startswith("--set: ")
    assert message in caught.value.message


def test_a_misspelt_choice_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        VOCABULARY.user_fact("task.type", "regresion", "--set")

    assert caught.value.hint == "Did you mean regression?"


def test_a_misspelt_fact_of_the_user_is_his_mistake() -> None:
    with pytest.raises(UsageError) as caught:
        VOCABULARY.user_fact("dataset.clip", 3, "--set")

    assert caught.value.hint == "Did you mean dataset.clips?"
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(("n", "known"), [(None, False), (29, False), (30, True), (31, True)])
def test_a_measurement_on_too_few_items_is_unknown(n: int | None, known: bool) -> None:
    admitted = VOCABULARY.admit(Fact("run.ratio", 0.5, "predictions", n=n))

    assert isinstance(admitted, Fact) == known
    if not known:
        assert admitted == Unknown("run.ratio", f"{n or 0} predictions, 30 needed")


def test_a_measurement_keeps_its_evidence() -> None:
    fact = Fact("run.ratio", 1, "predictions", "split:test", 40, (Evidence("worst clip", "a.wav"),), ("a.wav",))

    assert VOCABULARY.admit(fact) == fact


@given(st.integers(-5, 5) | st.floats(-2, 2) | st.booleans() | st.text(max_size=5) | st.none())
def test_whatever_is_accepted_is_accepted_again_unchanged(value: object) -> None:
    for entry in VOCABULARY.entries.values():
        try:
            once = entry.coerce(value, "here")
        except KnowledgeError:
            continue
        assert entry.coerce(once, "here") == once
