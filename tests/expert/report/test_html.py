"""HTML reports are whole by themselves, escape whatever comes from outside, and draw what was measured."""

import base64
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from engine.evidence.dataset import Region
from engine.evidence.dataset.thumbnails import COLUMNS, ROWS, thumbnail
from expert.consultation.audit import audit_dataset
from expert.report.audit import audit_document
from expert.report.audit_pictures import audit_pictures
from expert.report.document import Bullets, Document, Gallery, Heading, Paragraph, Picture, Table, Verbatim
from expert.report.drawing import envelope, heat_map, histogram, links
from expert.report.html import render_html
from knowledge.loader import load_knowledge

from ...engine.dataset.sets import plant, write_wav

HOSTILE = '<script>alert("x")</script> & \x1b[31mred\u202e'
EVERYTHING: Document = (
    Heading(HOSTILE, 1),
    Heading("Findings"),
    Paragraph(HOSTILE),
    Bullets(((HOSTILE, (HOSTILE,)), ("plain", ())), ("error", "note")),
    Bullets((("untoned", ("detail",)),)),
    Table(("name", "count"), ((HOSTILE, "12"), ("b", "3.5"))),
    Verbatim((HOSTILE, "  indented")),
    Gallery((Picture(HOSTILE, histogram(np.arange(9.0), "s", HOSTILE), HOSTILE),)),
)
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Fails on an element that is not closed, and notes what would be loaded or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_whatever_comes_from_outside_is_escaped() -> None:
    text = render_html(EVERYTHING)
    page = Page(text)

    assert page.open == []
    assert "script" not in page.tags
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;") >= 7
    assert all(load.startswith(("#", "data:image/png;base64,")) for load in page.loads)
    assert not re.search(r"https?:|@import|url\(", text)


def test_tones_and_numbers_are_marked() -> None:
    text = render_html(EVERYTHING)

    assert '<ul class="findings"><li class="error"><strong>' in text
    assert '<td class="number">12</td>' in text
    assert "<li>untoned<p>detail</p></li>" in text
    assert '<a href="#findings">Findings</a>' in text


def test_a_histogram_counts_every_known_value() -> None:
    drawn = histogram(np.array([0.0, 0.0, 1.0, np.nan]), "s", "lengths", bins=2)

    assert [int(count) for count in re.findall(r"<title>(\d+):", drawn)] == [2, 1]
    assert histogram(np.array([np.nan]), "s", "none")  # nothing known draws empty axes
    assert "<title>5:" in histogram(np.full(5, 3.0), "", "equal")


def test_a_heat_map_is_an_image_of_its_numbers() -> None:
    grid = np.linspace(0, 1, 12).reshape(3, 4)
    (data,) = re.findall(r"base64,([^\"]+)", heat_map(grid, "x"))
    png = base64.b64decode(data)
    pixels = zlib.decompress(png[png.index(b"IDAT") + 4 : -16])

    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert [pixels[row * 5] for row in range(3)] == [0, 0, 0]
    assert list(pixels[11:15]) == np.rint(grid[0] * 255).astype(int).tolist()  # the first row lies at the bottom


def test_links_are_as_wide_as_their_counts() -> None:
    drawn = links(["anna", "ben"], ["train", "test"], np.array([[10.0, 5.0], [0.0, 2.0]]), "who is where")

    assert re.findall(r"<title>([^<]+)</title>", drawn) == ["anna: 10 in train", "anna: 5 in test", "ben: 2 in test"]
    assert drawn.count("leak") == 2  # what stands outside of the first split


def test_the_outline_keeps_inside_its_frame() -> None:
    drawn = envelope(np.array([-3.0, 0.0]), np.array([3.0, 0.5]), "loud")
    heights = [float(height) for height in re.findall(r",(-?[\d.]+)", drawn)]

    assert min(heights) >= 0
    assert max(heights) <= 60


def test_a_thumbnail_shows_where_the_sound_is(tmp_path: Path) -> None:
    seen = thumbnail(Region(write_wav(tmp_path / "a.wav", 0.5)))

    assert seen is not None
    assert (seen.seconds, seen.sample_rate_hz) == (0.5, 8000)
    assert seen.low.shape == seen.high.shape == (COLUMNS,)
    assert seen.spectrogram.shape == (ROWS, COLUMNS)
    assert seen.spectrogram.max() == pytest.approx(1.0)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    assert thumbnail(Region(tmp_path / "b.wav")) is None


def test_an_audit_becomes_one_page_with_pictures(test_data: Path, tmp_path: Path) -> None:
    made = plant(test_data, "fsdd", tmp_path, "near_gain=3,clipped=3,group_overlap", 4, 200)
    audit = audit_dataset(load_knowledge(), made.manifest, workers=1)
    text = render_html(audit_document(audit, audit_pictures(audit)))
    page = Page(text)

    assert page.open == []
    for title in ("How the clips are spread", "Classes by split", "What leaks", "Near copies"):
        assert f">{title}</h2>" in text
    assert "The clips behind the findings" in text
    assert text.count("data:image/png;base64,") >= 3
    assert len(text) < 2_000_000
