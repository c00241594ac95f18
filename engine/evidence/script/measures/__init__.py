"""Everything that is measured of a script, as facts; what it means stands in the rulebook."""

from __future__ import annotations

from knowledge.records import Measured

from ..script import Script
from .clipping import measure_clipping


def measure_script(script: Script) -> Measured:
    """Return all facts about a script, and what reading it does not tell."""
    measured = Measured()
    for measure in _MEASURES:
        measured += measure(script)
    return measured


_MEASURES = (measure_clipping,)
