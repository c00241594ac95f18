"""Draws curves as lines of text, with axes and direct labels, legible without colour; reads no files, keeps no state.

One cell of braille holds 2 x 4 dots. Series beside the first carry a marker at their points, and every series is named
at its right end. Non-finite points leave a gap. Many points are reduced to the lowest and highest of each column.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Series = Mapping[str, Sequence[Point]]
Run = tuple[str, int | None]
"""A piece of a line and the index of the series that it belongs to; None for axes and labels of axes."""

EMPTY = "no points yet"
LOG_RATIO = 50.0
"""From this ratio of largest to smallest value, all positive, the y axis is logarithmic; below, a linear one reads
better."""
MARKERS = " ox+*#@"
ASCII_MARKERS = ".ox+*#@"
SINGLE = "*"
"""Marks a point of the first series that has no neighbour to be joined with."""
MARKER_COLUMNS = 6
"""Columns from one marker to the next on a dense series, so that the line stays visible."""
BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True)
class _Axis:
    """Maps values to 0 (low) .. 1 (high)."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        if self.logarithmic:
            low, high, value = math.log(self.low), math.log(self.high), math.log(value)
        else:
            low, high, value = self.low / 2, self.high / 2, value / 2  # halves, so that no difference overflows
        span = high - low
        return min(1.0, max(0.0, (value - low) / span)) if span > 0 else 0.5


def render_curve(
    series: Series, width: int, height: int, *, ascii_only: bool = False, x_label: str = "step"
) -> list[str]:
    """Return the plot as `height` lines of `width` characters. Never raises, whatever the points are.

    Args:
        series: points (x, y) by name; the first is drawn as a plain line, the others with markers.
        width: columns, axes and labels included.
        height: lines, the x axis included.
        ascii_only: no braille and no box drawing.
        x_label: what x counts.
    """
    rows = curve_runs(series, width, height, ascii_only=ascii_only, x_label=x_label)
    return ["".join(text for text, _ in row) for row in rows]


def curve_runs(
    series: Series, width: int, height: int, *, ascii_only: bool = False, x_label: str = "step"
) -> list[list[Run]]:
    """Return the lines of `render_curve` in pieces that know their series, for those who can show colour."""
    if width <= 0 or height <= 0:
        return [[] for _ in range(height)]
    names = {_printable(name, ascii_only): _finite(points) for name, points in series.items()}
    if not any(any(part for part in parts) for parts in names.values()):
        return _message(EMPTY, width, height)
    xs = [x for parts in names.values() for part in parts for x, _ in part]
    ys = [y for parts in names.values() for part in parts for _, y in part]
    x_axis, y_axis = _Axis(min(xs), max(xs)), _y_axis(ys)
    ends = _end_labels(names, width, ascii_only)
    framed = width >= 16 and height >= 3
    ticks = _ticks(y_axis, height - 1) if framed else []
    left = max((len(_number(tick)) for tick in ticks), default=-1) + 1
    right = 1 + max((len(text) for text in ends.values()), default=-1)
    canvas = _Canvas(max(1, width - left - right - framed), max(1, height - framed), ascii_only)
    for index, parts in enumerate(names.values()):
        canvas.draw(index, parts, x_axis, y_axis)
    rows = canvas.runs()
    _attach_labels(rows, ends, names, y_axis)
    if framed:
        _attach_axis(rows, ticks, y_axis, left, ascii_only)
        rows.append([(_x_line(x_axis, y_axis, left, width, x_label, ascii_only), None)])
    return [_fit(row, width) for row in rows]


def describe_curve(series: Series, *, x_label: str = "step") -> str:
    """Say in words what the plot shows: `loss 2.31 -> 0.18, min 0.17 at step 117`, one clause for each series."""
    return "; ".join(_describe(name, points, x_label) for name, points in series.items()) or EMPTY


def _describe(name: str, points: Sequence[Point], x_label: str) -> str:
    flat = [point for part in _finite(points) for point in part]
    broken = next((x for x, y in points if not math.isfinite(_as_float(y))), None)
    gap = "" if broken is None else f", not a number at {x_label} {_number(_as_float(broken))}"
    if not flat:
        return f"{name} {EMPTY}{gap}"
    lowest, highest = min(flat, key=lambda point: point[1]), max(flat, key=lambda point: point[1])
    text = f"{name} {_number(flat[0][1])}"
    if len(flat) > 1:
        text += f" -> {_number(flat[-1][1])}, min {_number(lowest[1])} at {x_label} {_number(lowest[0])}"
        text += f", max {_number(highest[1])} at {x_label} {_number(highest[0])}"
    return text + gap


