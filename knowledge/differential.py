"""The form of a differential diagnosis: causes that compete for a finding, what speaks for and against each, and the
test that would tell them apart. Weighs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from .conditions import Clause
from .schema import Document, Texts


class CauseDocument(Document):
    """One cause, as it is written."""

    cause: str
    """What may have brought the finding about, as a clause that stands alone."""
    speaks_for: list[dict[str, Any]] = Field(default_factory=list)
    speaks_against: list[dict[str, Any]] = Field(default_factory=list)
    test: str
    """The next thing to do that tells this cause from the others, and what it would show."""
    source: Texts


class DifferentialDocument(Document):
    """The causes of one finding."""

    differential: str
    """Id of the finding."""
    causes: tuple[CauseDocument, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause with its conditions parsed; each clause is one piece of evidence."""

    text: str
    speaks_for: tuple[Clause, ...]
    speaks_against: tuple[Clause, ...]
    test: str
    sources: tuple[str, ...]
