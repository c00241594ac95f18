"""A page of a report in a pane: headings, lists and tables wrapped to its width. Knows nothing of what they say."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from expert.report.document import Block, Bullets, Document, Gallery, Heading, Paragraph, Table, Verbatim, neutral
from expert.report.text import is_number


class Reading(VerticalScroll):
    """Shows one document at a time, from its beginning."""

    def compose(self) -> ComposeResult:
        """Lay out the page; `show` fills it."""
        yield Static(markup=False)

    def show(self, document: Document) -> None:
        """Show a document."""
        self.query_one(Static).update(Group(*(part for block in neutral(document) for part in _parts(block))))
        self.scroll_home(animate=False)


def _parts(block: Block) -> Iterator[RenderableType]:
    if isinstance(block, Heading):
        yield Text(block.text, style="bold")
        if block.level == 1:
            yield Text()
    elif isinstance(block, Paragraph):
        yield Text(block.text)
        yield Text()
    elif isinstance(block, Bullets):
        yield from _bullets(block)
        yield Text()
    elif isinstance(block, Table):
        yield _table(block)
    else:
        lines = block.lines if isinstance(block, Verbatim) else _descriptions(block)
        yield Text("\n".join(lines))
        yield Text()


def _bullets(block: Bullets) -> Iterator[RenderableType]:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column()
    for text, details in block.items:
        grid.add_row("•", Text(text))
        for line in details:
            grid.add_row("", Text(line, style="dim"))
    yield grid


def _table(block: Table) -> Grid:
    """Names of facts are broken where a person would, because a terminal is narrow."""
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=0, header_style="bold")
    for index, name in enumerate(block.columns):
        flush = all(is_number(row[index]) for row in block.rows)
        grid.add_column(Text(name.replace(".", ".\n").replace("_", "_\n")), justify="right" if flush else "left")
    for row in block.rows:
        grid.add_row(*map(Text, row))
    return grid


def _descriptions(block: Gallery) -> tuple[str, ...]:
    return tuple(f"{picture.title}: {picture.description}" for picture in block.pictures)
