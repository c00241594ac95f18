"""What the trainer itself found out about how a run failed: which clips give NaN, how small a pass found no memory."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import RunSeries

_SHOWN = 3


def failing(run: RunSeries) -> Measured:
    """Return what is known of a NaN and of a lack of memory; unknown where neither happened or nobody looked."""
    return _nan(run) + _memory(run)


def _nan(run: RunSeries) -> Measured:
    meta = run.meta
    if not meta.nan_located:
        return unknown("no trainer looked for the clips of a NaN", "run.nan_clips")
    shown = ", ".join(meta.nan_clips[:_SHOWN])
    where = f"; first in {meta.nan_layer}" if meta.nan_layer else ""
    text = f"{len(meta.nan_clips)} clips alone give a loss that is not a number{': ' + shown if shown else ''}{where}"
    return known("run.nan_clips", len(meta.nan_clips), evidence=[Evidence(text)])


def _memory(run: RunSeries) -> Measured:
    if run.meta.smallest_pass is None:
        return unknown("memory never ran out in a pass of training", "run.smallest_pass")
    text = f"memory was asked for a pass of {run.meta.smallest_pass} clips once it had run out"
    return known("run.smallest_pass", run.meta.smallest_pass, evidence=[Evidence(text)])
