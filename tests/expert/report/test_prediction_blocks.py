"""What a report shows of the validation predictions, of each kind of answer."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from expert.consultation.diagnose import diagnose_run
from expert.report.diagnosis import diagnosis_document, diagnosis_record
from expert.report.document import Gallery, Table
from expert.report.drawing import group_bars, scatter
from expert.report.html import render_html
from expert.report.predictions import predictions_blocks
from knowledge.loader import load_knowledge
from tests.engine.run.builders import good_predictions, healthy, write_run

KNOWLEDGE = load_knowledge()
Rows = list[tuple[str, str, object, object]]


def blocks(folder: Path, rows: Rows, task: str):  # type: ignore[no-untyped-def]
    made = healthy()
    made.task = task
    made.predictions = {"val": rows}
    return predictions_blocks(diagnose_run(KNOWLEDGE, write_run(folder / "run", made)))


def test_the_worst_group_comes_first_and_the_pair_that_is_confused(tmp_path: Path) -> None:
    rows: Rows = [(f"{i}.wav", "ann" if i % 2 else "bob", "a", "b" if i % 4 == 0 else "a") for i in range(80)]
    groups, pairs = (one for one in blocks(tmp_path, rows, "classification") if isinstance(one, Table))

    assert groups.rows[0] == ("bob", "40", "0.500")
    assert groups.rows[1] == ("ann", "40", "0.000")
    assert pairs.rows == (("a", "b", "20 of 80"),)


def test_scores_are_drawn_over_their_labels(tmp_path: Path) -> None:
    labels = np.linspace(1, 5, 60)
    rows: Rows = [(f"{i}.wav", f"<s{i % 3}>", float(one), float(one) / 2) for i, one in enumerate(labels)]
    found = blocks(tmp_path, rows, "regression")
    markup = [picture.markup for one in found if isinstance(one, Gallery) for picture in one.pictures]

    assert len(markup) == 2
    assert sum(one.count("<circle") for one in markup) == 60
    assert all("<s0>" not in one for one in markup)
    for one in markup:
        ElementTree.fromstring(one)


def test_a_file_that_tells_nothing_shows_nothing(tmp_path: Path) -> None:
    assert blocks(tmp_path, [], "classification") == ()


def test_every_form_of_the_report_has_them(tmp_path: Path) -> None:
    made = healthy()
    made.predictions = {"val": good_predictions(1, "classification")}
    diagnosis = diagnose_run(KNOWLEDGE, write_run(tmp_path / "run", made))

    assert diagnosis_record(diagnosis)["predictions"]
    assert "Predictions of the validation clips" in render_html(diagnosis_document(diagnosis))


@given(st.lists(st.tuples(st.text(max_size=20), st.floats(0, 1e6)), min_size=1, max_size=8))
def test_bars_are_sound_markup_whatever_the_groups_are_called(errors: list[tuple[str, float]]) -> None:
    ElementTree.fromstring(group_bars(errors, "errors"))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_points_lie_inside_the_frame(values: list[float]) -> None:
    numbers = np.array(values)
    root = ElementTree.fromstring(scatter(numbers, numbers[::-1], "points"))
    for dot in root.iter("circle"):
        assert 0 <= float(dot.attrib["cx"]) <= 240
        assert 0 <= float(dot.attrib["cy"]) <= 240
