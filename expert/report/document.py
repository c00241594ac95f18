"""A report as a list of blocks, independent of any output format; says nothing about audio."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.shown import shown


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; level 1 is the report's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; each item may carry indented lines."""

    items: tuple[tuple[str, tuple[str, ...]], ...]
    tones: tuple[str, ...] = ()
    """How grave each item is (`error`, `warning`, `note`), for forms that can show it; empty: all alike."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column titles; columns of numbers are right-aligned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines to be shown as they are: a diff, a curve, a command."""

    lines: tuple[str, ...]
    pictured: bool = False
    """Whether a picture beside it shows the same, so that forms with pictures leave it out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing; forms without pictures show its description."""

    title: str
    markup: str
    """SVG, or an image element with its data in it; made by this package, every text in it escaped."""
    description: str
    """What the picture shows, in words, for those who cannot see it."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures side by side."""

    pictures: tuple[Picture, ...]


Block = Heading | Paragraph | Bullets | Table | Verbatim | Gallery
Document = tuple[Block, ...]


def neutral(document: Document) -> Document:
    """Return the document with every text fit to be shown: names in it were written by others."""
    return tuple(map(_neutral, document))


def _neutral(block: Block) -> Block:
    if isinstance(block, Heading):
        return Heading(shown(block.text), block.level)
    if isinstance(block, Paragraph):
        return Paragraph(_lines(block.text))
    if isinstance(block, Bullets):
        items = tuple((_lines(text), tuple(map(_lines, details))) for text, details in block.items)
        return Bullets(items, block.tones)
    if isinstance(block, Table):
        return Table(tuple(map(shown, block.columns)), tuple(tuple(map(shown, row)) for row in block.rows))
    if isinstance(block, Gallery):
        pictures = (Picture(shown(one.title), one.markup, _lines(one.description)) for one in block.pictures)
        return Gallery(tuple(pictures))
    return Verbatim(tuple(map(_lines, block.lines)), block.pictured)


def _lines(text: str) -> str:
    """Line breaks and tabs of running text are its own."""
    return text if text.isprintable() else "".join(letter if letter in "\n\t" else shown(letter) for letter in text)
