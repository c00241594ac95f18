"""Metrics of tags, transcripts and events, each against its definition written out."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event_metrics import Event, each_segment_f1, segment_counts, segment_error_rate, segment_f1
from engine.tag_metrics import average_precision, macro_f1, mean_average_precision
from engine.transcript_metrics import character_error_rate, counts, edit_distance, word_error_rate


def by_definition(one: str, other: str) -> int:
    table = [[max(row, column) for column in range(len(other) + 1)] for row in range(len(one) + 1)]
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (one[row - 1] != other[column - 1]),
            )
    return table[-1][-1]


@given(st.text("abc", max_size=12), st.text("abcd", max_size=12))
def test_the_edit_distance_is_that_of_the_table(one, other):
    assert edit_distance(one, other) == by_definition(one, other)


def test_word_and_character_errors_are_counted():
    said, heard = "the cat sat on the mat", "the cat sit on mat"
    (words, characters), (wrong_words, wrong_characters) = counts(said, heard)

    assert (words, characters, wrong_words, wrong_characters) == (6, 22, 2, 5)
    assert word_error_rate([[6, 22], [2, 10]], [[2, 5], [2, 0]]) == pytest.approx(4 / 8)
    assert character_error_rate([[6, 22], [2, 10]], [[2, 5], [2, 0]]) == pytest.approx(5 / 32)
    assert math.isnan(word_error_rate([[0, 0]], [[3, 3]]))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=12))
def test_average_precision_is_precision_at_each_hit(pairs):
    truth, shares = np.array([one for one, _ in pairs]), np.array([share / 4 for _, share in pairs])
    value = average_precision(truth, shares)
    if not truth.any():
        assert math.isnan(value)
        return
    at = [truth[shares >= shares[row]].mean() for row in np.flatnonzero(truth)]
    assert value == pytest.approx(np.mean(at))


def test_a_tag_that_no_clip_has_is_not_counted():
    labels, shares = [[1, 0], [0, 0], [1, 0]], [[0.9, 0.1], [0.2, 0.6], [0.4, 0.2]]

    assert mean_average_precision(labels, shares) == 1
    # F1 of the first 2/3; the second was given once and is never there.
    assert macro_f1(labels, shares) == pytest.approx((2 / 3 + 0) / 2)


def test_segments_are_counted_as_the_source_does():
    said = [Event(0.0, 1.5, 0), Event(2.2, 2.4, 1)]
    heard = [Event(0.9, 2.0, 0), Event(2.0, 3.0, 2)]
    active, found = segment_counts(said, heard, 3.5, 1.0, 3)

    assert active.tolist() == [2, 1, 0]
    # Class 0 in both seconds; class 2 in the third, in place of class 1: one replacement.
    assert found.tolist() == [2, 0, 0, 0, 0, 1, 1]
    assert segment_f1([active], [found]) == pytest.approx(2 * 2 / (3 + 3))
    assert segment_error_rate([active], [found]) == pytest.approx(1 / 3)
    assert each_segment_f1([active], [found]).tolist() == [1, 0, 0]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.integers(0, 2)), max_size=6))
def test_what_is_there_scores_best_and_nothing_scores_one_error_each(spans):
    events = [Event(start / 10, (start + length) / 10, number) for start, length, number in spans]
    active, right = segment_counts(events, events, 4.0, 0.5, 3)
    _, nothing = segment_counts(events, [], 4.0, 0.5, 3)
    if not events:
        assert math.isnan(segment_f1([active], [right]))
        return

    assert (segment_f1([active], [right]), segment_error_rate([active], [right])) == (1, 0)
    assert (segment_f1([active], [nothing]), segment_error_rate([active], [nothing])) == (0, 1)
