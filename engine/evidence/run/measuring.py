"""Small helpers that turn numbers from curves into facts with evidence; decides nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable

from knowledge.records import Evidence, Fact, Measured, Unknown, Value

from .series import Series

MOST_EVIDENCE = 20


def known(name: str, value: Value, *, n: int | None = None, evidence: Iterable[Evidence] = ()) -> Measured:
    """Return one fact from a log; a number that is not finite becomes unknown."""
    if isinstance(value, float) and not math.isfinite(value):
        return unknown("the number is not finite", name)
    return Measured((Fact(name, value, "log", n=n, evidence=tuple(evidence)[:MOST_EVIDENCE]),))


def unknown(reason: str, *names: str) -> Measured:
    """Return that none of the names could be established, for one reason."""
    return Measured(unknown=tuple(Unknown(name, reason) for name in names))


def point(series: Series, position: int) -> Evidence:
    """Cite one point of a curve."""
    value = float(series.y[position])
    shown = value if math.isfinite(value) else None
    text = f"{series.name} {value:.4g} at {series.place(position)}"
    return Evidence(text, step=int(series.at[position]), value=shown)
