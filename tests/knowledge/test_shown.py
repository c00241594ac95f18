"""What is shown of names that come from outside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.shown import shown, shown_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clips/a b.wav", "clips/a b.wav"),
        ("日本語 é 😀.wav", "日本語 é 😀.wav"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\r\nb\t", r"a\x0d\x0ab\x09"),
        ("\u202egpj.wav", r"\u202egpj.wav"),
        ("\x9b31m", r"\x9b31m"),
        ("👩\u200d🔬.wav", "👩\u200d🔬.wav"),
    ],
)
def test_control_and_direction_become_visible(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown(text))


@given(st.text())
def test_it_is_stable(text: str) -> None:
    assert shown(shown(text)) == shown(text)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_json_says_the_same_and_nothing_in_it_is_obeyed(record: object) -> None:
    text = shown_json(json.dumps(record, indent=1, ensure_ascii=False))
    assert json.loads(text) == record
    assert not any(127 <= ord(char) < 160 or char in "\u202e\u2028" or "\ud800" <= char <= "\udfff" for char in text)
    text.encode()


def test_json_of_halves_of_pairs_and_of_another_language() -> None:
    assert shown_json('"\udcff\x9b2J é 日本"') == '"\\udcff\\u009b2J é 日本"'
