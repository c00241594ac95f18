"""Curves as text: exact size for any input, no exception, legible without colour."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.curves import curve_runs, describe_curve, reduce_points, render_curve

number = st.floats() | st.integers() | st.sampled_from([5e-324, 1.7e308, -1.7e308, 0.0, -0.0])
points = st.lists(st.tuples(number, number), max_size=40)
curves = st.dictionaries(st.text(max_size=12), points, max_size=9)


@settings(max_examples=300)
@given(curves, st.integers(-1, 90), st.integers(-1, 30), st.booleans(), st.text(max_size=9))
def test_output_has_exactly_the_asked_size(
    series: dict[str, list[tuple[float, float]]], width: int, height: int, ascii_only: bool, x_label: str
) -> None:
    lines = render_curve(series, width, height, ascii_only=ascii_only, x_label=x_label)

    assert len(lines) == max(0, height)
    assert {len(line) for line in lines} <= {max(0, width)}
    assert not ascii_only or all(line.isascii() for line in lines)
    assert all(line.isprintable() for line in lines)


@given(curves)
def test_text_alternative_never_raises_and_names_every_series(series: dict[str, list[tuple[float, float]]]) -> None:
    text = describe_curve(series)

    assert all(name in text for name in series)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=500), st.integers(1, 60))
def test_reduction_keeps_the_extremes_and_stays_small(raw: list[tuple[float, float]], columns: int) -> None:
    ordered = sorted(raw, key=lambda point: point[0])

    kept = reduce_points(ordered, columns)

    assert len(kept) <= max(2 * columns, 1)
    assert set(kept) <= set(ordered)
    assert {min(y for _, y in kept), max(y for _, y in kept)} == {min(y for _, y in raw), max(y for _, y in raw)}


def test_a_hundred_thousand_points_cost_as_little_as_their_columns() -> None:
    raw = [(float(step), math.sin(step)) for step in range(100_000)]

    assert len(reduce_points(raw, 80)) == 160


def test_two_series_are_told_apart_by_marker_and_name() -> None:
    train = [(float(step), 1 / (1 + step)) for step in range(60)]
    validation = [(float(step), 1.2 / (1 + step)) for step in range(0, 60, 10)]

    text = "\n".join(render_curve({"train": train, "val": validation}, 60, 10))

    assert "train 0.0167" in text
    assert "o val 0.0235" in text
    assert text.count("o") > 3


def test_golden_plot_with_axes_and_direct_labels() -> None:
    lines = render_curve({"acc": [(1, 0.0), (2, 0.5), (3, 1.0)]}, 30, 6, x_label="epoch")

    assert lines == [
        "  1 ┤              ⡠⠔⠊   acc 1",
        "    │          ⢀⠤⠒⠉           ",
        "0.5 ┤       ⣀⠔⠊⠁              ",
        "    │   ⢀⠤⠒⠉                  ",
        "  0 ┤⡠⠔⠊⠁                     ",
        "    └ 1 ────── epoch ────── 3 ",
    ]


@pytest.mark.parametrize(("values", "logarithmic"), [((1.0, 1e-3), True), ((1.0, 0.5), False), ((1.0, -1e-3), False)])
def test_y_axis_is_logarithmic_only_over_a_wide_positive_range(values: tuple[float, float], logarithmic: bool) -> None:
    last = render_curve({"loss": list(enumerate(values))}, 40, 8)[-1]

    assert ("log" in last) is logarithmic


def test_not_a_number_leaves_a_gap_and_is_told_in_words() -> None:
    broken = [(1, 0.5), (2, 0.4), (3, math.nan), (4, 0.3)]

    assert describe_curve({"loss": broken}).endswith("not a number at step 3")
    assert "loss 0.3" in "\n".join(render_curve({"loss": broken}, 40, 6))


@pytest.mark.parametrize("series", [{}, {"loss": []}, {"loss": [(1.0, math.inf)]}])
def test_nothing_to_draw_says_so(series: dict[str, list[tuple[float, float]]]) -> None:
    assert "no points yet" in render_curve(series, 30, 5)[2]


def test_words_say_first_last_and_extremes() -> None:
    text = describe_curve({"loss": [(1, 2.31), (117, 0.125), (200, 0.18)]})

    assert text == "loss 2.31 -> 0.18, min 0.125 at step 117, max 2.31 at step 1"


def test_runs_know_their_series() -> None:
    rows = curve_runs({"train": [(1, 2.0), (2, 1.0)], "val": [(1, 1.5), (2, 1.2)]}, 40, 6)

    assert {owner for row in rows for _, owner in row} == {None, 0, 1}
