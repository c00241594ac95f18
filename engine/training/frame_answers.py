"""Answers for every frame of a clip: how they are packed into one tensor, and what they say. Trains nothing.

A packed answer is (batch, frames, 1 + classes) float: first whether the frame belongs to the clip, as 1 or 0, then one
score for each class or symbol. So it is padded, stored and joined like any other answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.event_metrics import Event

_SMOOTHED_SECONDS = 0.2
"""Answers are the median over this long: shorter gaps and bursts are no events of their own. Syllables and barks last
longer."""


def packed(scores: Tensor, mask: Tensor) -> Tensor:
    """Return scores (batch, frames, classes) and mask (batch, frames) as one tensor."""
    return torch.cat([mask[..., None].to(scores.dtype), scores], dim=-1)


def unpacked(answers: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores (batch, frames, classes) and the frames of each clip (batch,)."""
    return answers[..., 1:], answers[..., 0].sum(-1).round().long()


def joined_answers(parts: Sequence[Tensor]) -> Tensor:
    """Return clips of several packed answers (some, frames, 1 + classes) as one."""
    longest = max(part.shape[1] for part in parts)
    return torch.cat([torch.nn.functional.pad(part, (0, 0, 0, longest - part.shape[1])) for part in parts])


def frame_targets(labels: Tensor, frames: int, classes: int, frame_seconds: float) -> Tensor:
    """Return (batch, frames, classes): 1 where an event covers the middle of the frame.

    Args:
        labels: (batch, events, 3) begin and end in seconds and class; a class of -1 is none.
        frames: to the end of the longest clip.
        classes: how many there are.
        frame_seconds: between two frames.
    """
    middles = (torch.arange(frames, device=labels.device) + 0.5) * frame_seconds
    covers = (labels[..., None, 0] <= middles) & (middles < labels[..., None, 1])  # (batch, events, frames)
    of_class = labels[..., 2, None] == torch.arange(classes, device=labels.device)  # (batch, events, classes)
    found = torch.einsum("bef,bec->bfc", covers.float(), of_class.float())
    return found.clamp(max=1)


def heard_symbols(answer: Tensor) -> tuple[int, ...]:
    """Return the symbols of one clip (frames, 1 + symbols): the best of each frame, repeats as one, without blanks."""
    scores, frames = unpacked(answer)
    best = torch.unique_consecutive(scores[: int(frames)].argmax(-1))
    return tuple(best[best > 0].tolist())


def heard_events(answer: Tensor, frame_seconds: float) -> tuple[Event, ...]:
    """Return the events of one clip (frames, 1 + classes): where a class is more likely than not, smoothed."""
    scores, frames = unpacked(answer)
    active = _smoothed((scores[: int(frames)] > 0).numpy(), round(_SMOOTHED_SECONDS / frame_seconds))
    steps = np.diff(active.astype(np.int8), axis=0, prepend=0, append=0)
    begins, ends = (np.argwhere(sign == steps.T) for sign in (1, -1))  # rows (class, frame), in the same order
    return tuple(
        sorted(
            Event(float(begin) * frame_seconds, float(end) * frame_seconds, int(number))
            for (number, begin), (_, end) in zip(begins, ends, strict=True)
        )
    )


def _smoothed(active: NDArray[np.bool_], frames: int) -> NDArray[np.bool_]:
    """Return the median of (frames, classes) over an odd number of frames, the border counting as it is."""
    half = min(frames, len(active)) // 2
    if not half:
        return active
    padded = np.pad(active.astype(np.int64), ((half + 1, half), (0, 0)), mode="edge")
    padded[0] = 0
    sums = padded.cumsum(axis=0)
    smooth: NDArray[np.bool_] = (sums[2 * half + 1 :] - sums[: len(active)]) > half
    return smooth
