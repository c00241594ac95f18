"""Holds stated certainties against the outcomes of remedies and proposes new ones; writes nothing into the package.

The certainty of a rule is the prior, worth as many outcomes as the setting says: Beta(c n, (1 - c) n). Each remedy that
was tried alone and kept its promise counts for the rule that asked for it, each that did not counts against it. A
remedy may fail although the rule was right; therefore the prior weighs, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.rulebook import Knowledge

from .ledger import Outcome

INTERVAL = 0.9
"""The share of the posterior between `low` and `high`; a convention of reporting, nothing is decided by it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What outcomes say about one rule."""

    rule: str
    stated: float
    kept: int
    broken: int
    mean: float
    """Of the posterior."""
    low: float
    high: float
    proposed: float | None
    """A new certainty; None where there are too few outcomes, or they agree with what is stated."""


def calibrate(knowledge: Knowledge, outcomes: Iterable[Outcome]) -> tuple[Calibration, ...]:
    """Return what the outcomes say about each rule that they speak of, by id; only remedies tried alone count."""
    counts: dict[str, list[int]] = {}
    for one in {item.key: item for item in outcomes}.values():
        if one.alone and one.kept is not None:
            counts.setdefault(one.rule, [0, 0])[not one.kept] += 1
    rules = ((name, knowledge.rule(name)) for name in sorted(counts))
    return tuple(
        _calibration(name, rule.certainty, (counts[name][0], counts[name][1]), knowledge)
        for name, rule in rules
        if rule
    )


def overlay(calibrations: Iterable[Calibration]) -> str:
    """Return the proposals as a layer for the user's own knowledge folder; empty when there is none."""
    blocks = [
        f"- override: {one.rule}\n"
        f"  certainty: {one.proposed}\n"
        f"  reason: Of {one.kept + one.broken} remedies tried for it here, {one.kept} kept their promise "
        f"(stated {one.stated:g}, now between {one.low:.2f} and {one.high:.2f}).\n"
        for one in calibrations
        if one.proposed is not None
    ]
    return "\n".join(blocks)


def _calibration(rule: str, stated: float, counts: tuple[int, int], knowledge: Knowledge) -> Calibration:
    from scipy.special import betaincinv

    kept, broken = counts
    weight, least, change = (
        knowledge.settings[f"calibration.{name}"].least for name in ("prior-outcomes", "outcomes", "change")
    )
    alpha, beta = stated * weight + kept, (1 - stated) * weight + broken
    mean = alpha / (alpha + beta)
    # A stated certainty of 1 with no outcome against it leaves no doubt at all: the interval is the point 1.
    low, high = (
        float(betaincinv(alpha, beta, edge)) if beta > 0 else 1.0 for edge in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2)
    )
    proposed = round(mean, 2)
    enough = kept + broken >= least and round(abs(proposed - stated), 9) >= change
    return Calibration(rule, stated, kept, broken, mean, low, high, proposed if enough else None)