class _Canvas:
    """A grid of cells; every cell remembers which series drew in it last."""

    def __init__(self, columns: int, rows: int, ascii_only: bool) -> None:
        self.columns, self.rows, self.ascii_only = columns, rows, ascii_only
        self.across, self.down = (1, 1) if ascii_only else (2, 4)
        self.dots: dict[tuple[int, int], int] = {}
        self.owner: dict[tuple[int, int], int] = {}
        self.marks: dict[tuple[int, int], str] = {}

    def draw(self, index: int, parts: Sequence[Sequence[Point]], x_axis: _Axis, y_axis: _Axis) -> None:
        """Draw one series: lines between the points of each part, then its markers."""
        dots = []
        for part in parts:
            if len(part) == 1:  # one dot alone is hard to see
                x, y = self._dot(part[0], x_axis, y_axis)
                self._put(index, (x // self.across, y // self.down), SINGLE if index == 0 else "")
            part_dots = [self._dot(point, x_axis, y_axis) for point in reduce_points(part, self.columns)]
            dots += part_dots
            for start, end in zip(part_dots, part_dots[1:] or part_dots, strict=False):
                for dot in _line(start, end):
                    self._set(dot, index)
        self._mark(index, dots)

    def _dot(self, point: Point, x_axis: _Axis, y_axis: _Axis) -> tuple[int, int]:
        x = round(x_axis.share(point[0]) * (self.columns * self.across - 1))
        y = round((1 - y_axis.share(point[1])) * (self.rows * self.down - 1))
        return x, y

    def _set(self, dot: tuple[int, int], index: int) -> None:
        cell = dot[0] // self.across, dot[1] // self.down
        bit = 1 if self.ascii_only else BRAILLE[dot[1] % 4][dot[0] % 2]
        self.dots[cell] = self.dots.get(cell, 0) | bit
        self.owner[cell] = index
        if self.ascii_only:
            self._put(index, cell)

    def _mark(self, index: int, dots: Iterable[tuple[int, int]]) -> None:
        last = -MARKER_COLUMNS
        for x, y in dots:
            column = x // self.across
            if index and column - last >= MARKER_COLUMNS:
                self._put(index, (column, y // self.down))
                last = column

    def _put(self, index: int, cell: tuple[int, int], marker: str = "") -> None:
        self.marks[cell] = marker or _marker(index, self.ascii_only)
        self.owner[cell] = index

    def runs(self) -> list[list[Run]]:
        """Return the grid as pieces of equal owner."""
        return [_merge(self._cell(column, row) for column in range(self.columns)) for row in range(self.rows)]

    def _cell(self, column: int, row: int) -> Run:
        cell = column, row
        if cell in self.marks:
            return self.marks[cell], self.owner[cell]
        if cell in self.dots:
            return chr(0x2800 + self.dots[cell]), self.owner[cell]
        return " ", None


def reduce_points(points: Sequence[Point], columns: int) -> list[Point]:
    """Return at most `2 x columns` points: the lowest and the highest of each column, in order of x."""
    if len(points) <= 2 * columns:
        return list(points)
    axis = _Axis(points[0][0], points[-1][0])
    buckets: dict[int, list[Point]] = {}
    for point in points:
        buckets.setdefault(min(columns - 1, int(axis.share(point[0]) * columns)), []).append(point)
    kept = []
    for bucket in buckets.values():
        low, high = min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])
        kept += sorted({low, high}, key=lambda point: point[0])
    return kept


def _finite(points: Sequence[Point]) -> list[list[Point]]:
    """Return the finite points in order of x, cut where a y is not finite."""
    parts: list[list[Point]] = [[]]
    floats = ((_as_float(x), _as_float(y)) for x, y in points)
    for x, y in sorted((point for point in floats if math.isfinite(point[0])), key=lambda point: point[0]):
        if math.isfinite(y):
            parts[-1].append((x, y))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _y_axis(ys: Sequence[float]) -> _Axis:
    low, high = min(ys), max(ys)
    return _Axis(low, high, logarithmic=low > 0 and high / low >= LOG_RATIO)


def _ticks(axis: _Axis, rows: int) -> list[float]:
    """Return round values inside the axis, at most one for every two rows."""
    most = max(2, rows // 2)
    if axis.logarithmic:
        decades = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
        ticks = [tick for tick in (float(f"1e{decade}") for decade in decades) if axis.low <= tick <= axis.high]
        return ticks[:: -(-len(ticks) // most)] if ticks else [axis.low, axis.high]
    span = axis.high - axis.low
    if not 1e-300 < span < 1e300 or span < 1e-12 * max(abs(axis.low), abs(axis.high)):
        return [axis.high]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= most or factor == 10)
    first = math.ceil(axis.low / step)
    ticks = [round(number * step, 12 - math.floor(math.log10(step))) for number in range(first, first + most + 1)]
    return [tick for tick in ticks if axis.low <= tick <= axis.high] or [axis.high]


def _end_labels(names: Mapping[str, Sequence[Sequence[Point]]], width: int, ascii_only: bool) -> dict[str, str]:
    """Return what stands at the right end of each series: marker, name and last value, as far as there is room."""
    drawn = {name: parts[-1][-1][1] for name, parts in names.items() if parts}
    markers = {name: _marker(index, ascii_only) for index, name in enumerate(names)}
    full = {name: f"{markers[name]} {name} {_number(value)}" for name, value in drawn.items()}
    short = {name: f"{markers[name]} {name}" for name in drawn}
    for labels in (full, short):
        if max(len(label) for label in labels.values()) <= width // 3:
            return labels
    return {name: label[: width // 3] for name, label in short.items()} if width >= 16 else {}


def _attach_labels(
    rows: list[list[Run]],
    ends: Mapping[str, str],
    names: Mapping[str, Sequence[Sequence[Point]]],
    y_axis: _Axis,
) -> None:
    order = list(names)
    wanted = sorted(
        (round((1 - y_axis.share(names[name][-1][-1][1])) * (len(rows) - 1)), order.index(name), label)
        for name, label in ends.items()
    )
    placed: dict[int, tuple[int | None, str]] = {}
    for wish, index, label in wanted[: len(rows)]:
        free = sorted((abs(wish - other), other < wish, other) for other in range(len(rows)) if other not in placed)
        placed[free[0][2]] = (index, label)
    for number, row in enumerate(rows):
        owner, label = placed.get(number, (None, ""))
        row.append((f" {label}", owner))


def _attach_axis(rows: list[list[Run]], ticks: Sequence[float], axis: _Axis, left: int, ascii_only: bool) -> None:
    at = {round((1 - axis.share(tick)) * (len(rows) - 1)): _number(tick) for tick in ticks}
    plain, tick = ("|", "+") if ascii_only else ("│", "┤")
    for number, row in enumerate(rows):
        row.insert(0, (f"{at.get(number, ''):>{left - 1}} {tick if number in at else plain}", None))


def _x_line(x_axis: _Axis, y_axis: _Axis, left: int, width: int, x_label: str, ascii_only: bool) -> str:
    corner, dash = ("+", "-") if ascii_only else ("└", "─")
    scale = "log" if y_axis.logarithmic and left >= 4 else ""
    low, high = _number(x_axis.low), _number(x_axis.high)
    label = _printable(x_label, ascii_only)
    room = max(0, width - left - 1)
    text = f" {low} " if x_axis.low == x_axis.high else f" {low} {dash}{dash} {label} {dash}{dash} {high} "
    if len(text) <= room and x_axis.low != x_axis.high:
        gaps = room - len(f" {low}  {label}  {high} ")
        text = f" {low} {dash * (gaps // 2)} {label} {dash * (gaps - gaps // 2)} {high} "
    return f"{scale:>{left - 1}} {corner}{text[:room].ljust(room, dash)}"


def _number(value: float) -> str:
    """Return a short spelling: three significant digits, integers whole up to six digits."""
    if abs(value) < 1e6 and value == int(value):
        return str(int(value))
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")


def _marker(index: int, ascii_only: bool) -> str:
    markers = ASCII_MARKERS if ascii_only else MARKERS
    return markers[index] if index < len(markers) else markers[1 + (index - 1) % (len(markers) - 1)]


def _line(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the dots from start to end, no two of which are further apart than one (Bresenham)."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    for number in range(steps + 1):
        yield tuple(round(a + (b - a) * number / steps) for a, b in zip(start, end, strict=True))  # type: ignore[misc]


def _merge(cells: Iterable[Run]) -> list[Run]:
    runs: list[Run] = []
    for text, owner in cells:
        if runs and runs[-1][1] == owner:
            runs[-1] = (runs[-1][0] + text, owner)
        else:
            runs.append((text, owner))
    return runs


def _fit(row: Sequence[Run], width: int) -> list[Run]:
    """Cut or fill a row to exactly `width` characters."""
    fitted: list[Run] = []
    for text, owner in row:
        fitted.append((text[:width], owner))
        width -= len(fitted[-1][0])
    return [*fitted, (" " * width, None)]


def _message(text: str, width: int, height: int) -> list[list[Run]]:
    middle = (height - 1) // 2
    return [[(text[:width].center(width) if row == middle else " " * width, None)] for row in range(height)]


def _printable(name: str, ascii_only: bool) -> str:
    """Replace what does not fill exactly one column."""

    def fits(character: str) -> bool:
        if ord(character) < 127:
            return character >= " "
        narrow = unicodedata.east_asian_width(character) in ("N", "Na", "H", "A")
        return not ascii_only and narrow and unicodedata.category(character)[0] in "LNPS"

    return "".join(character if fits(character) else "?" for character in name)
