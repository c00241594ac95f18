"""What users add to, change in or silence of the packaged knowledge, as records for explanations; reads no files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LayerName = Literal["package", "entry point", "team", "project"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One folder of knowledge; a later layer has the last word over an earlier one."""

    name: LayerName
    root: Path
    shown: str = ""
    """What stands before the names of its files in messages."""
    owner: str = ""
    """Who speaks where a document names nobody."""


@dataclass(frozen=True, slots=True)
class Own:
    """One thing that a layer above the package added, overrode or silenced."""

    id: str
    what: Literal["added", "overridden", "silenced"]
    kind: str
    """`rule`, `row`, `check`, `remedy`, `fact`, `source` and so on."""
    layer: LayerName
    by: str
    reason: str
    file: str
    line: int
    said: tuple[str, ...] = ()
    """What it replaces: each key with its value, as written there."""
    says: tuple[str, ...] = ()
    """What stands there now."""
    package_file: str = ""
    package_line: int = 0

    @property
    def place(self) -> str:
        """Where it is written."""
        return f"{self.file}:{self.line}"

    @property
    def mark(self) -> str:
        """What stands beside its name: what was done to it, and who did it."""
        who = "" if self.by in ("", self.layer) else f", {self.by}"
        return f"{self.what} by the {self.layer}{who}"

    def sentence(self) -> str:
        """Say it in one sentence: who, where, why, and what it replaces."""
        who = f"by the {self.layer} ({self.by}, {self.place})"
        if self.what == "added":
            return f"The {self.kind} {self.id} was added {who}."
        before = f"; before it said {', '.join(self.said)}, and now {', '.join(self.says)}" if self.said else ""
        return f"The {self.kind} {self.id} is {self.what} {who}: {self.reason.rstrip('.')}{before}."

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "id": self.id,
            "what": self.what,
            "kind": self.kind,
            "layer": self.layer,
            "by": self.by,
            "reason": self.reason,
            "file": self.file,
            "line": self.line,
            "said": list(self.said),
            "says": list(self.says),
            "package_file": self.package_file,
            "package_line": self.package_line,
        }
