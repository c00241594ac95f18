"""The command line that does the same as the screen above it; shows it, runs nothing."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from .rows import fit


class CommandLine(Widget):
    """One line; what does not fit is shown by ctrl+y."""

    command: reactive[str] = reactive("", layout=False)

    def render(self) -> Content:
        """Draw prompt and command."""
        hint = " ^y all" if len(self.command) > self.size.width - 2 else ""
        text = fit(self.command, self.size.width - 2 - len(hint))
        return Content.assemble(("$ ", "$foreground-muted"), text, (hint, "$foreground-muted"))
