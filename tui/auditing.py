"""What an audit was asked to do: its arguments, and the command line that does the same. Audits nothing, no Textual."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.evidence.dataset import Columns

PARTS = ("path", "label", "group", "split", "fold", "text", "session")
"""Parts that one column each can play, in the order in which they are shown."""
SINGLE = ("path", "label", "group", "split", "text", "session")
"""Parts that an option of the command line names."""
PLANNED = ("path", "label", "group", "split")
"""Parts that an option of `tonmeister plan` names."""


@dataclass(frozen=True)
class AuditRequest:
    """A data set and what its user says of it; what is not said is guessed."""

    manifest: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column by part; an empty name says that no column plays the part."""
    raters: tuple[str, ...] = ()
    task: str = ""
    scale: tuple[float, float] | None = None
    audio_root: Path | None = None
    manifest_only: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `audit_dataset`; only what was said."""
        said: dict[str, Any] = dict(self.columns)
        optional = {"raters": self.raters, "task": self.task, "scale": self.scale, "audio_root": self.audio_root}
        said |= {name: value for name, value in optional.items() if value}
        return said | ({"decode": False} if self.manifest_only else {})

    def plan_options(self) -> list[str]:
        """Return the words that `tonmeister plan` takes of what was said."""
        return [word for part, name in self.columns.items() if part in PLANNED for word in (f"--{part}", name)]

    def options(self) -> list[str]:
        """Return the words of the command line between its name and the manifest."""
        words = [word for part, name in self.columns.items() if part in SINGLE for word in (f"--{part}", name)]
        words += [word for name in self.raters for word in ("--rater", name)]
        words += ["--task", self.task] if self.task else []
        words += ["--scale", *(f"{end:g}" for end in self.scale)] if self.scale else []
        words += ["--audio-root", str(self.audio_root)] if self.audio_root else []
        return words + ["--manifest-only"] * self.manifest_only

    def command(self, *more: str) -> str:
        """Return the command line that audits the same."""
        return shlex.join(["tonmeister", "audit", *self.options(), *more, str(self.manifest)])

    def with_column(self, part: str, column: str) -> AuditRequest:
        """Return the request with another column for a part."""
        return replace(self, columns={**self.columns, part: column})


def columns_text(columns: Columns) -> str:
    """Return which column plays which part, and which of them was guessed."""
    parts = []
    for part in PARTS:
        name = getattr(columns, part, None)
        if name is not None:
            parts.append(f"{part} = {name}{' (guessed)' if part in columns.guessed else ''}")
    if raters := getattr(columns, "raters", ()):
        parts.append(f"raters = {' '.join(raters)}")
    return ", ".join(parts)
