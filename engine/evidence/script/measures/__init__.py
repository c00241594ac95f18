"""Everything that is measured of a script, as facts; what it means stands in the rulebook."""

from __future__ import annotations

from knowledge.records import Measured

from ..script import Script
from .clipping import measure_clipping
from .decay import measure_decay, measure_rates
from .evaluation import measure_evaluation
from .freezing import measure_freezing
from .head import measure_dropout, measure_pooling
from .layers import measure_input, measure_layers
from .precision import measure_precision
from .reporting import measure_reports, measure_target
from .rounds import measure_clearing, measure_rounds
from .schedule import measure_schedule, measure_stepping, measure_warm_up
from .selection import measure_selection
from .stopping import measure_stopping


def measure_script(script: Script) -> Measured:
    """Return all facts about a script, and what reading it does not tell."""
    measured = Measured()
    for measure in _MEASURES:
        measured += measure(script)
    return measured


_MEASURES = (
    measure_clipping,
    measure_warm_up,
    measure_schedule,
    measure_stepping,
    measure_decay,
    measure_rates,
    measure_precision,
    measure_clearing,
    measure_rounds,
    measure_stopping,
    measure_selection,
    measure_target,
    measure_layers,
    measure_freezing,
    measure_input,
    measure_pooling,
    measure_dropout,
    measure_evaluation,
    measure_reports,
)
