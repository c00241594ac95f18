"""The constant first line: where one is, how much is known, which rules fired, on which device. Only shows."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

MODES = (
    ("plan", "F2 Plan"), ("audit", "F3 Audit"), ("review", "F4 Review"), ("diagnose", "F6 Diagnose"),
    ("loop", "F7 Loop"), ("rules", "F8 Rules"),
)  # fmt: skip


class Strip(Widget):
    """One line on top of every mode."""

    mode: reactive[str] = reactive("plan")
    facts: reactive[int] = reactive(0)
    fired: reactive[int] = reactive(0)
    device: reactive[str] = reactive("")

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.set_reactive(Strip.mode, mode)

    def render(self) -> Content:
        """Draw the modes on the left and the counts on the right."""
        tabs = [(f"[{label}]", "bold $accent") if name == self.mode else (f" {label} ", "") for name, label in MODES]
        left = Content.assemble(*tabs)
        right = f"{self.facts} facts · {self.fired} rules fired" + (f" · {self.device}" if self.device else "")
        room = self.size.width - left.cell_length
        if len(right) > room - 1:
            right = f"{self.facts} facts · {self.fired} fired"
        if len(right) > room - 1:
            right = f"{self.fired} rules fired"
        return left + Content.styled(right.rjust(room), "$foreground-muted")
