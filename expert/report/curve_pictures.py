"""Draws the curves of a run as SVG, with a line where the evidence of each finding lies; judges nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from knowledge.records import Finding
from knowledge.shown import shown

from .document import Gallery, Picture

Points = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 220, 56, 22, 26, 10
_COLOURS = ("#2f6fab", "#b06a00", "#2e7d46", "#8a3ba0")
_TONES = {"error": "#c0392b", "warning": "#b8860b", "note": "#5b7083"}
_MOST_MARKS = 3
"""Places that are marked for one finding; more hide the curve."""
_MOST_POINTS = 1000


def curve_gallery(curves: Mapping[str, Points], findings: Iterable[Finding]) -> tuple[Gallery, ...]:
    """Return one picture of the curves with the findings marked in it; none when nothing was logged."""
    drawn = {name: _thinned(points) for name, points in curves.items() if points}
    if not drawn:
        return ()
    told = [(finding, step) for finding in findings for step in _steps(finding)]
    places = ", ".join(f"{finding.id} at step {step}" for finding, step in told)
    words = f"{' and '.join(drawn)} over the steps" + (f"; marked: {places}." if places else ".")
    return (Gallery((Picture("Curves", _svg(drawn, told, words), words),)),)


def _steps(finding: Finding) -> tuple[int, ...]:
    found = dict.fromkeys(item.step for item in finding.evidence if item.step is not None)
    return tuple(found)[:_MOST_MARKS]


def _thinned(points: Points) -> Points:
    every = math.ceil(len(points) / _MOST_POINTS)
    return [*points[:: max(1, every)], points[-1]]


def _svg(curves: Mapping[str, Points], told: Sequence[tuple[Finding, int]], words: str) -> str:
    xs = [x for points in curves.values() for x, _ in points]
    ys = [y for points in curves.values() for _, y in points]
    logarithmic = min(ys) > 0 and max(ys) > 10 * min(ys)
    low_x, high_x, low_y, high_y = min(xs), max(xs), min(ys), max(ys)
    bottom, top = (math.log(low_y), math.log(high_y)) if logarithmic else (low_y, high_y)

    def across(x: float) -> float:
        return _LEFT + (x - low_x) / ((high_x - low_x) or 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def down(y: float) -> float:
        value = math.log(y) if logarithmic else y
        return _HEIGHT - _BOTTOM - (value - bottom) / ((top - bottom) or 1.0) * (_HEIGHT - _BOTTOM - _TOP)

    axis = (
        f'<path class="axis" fill="none" stroke="#999999" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>'
    )
    lines = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="'
        + " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in points)
        + f'"/>{_text(_LEFT + 8 + 150 * place, 14, name, colour=colour)}'
        for place, ((name, points), colour) in enumerate(zip(curves.items(), _COLOURS, strict=False))
    ]
    marks = [
        f'<line x1="{across(step):.1f}" x2="{across(step):.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" '
        f'stroke="{_TONES[finding.severity]}" stroke-dasharray="4 3"><title>{escape(shown(finding.id))}: '
        f"{escape(shown(finding.title))}, step {step}</title></line>"
        for finding, step in told
        if low_x <= step <= high_x
    ]
    ends = (
        _text(_LEFT - 4, _TOP + 8, f"{high_y:.3g}", "end")
        + _text(_LEFT - 4, _HEIGHT - _BOTTOM, f"{low_y:.3g}", "end")
        + _text(_LEFT, _HEIGHT - 6, f"step {low_x:g}", "start")
        + _text(_WIDTH - _RIGHT, _HEIGHT - 6, f"{high_x:g}{' (logarithmic)' if logarithmic else ''}", "end")
    )
    label = escape(shown(words), quote=True)
    body = axis + "".join(marks) + "".join(lines) + ends
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{body}</svg>'


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "") -> str:
    style = f' style="fill: {colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(shown(text))}</text>'
