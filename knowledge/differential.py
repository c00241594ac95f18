"""The form of a differential diagnosis: causes that compete for findings, what speaks for and against each, and the
test that would tell it from the others. Weighs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from .conditions import Clause
from .schema import Document, Texts

Standing = Literal["asserted", "supported", "possible", "unlikely", "excluded"]
STANDINGS: tuple[Standing, ...] = ("asserted", "supported", "possible", "unlikely", "excluded")
"""From what was shown to what was refuted; the two ends need decisive evidence."""
CauseId = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$")]


class StandingExample(Document):
    """A case, and how the cause stands in it."""

    given: dict[str, bool | int | float | str]
    standing: Standing


class CauseDocument(Document):
    """One cause, as it is written."""

    cause: CauseId
    says: str
    """What may have brought the findings about, as a sentence that stands alone."""
    explains: Texts
    """Ids of the findings that it brings about."""
    asserted_when: list[dict[str, Any]] = Field(default_factory=list)
    """All of this shows that it is so: the configuration itself, a count, or a test that was run."""
    excluded_when: list[dict[str, Any]] = Field(default_factory=list)
    """All of this shows that it is not so."""
    speaks_for: list[dict[str, Any]] = Field(default_factory=list)
    speaks_against: list[dict[str, Any]] = Field(default_factory=list)
    test: str
    """The next thing to do that tells this cause from the others, and what it would show."""
    settled_by: Texts = ()
    """Tests that the trainer runs on request (`tonmeister diagnose RUN --test NAME`)."""
    source: Texts
    examples: tuple[StandingExample, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause with its conditions parsed; each clause is one piece of evidence."""

    id: str
    text: str
    explains: tuple[str, ...]
    asserted_when: tuple[Clause, ...]
    excluded_when: tuple[Clause, ...]
    speaks_for: tuple[Clause, ...]
    speaks_against: tuple[Clause, ...]
    test: str
    settled_by: tuple[str, ...]
    sources: tuple[str, ...]
    examples: tuple[StandingExample, ...] = ()

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Everything that it asks about."""
        return (*self.asserted_when, *self.excluded_when, *self.speaks_for, *self.speaks_against)
