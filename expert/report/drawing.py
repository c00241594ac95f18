"""Draws small charts as SVG, and a grid of numbers as an image element; knows no audio and no report.

Colours come from the page's style, so that a drawing follows light and dark. Every text is escaped.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from knowledge.shown import shown

WIDTH, HEIGHT = 320, 120
_LEFT, _BOTTOM, _TOP = 34, 18, 8
Numbers = npt.NDArray[np.floating]


def _svg(width: int, height: int, label: str, body: str) -> str:
    text = escape(shown(label), quote=True)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{text}">{body}</svg>'


def _words(x: float, y: float, text: str, anchor: str = "middle", kind: str = "dim") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(shown(text))}</text>'


def histogram(values: Numbers, unit: str, label: str, bins: int = 24) -> str:
    """Draw how often values occur; NaN is left out.

    Args:
        values: `(n,)`.
        unit: stands after the ends of the axis.
        label: what is drawn, for screen readers.
        bins: number of bars.
    """
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    counts, edges = np.histogram(known, bins=bins, range=(low, high if high > low else low + 1.0))
    most = max(1, int(counts.max()))
    width = (WIDTH - _LEFT - 4) / bins
    tall = HEIGHT - _TOP - _BOTTOM
    bars = "".join(
        f'<rect class="bar" x="{_LEFT + k * width:.1f}" y="{_TOP + tall * (1 - count / most):.1f}" '
        f'width="{max(width - 1, 0.5):.1f}" height="{tall * count / most:.1f}"><title>{count}: {edges[k]:.4g} to '
        f"{edges[k + 1]:.4g} {escape(unit)}</title></rect>"
        for k, count in enumerate(counts.tolist())
    )
    axis = f'<path class="axis" fill="none" stroke="#999999" d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{WIDTH - 4}"/>'
    words = (
        _words(_LEFT - 4, _TOP + 8, str(most), "end")
        + _words(_LEFT - 4, HEIGHT - _BOTTOM, "0", "end")
        + _words(_LEFT, HEIGHT - 4, f"{low:.4g}", "start")
        + _words(WIDTH - 4, HEIGHT - 4, f"{high:.4g} {unit}", "end")
    )
    return _svg(WIDTH, HEIGHT, label, axis + bars + words)


def envelope(low: Numbers, high: Numbers, label: str) -> str:
    """Draw a waveform from the lowest and highest sample of each column, `(columns,)`, full scale at 1."""
    middle, tall = 30.0, 28.0
    step = WIDTH / max(1, len(low))
    up = " ".join(f"{k * step:.1f},{middle - tall * float(np.clip(value, -1, 1)):.1f}" for k, value in enumerate(high))
    down = " ".join(
        f"{k * step:.1f},{middle - tall * float(np.clip(low[k], -1, 1)):.1f}" for k in range(len(low) - 1, -1, -1)
    )
    axis = f'<path class="axis" fill="none" stroke="#999999" d="M0 {middle}H{WIDTH}"/>'
    return _svg(WIDTH, 60, label, f'{axis}<polygon class="wave" points="{up} {down}"/>')


def heat_map(grid: Numbers, label: str) -> str:
    """Return an image element of a grid of numbers from 0 to 1, `(rows, columns)`, the first row at the bottom."""
    levels = np.rint(np.clip(np.flipud(grid), 0, 1) * 255).astype(np.uint8)
    data = base64.b64encode(_png(levels)).decode("ascii")
    return f'<img alt="{escape(shown(label), quote=True)}" src="data:image/png;base64,{data}">'


def _png(levels: npt.NDArray[np.uint8]) -> bytes:
    """Write 8-bit grey levels with a palette from dark to light (PNG, ISO/IEC 15948)."""
    height, width = levels.shape
    ramp = np.linspace(0, 1, 256)[:, None]
    stops = np.array([[12, 10, 34], [88, 24, 105], [190, 55, 84], [249, 142, 8], [252, 255, 190]], dtype=float)
    places = np.linspace(0, 1, len(stops))
    palette = np.column_stack([np.interp(ramp[:, 0], places, stops[:, k]) for k in range(3)]).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


_SIDE = 220
_MOST_POINTS = 2000


def scatter(labels: Numbers, predictions: Numbers, label: str) -> str:
    """Draw predictions over their labels, `(n,)` each, on one scale, with the line on which they agree."""
    every = max(1, len(labels) // _MOST_POINTS)
    across, up = labels[::every].astype(float), predictions[::every].astype(float)
    low, high = float(min(across.min(), up.min())), float(max(across.max(), up.max()))
    reach = (high - low) or 1.0
    size = _SIDE - _LEFT - 10

    def place(value: float) -> float:
        return (value - low) / reach * size

    dots = "".join(
        f'<circle class="bar" cx="{_LEFT + place(x):.1f}" cy="{10 + size - place(y):.1f}" r="2.2" fill-opacity="0.55">'
        f"<title>label {x:.4g}, predicted {y:.4g}</title></circle>"
        for x, y in zip(across.tolist(), up.tolist(), strict=True)
    )
    frame = f'<path class="axis" fill="none" stroke="#999999" d="M{_LEFT} 10V{10 + size}H{_LEFT + size}"/>'
    agreed = f'<line class="axis" stroke="#999999" x1="{_LEFT}" y1="{10 + size}" x2="{_LEFT + size}" y2="10"/>'
    words = (
        _words(_LEFT - 4, 18, f"{high:.3g}", "end")
        + _words(_LEFT - 4, 10 + size, f"{low:.3g}", "end")
        + _words(_LEFT, 24 + size, f"label {low:.3g}", "start")
        + _words(_LEFT + size, 24 + size, f"{high:.3g}", "end")
    )
    return _svg(_SIDE, _SIDE + 10, label, frame + agreed + dots + words)


def group_bars(errors: Sequence[tuple[str, float]], label: str) -> str:
    """Draw a bar for the error of each named group, the first on top."""
    row, left = 18, 110
    most = max(max(value for _, value in errors), 1e-9)
    wide = WIDTH - left - 50
    bars = "".join(
        f'<rect class="bar" x="{left}" y="{8 + row * k}" width="{wide * value / most:.1f}" height="{row - 5}"/>'
        + _words(left - 6, 8 + row * k + 11, name[-16:], "end", "")
        + _words(left + wide * value / most + 5, 8 + row * k + 11, f"{value:.3f}", "start")
        for k, (name, value) in enumerate(errors)
    )
    return _svg(WIDTH, row * len(errors) + 14, label, bars)


def links(left: Sequence[str], right: Sequence[str], weights: Numbers, label: str) -> str:
    """Draw which names on the left belong to which on the right, `(left, right)` counts as the width of the lines."""
    row = 18
    height = row * max(len(left), 2 * len(right)) + 16
    most = max(1.0, float(weights.max(initial=1)))
    step = height / (len(right) + 1)
    lines, words = [], []
    for k, name in enumerate(left):
        y = 8 + row * (k + 0.5)
        words.append(_words(118, y + 4, name[-22:], "end", ""))
        for j in range(len(right)):
            count = float(weights[k, j])
            if count:
                kind = "link leak" if j > 0 else "link"
                width = 1 + 7 * count / most
                target = step * (j + 1)
                said = f"{escape(shown(name))}: {count:.0f} in {escape(right[j])}"
                lines.append(
                    f'<path class="{kind}" fill="none" stroke="#2f6fab" stroke-width="{width:.1f}" '
                    f'd="M124 {y:.1f}C180 {y:.1f} 180 {target:.1f} 236 {target:.1f}"><title>{said}</title></path>'
                )
    words += [_words(242, step * (j + 1) + 4, name, "start", "") for j, name in enumerate(right)]
    return _svg(WIDTH, height, label, "".join(lines) + "".join(words))
