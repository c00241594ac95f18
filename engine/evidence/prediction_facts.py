"""Makes facts of what predictions measured, in one form for all kinds of answers. Measures nothing."""

from __future__ import annotations

import math

from knowledge.records import Evidence, Fact, Measured, Unknown, Value

SAMPLES = 1000
"""Bootstrap resamples (Efron & Tibshirani 1993 use 1000 for intervals)."""


def known(name: str, value: Value, n: int, *evidence: Evidence) -> Measured:
    """Return one fact; unknown where the number is none."""
    if isinstance(value, float) and not math.isfinite(value):
        return unknown("too few clips", name)
    return Measured((Fact(name, value, "predictions", n=n, evidence=evidence),))


def unknown(reason: str, *names: str) -> Measured:
    """Return facts that were looked for in vain."""
    return Measured(unknown=tuple(Unknown(name, reason) for name in names))
