"""Measures a run: every signal that its curves support, each a fact or an unknown with the reason."""

from __future__ import annotations

import numpy as np

from knowledge.records import Measured

from .carrying import carrying
from .census import census, frames
from .closing import closing
from .ending import ending
from .failing import failing
from .fit import levels, rise
from .groups import groups
from .guessing import guessing
from .instability import excursions, mislabelled
from .limits import Limits
from .pace import pace
from .progress import divergence, new_best, trends
from .quarters import quarters
from .scale import against_chance, scale
from .scaling import loss_scale
from .schedule import schedule
from .series import RunSeries
from .settling import settling
from .skill import constancy, regret, skill, wobble
from .stability import gradients, spikes
from .telemetry import telemetry
from .volume import nonfinite, volume

_SIGNALS = (
    volume, nonfinite, scale, against_chance, divergence, rise, levels, carrying, skill, constancy, regret, wobble,
    trends, new_best, schedule, gradients, guessing, excursions, mislabelled, ending, groups, census, frames, failing,
    loss_scale, pace, quarters, closing,
)  # fmt: skip
_COUNTING = (spikes, telemetry, settling)


@np.errstate(over="ignore", invalid="ignore")  # numbers at their limits are the log's, and nothing to warn of here
def measure_run(run: RunSeries, limits: Limits | None = None) -> Measured:
    """Return every fact `run.*` about one run.

    Args:
        run: what was logged.
        limits: from where on a point counts as something; those of the package's rulebook by default.
    """
    measured = Measured()
    for signal in _SIGNALS:
        measured += signal(run)
    for counting in _COUNTING:
        measured += counting(run, limits)
    return measured
