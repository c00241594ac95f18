"""The records of an improvement loop: rounds, scores, proposals and what came of them; no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.plan import Plan
from knowledge.records import Finding, NotAssessable
from knowledge.rulebook import Remedy

RoundKind = Literal["first", "baseline", "challenger"]
"""`first`: the plan as given. `baseline`: the old config on changed data, the new model to beat. `challenger`: an
attempt to beat the champion."""
Verdict = Literal["champion", "rejected", "failed"]


@dataclass(frozen=True, slots=True)
class Score:
    """A metric on the predictions of one split, higher is better, with its 95 % bootstrap interval over clips."""

    metric: str
    value: float
    low: float
    high: float
    clips: int

    def __str__(self) -> str:
        return f"{self.metric} {self.value:.3f} {self.interval()}"

    def interval(self, sign: str = "") -> str:
        """Return the interval in words, `sign` "+" for a difference; drawings that all agree, as on a few clips without
        an error, have no width that means anything."""
        if self.low == self.high:
            return f"[no interval on {self.clips} clips]"
        return f"[{self.low:{sign}.3f}, {self.high:{sign}.3f}]"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One remedy that may be applied to the champion's plan, because of one finding."""

    finding: Finding
    remedy: Remedy
    plan: Plan
    """The plan after this remedy alone."""
    diff: tuple[str, ...]
    seen_in: int = 0
    """The rejected round that showed the finding, where it was not the champion's own."""

    @property
    def because(self) -> str:
        """The finding that it answers, and where it was seen if that was elsewhere."""
        elsewhere = f", seen in round {self.seen_in}, which was rejected for another change" if self.seen_in else ""
        return f"{self.finding.id} (rule {self.finding.rule}){elsewhere}"


@dataclass(frozen=True, slots=True)
class Round:
    """One training run that the loop asks for."""

    number: int
    kind: RoundKind
    plan: Plan
    run: Path
    changes: tuple[Proposal, ...]
    """What distinguishes this plan from that of the champion; empty for the first."""


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round brought."""

    round: Round
    verdict: Verdict
    score: Score | None
    """On the validation split; None when the run ended without predictions."""
    gain: Score | None
    """Score minus that of the champion it challenged, with the paired interval; None where nothing is comparable."""
    findings: tuple[Finding, ...]
    not_assessable: tuple[NotAssessable, ...]
    proposals: tuple[Proposal, ...]
    """What could be tried next, best first."""
    actions: tuple[tuple[Finding, Remedy], ...]
    """Remedies that only a person can carry out."""
    status: str
    """How training ended, as in the `end` event."""
    seconds: float


@dataclass(frozen=True, slots=True)
class LoopResult:
    """The whole loop."""

    reports: tuple[RoundReport, ...]
    champion: RoundReport | None
    before: RoundReport | None
    """The plan as given, trained on the data that the champion was trained on."""
    pretended: Score | None
    """The first score, where a leak or another data fault later voided it."""
    test: dict[str, Score]
    """Scores on the test split, opened once at the end, by `before` and `after`."""
    test_gain: Score | None
    stopped_because: str
