"""How many of the tensors that are to be trained got a gradient in the first steps, as the trainer counted them."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import RunSeries

_NAMES = ("run.trainable_tensors", "run.silent_tensors")
_SHOWN = 3


def census(run: RunSeries) -> Measured:
    """Return the count of trainable tensors and of those that got no gradient."""
    total, silent = run.meta.trainable_tensors, run.meta.silent_count
    if total is None:
        return unknown("nobody counted which tensors get a gradient", *_NAMES)
    shown = ", ".join(run.meta.silent_tensors[:_SHOWN])
    evidence = [Evidence(f"{silent} of {total} tensors got no gradient{': ' + shown if shown else ''}")]
    return known(_NAMES[0], total, evidence=evidence) + known(_NAMES[1], silent, n=total, evidence=evidence)
