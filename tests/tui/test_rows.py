"""Names of clips in a narrow list: what tells them apart stays."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.rows import fit_path


def test_the_middle_of_a_long_path_is_left_out() -> None:
    path = "clips/precise_amelia_en_amelia_128b0bc7_0952_4634_a1ff_354ef50b4d8a.wav"
    assert fit_path(path, 40) == "clips/precise…9_0952_4634_a1ff_354ef50b4d8a.wav"[:13] + "…" + path[-26:]
    assert fit_path("a.wav", 8) == "a.wav   "


@given(st.text(max_size=60), st.integers(0, 50))
def test_a_path_takes_the_width_that_it_is_given(path: str, width: int) -> None:
    assert cell_len(fit_path(path, width)) == width
