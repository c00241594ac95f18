"""Prediction files of transcripts, with what is wrong in them put there by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.alignment import aligned
from engine.evidence.predictions import measure_predictions
from engine.evidence.transcript_predictions import loops, plain
from engine.transcript_metrics import edit_distance
from knowledge.records import Measured

WORDS = [
    "the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "seven", "small", "owls", "watch",
    "from", "their", "old", "oak", "tree",
]  # fmt: skip
text = st.text("ab c", max_size=12)


def sentences(count: int = 200, length: int = 8, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, length)) for _ in range(count)]


def measured(
    folder: Path, said: list[str], heard: list[str], groups: list[str] | None = None, plain_text: bool = False
) -> Measured:
    path = folder / "val.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "group", "label", "prediction"])
        writer.writerows(zip(map(str, range(len(said))), groups or [""] * len(said), said, heard, strict=True))
    return measure_predictions([("val", path)], "ctc", plain_text=plain_text)


def number(found: Measured, name: str) -> float:
    return float(found.get(f"predictions.{name}"))  # type: ignore[arg-type]


@given(text, text)
def test_the_steps_lead_from_what_was_said_to_what_was_heard(said: str, heard: str) -> None:
    steps = aligned(said, heard)

    assert steps.errors == edit_distance(said, heard)
    letters: list[str] = list(said)
    for place, other in steps.replaced:
        assert said[place] != heard[other]
        letters[place] = heard[other]
    kept = [letter for place, letter in enumerate(letters) if place not in set(steps.omitted)]
    assert kept == [letter for place, letter in enumerate(heard) if place not in set(steps.inserted)]


def test_what_is_heard_as_said_has_no_error(tmp_path: Path) -> None:
    found = measured(tmp_path, sentences(), sentences())

    assert number(found, "word_error_rate") == number(found, "character_error_rate_high") == 0
    assert number(found, "empty_share") == number(found, "looping_share") == number(found, "unwritten_symbols") == 0
    assert found.get("predictions.form_error_share") is None  # no word is wrong


def test_clips_that_are_answered_with_nothing(tmp_path: Path) -> None:
    said = sentences()
    found = measured(tmp_path, said, [one if i % 4 else "" for i, one in enumerate(said)])

    assert number(found, "empty_share") == 0.25
    assert number(found, "omission_share") == 1
    assert number(found, "word_error_rate") == pytest.approx(0.25)


def test_the_same_answer_for_every_clip(tmp_path: Path) -> None:
    found = measured(tmp_path, sentences(), ["the the"] * 200)

    assert number(found, "same_text_excess") == 1


def test_an_end_that_is_missing_is_told_from_omissions_anywhere(tmp_path: Path) -> None:
    said = sentences(length=12)
    cut = measured(tmp_path, said, [" ".join(one.split()[:-3]) for one in said])
    random = np.random.default_rng(1)
    thinned = [" ".join(word for word in one.split() if random.random() > 0.25) for one in said]

    assert number(cut, "edge_omission_excess_low") > 0.5
    assert number(measured(tmp_path, said, thinned), "edge_omission_excess_low") < 0.05


def test_form_is_told_from_what_was_heard(tmp_path: Path) -> None:
    said = [one.capitalize() + "." for one in sentences()]
    heard = [one.lower().removesuffix(".") for one in said]

    assert number(measured(tmp_path, said, heard), "form_error_share") == 1
    assert number(measured(tmp_path, said, heard, plain_text=True), "word_error_rate") == 0
    assert number(measured(tmp_path, said, [one.replace("the", "a") for one in said]), "form_error_share") == 0


def test_words_that_differ_by_a_letter_and_letters_that_are_never_written(tmp_path: Path) -> None:
    said = sentences()
    found = measured(tmp_path, said, [one.replace("z", "s") for one in said])

    assert number(found, "near_word_share") == 1
    assert number(found, "unwritten_symbols") == 1


def test_words_that_loop(tmp_path: Path) -> None:
    said = sentences()
    heard = [one if i % 10 else one + " thank you" * 5 for i, one in enumerate(said)]

    assert number(measured(tmp_path, said, heard), "looping_share") == 0.1
    assert loops("no no no no", 4)
    assert not loops("no no no yes no", 4)
    assert loops("one two one two one two one two", 4)


def test_the_group_that_is_understood_worst(tmp_path: Path) -> None:
    said = sentences()
    groups = ["anna" if i % 5 else "ben" for i in range(200)]
    heard = [one if who == "anna" else one.replace("o", "u") for one, who in zip(said, groups, strict=True)]
    found = measured(tmp_path, said, heard, groups)

    assert found.get("predictions.worst_group_apart") is True
    assert number(found, "worst_group_gap") == pytest.approx(number(found, "character_error_rate") * 5, rel=0.1)
    gap = next(fact for fact in found.facts if fact.name == "predictions.worst_group_gap")
    assert "ben" in gap.evidence[0].text


@given(st.text(max_size=40))
def test_plain_text_stays_as_it_is(said: str) -> None:
    assert plain(plain(said)) == plain(said)


def test_a_file_without_any_transcript_is_not_assessable(tmp_path: Path) -> None:
    found = measured(tmp_path, ["", " "], ["a", "b"])

    assert [one.value for one in found.facts] == ["transcripts"]
    assert "predictions.word_error_rate" in {one.name for one in found.unknown}
