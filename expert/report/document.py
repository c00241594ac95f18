"""A report as a list of blocks, independent of any output format; says nothing about audio."""

from __future__ import annotations

from dataclasses import dataclass


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
