"""Strokes that are struck again alike are no copies; what else is as alike is one."""

from math import inf
from pathlib import Path

import pytest

from engine.evidence.dataset import NearPair, Region, read_dataset
from expert.consultation.audit import judged_pairs
from knowledge.loader import load_knowledge


@pytest.mark.parametrize(
    ("similarity", "sounding_seconds", "copy"),
    [
        (0.95, inf, True),
        (0.95, 0.3, True),
        (0.981, 0.02, False),
        (0.993, 0.02, True),
        (0.95, 0.036, True),
        (0.9, inf, False),
    ],
)
def test_a_stroke_has_to_be_more_alike(tmp_path: Path, similarity: float, sounding_seconds: float, copy: bool) -> None:
    (tmp_path / "m.csv").write_text("path,label\na.wav,x\nb.wav,x\n")
    pair = NearPair(Region(Path("a.wav")), Region(Path("b.wav")), similarity, "", 0.1, sounding_seconds)

    copies, to_hear = judged_pairs(load_knowledge(), read_dataset(tmp_path / "m.csv"), [pair])

    assert (copies, to_hear) == (((pair,), ()) if copy else ((), (pair,)))
