"""A plot of a few series: colours the lines that `engine.curves` draws; computes nothing."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from engine.curves import Series, curve_runs

STYLES = ("$text-primary", "$accent", "$success", "$error", "$foreground")


class Curve(Widget):
    """Curves of one quantity; the title of its border names the quantity."""

    def __init__(self, title: str, *, x_label: str = "step", id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.border_title = title
        self.x_label = x_label
        self.series: Series = {}

    def plot(self, series: Series) -> None:
        """Show these series from now on."""
        self.series = series
        self.refresh()

    def render(self) -> Content:
        """Draw them at the present size."""
        rows = curve_runs(self.series, self.size.width, self.size.height, x_label=self.x_label)
        lines = (Content.assemble(*((text, _style(owner)) for text, owner in row)) for row in rows)
        return Content("\n").join(lines)


def _style(owner: int | None) -> str:
    return "$foreground-muted" if owner is None else STYLES[owner % len(STYLES)]
