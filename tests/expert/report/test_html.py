"""The HTML page: every text escaped, nothing loaded, every block shown."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from expert.report.document import Bullets, Document, Heading, Paragraph, Table, Verbatim
from expert.report.html import render_html


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _read(document: Document) -> _Page:
    page = _Page()
    page.feed(render_html(document))
    page.close()
    return page


def _everywhere(text: str) -> Document:
    return (
        Heading(text, 1),
        Paragraph(text),
        Bullets(((text, (text,)),)),
        Table((text, "n"), ((text, "1"),)),
        Verbatim((text,)),
    )


@given(st.text(max_size=30) | st.sampled_from(["<script>x</script>", "</style><img src=x onerror=x>", '"><b', "&lt;"]))
def test_no_text_becomes_markup(text: str) -> None:
    plain, page = _read(_everywhere("plain")), _read(_everywhere(text))
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes


def test_every_block_is_shown_and_nothing_is_loaded() -> None:
    document = _everywhere("a <b> & c")
    page = _read(document)
    assert page.text.count("a <b> & c") == 8
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert not page.attributes & {"src", "href"}


def test_numbers_are_aligned_right() -> None:
    text = render_html((Table(("name", "n"), (("a", "1"),)),))
    assert '<td>a</td><td class="number">1</td>' in text
