"""What is not asked of a run because it has no evidence of that kind at all; judges no run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .conditions import Clause
from .schema import Document, RuleId, Texts


class ScopeDocument(Document):
    """A kind of evidence, how one sees that a run has none of it, and why nobody misses it there."""

    scope: RuleId
    title: str
    """What only such evidence shows, as it is told in one line."""
    evidence: Texts
    """How the names of its facts begin."""
    when: list[dict[str, Any]]
    because: str
    source: Texts


@dataclass(frozen=True, slots=True)
class Scope:
    """The same with its conditions parsed."""

    id: str
    title: str
    evidence: tuple[str, ...]
    when: tuple[Clause, ...]
    because: str
    sources: tuple[str, ...]

    def covers(self, fact: str) -> bool:
        """Whether a fact is of this kind of evidence."""
        return fact.startswith(self.evidence)
