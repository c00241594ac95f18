"""A list of selectable lines with a pointer that is visible without colour; knows nothing of what the lines mean."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from knowledge.shown import shown

POINTER, RESTING_POINTER = "▸ ", "› "
INDENT = "  "


@dataclass(frozen=True)
class Row:
    """One selectable entry, of one line or several, built for the width at hand."""

    id: str
    build: Callable[[int], Content]
    """Takes the width in columns, pointer excluded; lines are separated by newlines."""
    heading: bool = False
    """A heading cannot be selected."""


class Rows(OptionList):
    """An option list whose rows fit its width and keep their place when they are replaced."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "choose"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    def __init__(self, *, empty: str = "", enter: str = "choose", **arguments: Any) -> None:
        super().__init__(markup=False, compact=True, **arguments)
        self.rows: tuple[Row, ...] = ()
        self.empty = empty
        """What is said when there are no rows; names the next key."""
        self._bindings = self._bindings.copy()
        self._bindings.key_to_bindings["enter"] = [Binding("enter", "select", enter)]
        self._pointed: int | None = None

    def set_rows(self, rows: Iterable[Row], *, current: str | None = None) -> None:
        """Replace the rows; the cursor stays on the row of the same id, or goes to `current`."""
        wanted = current or self.current
        self.rows = tuple(rows)
        self._pointed = None
        self.set_options(Option(self._prompt(row, False), row.id, disabled=row.heading) for row in self.rows)
        if not self.rows and self.empty:
            self.add_option(Option(Content.styled(wrap(self.empty, self._room()), "$foreground-muted"), disabled=True))
        ids = [row.id for row in self.rows if not row.heading]
        if ids:
            self.highlighted = self.get_option_index(wanted if wanted in ids else ids[0])

    @property
    def current(self) -> str:
        """The id of the row under the cursor, empty when there is none."""
        option = self.highlighted_option
        return option.id or "" if option else ""

    def watch_highlighted(self, highlighted: int | None) -> None:
        """Move the pointer with the cursor."""
        super().watch_highlighted(highlighted)
        for index, pointed in ((self._pointed, False), (highlighted, True)):
            if index is not None and index < len(self.rows):
                self.replace_option_prompt_at_index(index, self._prompt(self.rows[index], pointed))
        self._pointed = highlighted

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be chosen from an empty list."""
        return bool(self.rows) if action == "select" else super().check_action(action, parameters)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show which list the keys go to."""
        super().watch_has_focus(has_focus)
        if self._pointed is not None and self._pointed < len(self.rows):
            self.replace_option_prompt_at_index(self._pointed, self._prompt(self.rows[self._pointed], True))

    def on_resize(self, _: events.Resize) -> None:
        """Build the rows anew for the new width."""
        if self.rows or self.empty:
            self.set_rows(self.rows)

    def _room(self) -> int:
        return max(8, self.scrollable_content_region.width - len(INDENT))

    def _prompt(self, row: Row, pointed: bool) -> Content:
        lines = row.build(self._room()).split("\n")
        pointer = (POINTER if self.has_focus else RESTING_POINTER) if pointed else INDENT
        first = Content(pointer) + lines[0]
        return Content("\n").join([first, *(Content(INDENT) + line for line in lines[1:])])


def fit(text: str, width: int) -> str:
    """Return text of exactly `width` cells; what is cut off leaves an ellipsis."""
    if width <= 0:
        return ""
    text = shown(text)
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def fit_path(path: str, width: int) -> str:
    """Return a path of exactly `width` cells; of a long one the middle is left out, for names differ at their ends."""
    path = shown(path)
    if cell_len(path) <= width or width < 8:
        return fit(path, width)
    head = width // 3
    tail = path
    while cell_len(tail) > width - head - 1:
        tail = tail[1:]
    return set_cell_size(set_cell_size(path, head) + "…" + tail, width)


def wrap(text: str, width: int, *, indent: str = "") -> str:
    """Return text broken at spaces into lines of at most `width` cells."""
    paragraphs = [shown(paragraph) for paragraph in text.split("\n")]
    return "\n".join(
        line
        for paragraph in paragraphs
        for line in textwrap.wrap(
            paragraph, max(8, width), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )
        or [""]
    )


def rule_heading(title: str) -> Callable[[int], Content]:
    """Return the build function of a heading that fills its line."""
    return lambda width: Content.styled(f"{title} ".ljust(width, "─"), "$foreground-muted")


def shares(width: int, fixed: Sequence[int], *, gap: int = 1) -> int:
    """Return what is left of `width` for one more column beside those of fixed widths."""
    return max(0, width - sum(fixed) - gap * len(fixed))
