"""Strokes and notes played again alike are no copies; what else is as alike is one, and what is one waveform."""

from math import inf
from pathlib import Path

import pytest

from engine.evidence.dataset import NearPair, Region, read_dataset
from engine.evidence.dataset.agreement import Agreement
from expert.consultation.standards import Standards
from knowledge.loader import load_knowledge


@pytest.mark.parametrize(
    ("similarity", "sounding_seconds", "copy"),
    [
        (0.95, inf, True),
        (0.95, 0.3, True),
        (0.981, 0.02, False),
        (0.993, 0.02, True),
        (0.95, 0.036, False),
        (0.9, inf, False),
    ],
)
def test_a_stroke_has_to_be_more_alike(tmp_path: Path, similarity: float, sounding_seconds: float, copy: bool) -> None:
    (tmp_path / "m.csv").write_text("path,label\na.wav,x\nb.wav,x\n")
    pair = NearPair(Region(Path("a.wav")), Region(Path("b.wav")), similarity, "", 0.1, sounding_seconds)

    copies, to_hear = Standards.of(load_knowledge(), read_dataset(tmp_path / "m.csv")).near.divided([pair])

    assert (copies, to_hear) == (((pair,), ()) if copy else ((), (pair,)))


@pytest.mark.parametrize("stationarity", [0.1, 0.98])
@pytest.mark.parametrize(
    ("misfit", "clearest_db", "copy"), [(0.0, 45.0, True), (0.05, 20.0, True), (0.07, 40.0, False), (0.02, 15.5, False)]
)
def test_the_waveforms_decide_about_notes_and_strokes(
    tmp_path: Path, stationarity: float, misfit: float, clearest_db: float, copy: bool
) -> None:
    (tmp_path / "m.csv").write_text("path,label\na.wav,x\nb.wav,x\n")
    heard = Agreement(misfit, clearest_db)
    pair = NearPair(Region(Path("a.wav")), Region(Path("b.wav")), 0.99, "", stationarity, 0.02, waveforms=heard)

    copies, _ = Standards.of(load_knowledge(), read_dataset(tmp_path / "m.csv")).near.divided([pair])

    assert copies == ((pair,) if copy else ())
