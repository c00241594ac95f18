"""Evidence names its clip once."""

import pytest

from knowledge.records import Evidence
from tui.explaining import evidence_line


@pytest.mark.parametrize("text", ["same sound as b.wav", "a.wav: same sound as b.wav"])
def test_a_clip_is_named_once(text: str) -> None:
    assert evidence_line(Evidence(text, path="a.wav", line=4)) == "a.wav:4: same sound as b.wav"
    assert evidence_line(Evidence(text)) == text
