"""Everything that is measured of a script, as facts; what it means stands in the rulebook."""

from __future__ import annotations

from knowledge.records import Measured

from ..script import Script
from .adapters import measure_adapters
from .augmenting import measure_augmenting
from .batches import measure_batches
from .clipping import measure_clipping
from .context import measure_context
from .decay import measure_decay, measure_rates
from .dropout import measure_dropout
from .evaluation import measure_evaluation
from .freezing import measure_freezing
from .gone import measure_gone
from .halves import measure_halves
from .head import measure_pooling
from .held_out import measure_held_out
from .idle import measure_idle
from .layers import measure_input, measure_layers
from .life import measure_optimizer_state, measure_registry, measure_resume
from .losses import measure_losses
from .masking import measure_masking
from .order import measure_order
from .padding import measure_padding
from .precision import measure_precision
from .rate import measure_rate
from .reach import measure_reach
from .records import measure_settings_saved, measure_versions
from .reporting import measure_reports, measure_target
from .rounds import measure_clearing, measure_rounds
from .schedule import measure_schedule, measure_stepping, measure_warm_up
from .searching import measure_searching
from .seeds import measure_determinism, measure_seeds, measure_workers
from .selection import measure_selection
from .splits import measure_splits
from .stack import measure_stack
from .stopping import measure_stopping
from .traps import measure_traps
from .undefined import measure_undefined
from .unreached import measure_unreached


def measure_script(script: Script) -> Measured:
    """Return all facts about a script, and what reading it does not tell."""
    measured = Measured()
    for measure in _MEASURES:
        measured += measure(script)
    return measured


_MEASURES = (
    measure_clipping,
    measure_augmenting,
    measure_held_out,
    measure_losses,
    measure_order,
    measure_padding,
    measure_rate,
    measure_splits,
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
    measure_stack,
    measure_traps,
    measure_searching,
    measure_masking,
    measure_batches,
    measure_adapters,
    measure_halves,
    measure_reach,
    measure_unreached,
    measure_idle,
    measure_context,
    measure_undefined,
    measure_seeds,
    measure_determinism,
    measure_workers,
    measure_settings_saved,
    measure_versions,
    measure_gone,
    measure_optimizer_state,
    measure_resume,
    measure_registry,
)
