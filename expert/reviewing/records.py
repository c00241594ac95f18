"""The records of a review report: what the command prints, the interface shows and SARIF carries; values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from knowledge.records import Evidence, Severity, Value
from knowledge.reviewing import Applicability, Implementation

State = Literal["present", "missing", "not-applicable", "undecidable"]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check with its state."""

    id: str
    dimension: str
    title: str
    state: State
    locations: tuple[Evidence, ...] = ()
    via: str = ""
    """How it is provided: explicit, helper, config, default or framework; empty unless it is there."""
    why: tuple[str, ...] = ()
    """Of an undecidable check: what reading does not tell."""
    decided_by: tuple[str, ...] = ()
    """Of an undecidable check: what would tell."""
    ask: str = ""
    """The question that settles it."""
    rule: str = ""
    advisory: bool = False


@dataclass(frozen=True, slots=True)
class FactHere:
    """A fact of this script or data set that a finding rests on or that shows what it means."""

    name: str
    value: Value
    means: str
    via: str = ""
    place: str = ""
    """`path:line`; empty when it stands nowhere."""


@dataclass(frozen=True, slots=True)
class Searched:
    """How far the search went that found nothing."""

    files: int
    calls: int
    unresolved_calls: int


@dataclass(frozen=True, slots=True)
class FixOffer:
    """A patch that is known for a finding; `expert.reviewing.fixes` writes it."""

    patch: str
    applicability: Applicability
    example: str = ""


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """One thing that is missing or wrong, as an engineer acts on it."""

    id: str
    """The check, or the id of the defect."""
    rule: str
    dimension: str
    title: str
    state: Literal["missing", "ineffective"]
    """`ineffective`: it is written, and without effect."""
    severity: Severity
    confidence: float
    rank: float
    """Severity by confidence by how much hangs on it here; higher is shown earlier."""
    what: str
    """What was looked for and not found, with the place."""
    why_here: str
    """What it means for this script."""
    why: str = ""
    """Why it matters in general."""
    locations: tuple[Evidence, ...] = ()
    """First where the fix goes."""
    facts: tuple[FactHere, ...] = ()
    searched: Searched = Searched(0, 0, 0)
    implementation: tuple[Implementation, ...] = ()
    recipe: str = ""
    fix: FixOffer | None = None
    confirmed: tuple[str, ...] = ()
    """What an audit of the data says about the same fault."""
    sources: tuple[str, ...] = ()
    fingerprint: str = ""
    advisory: bool = False

    @property
    def anchor(self) -> Evidence | None:
        """Where the fix goes; None when no line can be named."""
        return next((item for item in self.locations if item.path and item.line), None)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that somebody decided to live with."""

    finding: ReviewFinding
    reason: str
    by: str
    """`path:line` of the comment, `baseline`, or `settings`."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the reading itself: a file that does not parse, a suppression without effect or reason."""

    id: str
    text: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """Everything that a review tells."""

    root: str
    entry: str
    alternatives: tuple[str, ...]
    """Other files that might start the training."""
    launches: tuple[str, ...]
    """Commands that start the entry, as `path:line`."""
    configurations: tuple[str, ...]
    checks: tuple[CheckRow, ...]
    findings: tuple[ReviewFinding, ...]
    """Ranked, without advice, suppressed ones, and those that a baseline knows."""
    most_shown: int
    """How many of them are shown unless somebody asks for all."""
    advice: tuple[ReviewFinding, ...] = ()
    undecided: tuple[CheckRow, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    remarks: tuple[Remark, ...] = ()
    searched: Searched = field(default=Searched(0, 0, 0))

    @property
    def shown(self) -> tuple[ReviewFinding, ...]:
        """The findings that matter most."""
        return self.findings[: self.most_shown]
