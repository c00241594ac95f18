"""A piece of the user's source with one place marked; shows it, judges nothing."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from expert.reviewing.assembly import place
from knowledge.records import Evidence

from ..reviewing import source_text


class SourceView(VerticalScroll):
    """The lines around a place; the title names file and line."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.read: Callable[[str], str | None] = lambda _: None
        self.marked: Evidence | None = None

    def compose(self) -> ComposeResult:
        """Lay out the text; `show` fills it."""
        yield Static(markup=False)

    def show(self, read: Callable[[str], str | None], anchor: Evidence | None) -> None:
        """Show the source around a place."""
        self.read, self.marked = read, anchor
        self.border_title = place(anchor) if anchor is not None else "source"
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Draw anew at the new size."""
        self._draw()

    def _draw(self) -> None:
        size = self.scrollable_content_region.size
        self.query_one(Static).update(source_text(self.read, self.marked, size.height, size.width))
