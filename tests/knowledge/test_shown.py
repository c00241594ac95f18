"""What is shown of names that come from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.shown import shown


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
