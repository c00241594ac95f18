"""A dialog that shows text, with the keys that act on it; used for help, explanations, evidence and whole plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from ..block import Block
from ..keys import bindings
from ..widgets.remedies import DIFF_STYLES


class Page(ModalScreen[str]):
    """Scrollable blocks; the result is the action chosen, empty when the page was only read."""

    BINDINGS = (*bindings("dialog"), Binding("enter", "close", show=False))

    def __init__(
        self, title: str, blocks: Sequence[Block], actions: Mapping[str, tuple[str, str]] | None = None
    ) -> None:
        super().__init__()
        self.page_title = title
        self.blocks = blocks
        for key, (label, result) in (actions or {}).items():
            self._bindings.bind(key, f"choose('{result}')", label)

    def compose(self) -> ComposeResult:
        """Lay out frame, text and keys."""
        with Vertical(classes="frame") as frame:
            frame.border_title = self.page_title
            with VerticalScroll(classes="page"):
                for block in self.blocks:
                    yield Static(_content(block), markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Let the arrow keys scroll at once."""
        self.query_one(VerticalScroll).focus()

    def action_close(self) -> None:
        """Leave without an action."""
        self.dismiss("")

    def action_choose(self, result: str) -> None:
        """Leave with an action."""
        self.dismiss(result)


def _content(block: Block) -> Content:
    body = Content.assemble(*(_line(line, block.verbatim) for line in block.lines))
    return Content.assemble((block.heading + "\n", "bold $accent"), body) if block.heading else body


def _line(line: str, verbatim: bool) -> tuple[str, str]:
    return line + "\n", DIFF_STYLES.get(line[:1], "") if verbatim else ""
