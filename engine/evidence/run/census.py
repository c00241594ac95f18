"""What the trainer counted as it began: tensors that got a gradient, and clips that CTC can learn from."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import RunSeries

_NAMES = ("run.trainable_tensors", "run.silent_tensors")
_FRAMES = "run.frame_poor_share"
_SHOWN = 3


def census(run: RunSeries) -> Measured:
    """Return the count of trainable tensors and of those that got no gradient."""
    total, silent = run.meta.trainable_tensors, run.meta.silent_count
    if total is None:
        return unknown("nobody counted which tensors get a gradient", *_NAMES)
    shown = ", ".join(run.meta.silent_tensors[:_SHOWN])
    evidence = [Evidence(f"{silent} of {total} tensors got no gradient{': ' + shown if shown else ''}")]
    return known(_NAMES[0], total, evidence=evidence) + known(_NAMES[1], silent, n=total, evidence=evidence)


def frames(run: RunSeries) -> Measured:
    """Return the share of clips whose frames are fewer than their transcript needs."""
    if run.meta.frame_poor is None:
        return unknown("nobody counted frames against transcripts", _FRAMES)
    poor, clips = run.meta.frame_poor
    evidence = [Evidence(f"{poor} of {clips} training clips have fewer frames than their transcript needs")]
    return known(_FRAMES, min(poor / clips, 1.0), n=clips, evidence=evidence)
