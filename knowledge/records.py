"""The records that cross every boundary: facts, unknowns, findings; values only, no behaviour beyond rendering them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Value = bool | int | float | str
"""What one fact may hold."""

FactSource = Literal[
    "user", "audit", "plan", "log", "predictions", "telemetry", "machine", "script", "rule", "decision"
]
Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From worst to mildest."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a person can look up to check a claim."""

    text: str
    path: str | None = None
    line: int | None = None
    end_line: int | None = None
    cell: int | None = None
    """Of a notebook: the number of the cell, from 1; `line` then counts the lines of all code cells."""
    via: str = ""
    """Of a script: what brings it: the entry file, a helper, a configuration file, a default or a framework."""
    step: int | None = None
    value: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One attribute of one subject, as somebody or something established it."""

    name: str
    """Name in the vocabulary, such as `dataset.clips`."""
    value: Value
    source: FactSource
    subject: str = ""
    """Empty for the case under consultation; `split:test`, `run:NAME`, `clip:PATH` for one of several. Rules read
    only facts without a subject; facts with one serve reports."""
    n: int | None = None
    """How many items the value rests on."""
    evidence: tuple[Evidence, ...] = ()
    """At most twenty telling examples."""
    paths: tuple[str, ...] = ()
    """Every clip that the value counts, as written in the manifest."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that was looked for and could not be established, with the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What one measurement brought: facts, and what it could not tell."""

    facts: tuple[Fact, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.facts + other.facts, self.unknown + other.unknown)

    def get(self, name: str) -> Value | None:
        """Return the value of the fact `name` without a subject, or None when it is unknown."""
        return next((fact.value for fact in self.facts if fact.name == name and not fact.subject), None)


@dataclass(frozen=True, slots=True)
class Finding:
    """A symptom or fault that a rule reported."""

    id: str
    """Canonical id, such as `overfitting` or `group-overlap`."""
    severity: Severity
    confidence: float
    """0 to 1: of ten such reports, how many would an expert agree with."""
    title: str
    because: str
    rule: str
    sources: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    paths: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    """Ids of the remedies that may be applied here, best first."""
    location: Evidence | None = None


@dataclass(frozen=True, slots=True)
class NotAssessable:
    """A finding that could be neither reported nor excluded, with what it would need."""

    id: str
    needs: tuple[str, ...] = field(default_factory=tuple)
    rule: str = ""
    scope: str = ""
    """The kind of evidence that it needs and that this run plainly has none of; empty where it is worth supplying."""
