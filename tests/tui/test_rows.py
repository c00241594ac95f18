"""Names of clips in a narrow list: what tells them apart stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from knowledge.records import Finding
from tui.widgets.findings import FoundList
from tui.widgets.rows import fit_path


def test_the_middle_of_a_long_path_is_left_out() -> None:
    path = "clips/precise_amelia_en_amelia_128b0bc7_0952_4634_a1ff_354ef50b4d8a.wav"
    assert fit_path(path, 40) == "clips/precise…9_0952_4634_a1ff_354ef50b4d8a.wav"[:13] + "…" + path[-26:]
    assert fit_path("a.wav", 8) == "a.wav   "


@given(st.text(max_size=60), st.integers(0, 50))
def test_a_path_takes_the_width_that_it_is_given(path: str, width: int) -> None:
    assert cell_len(fit_path(path, width)) == width


@pytest.mark.parametrize(
    ("width", "line"), [(40, "✗ error duplicate-across-splits · 2"), (31, "✗ duplicate-across-splits · 2")]
)
def test_a_finding_keeps_to_its_line_in_a_narrow_list(width: int, line: str) -> None:
    finding = Finding(
        id="duplicate-across-splits", severity="error", confidence=0.9, title="Copies", because="", rule="r",
        paths=("a", "b"),
    )  # fmt: skip
    found = FoundList()
    found.show((finding,), ())
    assert found.rows[0].build(width).plain.split("\n") == [line, "  Copies"]
