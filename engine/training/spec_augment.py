"""Which of a clip's frames are hidden from the layers that learn (SpecAugment), without hiding a short clip itself.

The stock networks draw at least two spans of ten frames whatever the length: 0.83 of a clip of 0.25 s (training.md
2.3). Here spans shrink with the clip and end at a share that the plan names. What is hidden follows from (seed, epoch,
clip) alone. Nothing here learns or touches sound.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

from engine.plan_sections import Augmentation

_SPAN = 10
"""Frames of a span, as in pretraining (Baevski et al. 2020); fewer where the clip's share holds no whole one."""
_STREAM = zlib.crc32(b"hidden")


class Masking:
    """What is hidden of the clips of one pass."""

    def __init__(self, chosen: Augmentation, seed: int, epoch: int, clips: Tensor) -> None:
        """Take the plan's shares and what random numbers follow from; `clips` (batch,) are rows of the manifest."""
        self.share, self.most = chosen.mask_share, chosen.mask_most
        self._keys = [(seed, epoch, clip) for clip in clips.tolist()]

    def hidden(self, lengths: Tensor, total: int) -> Tensor:
        """Return (batch, total): True where a token is hidden, for clips of `lengths` (batch,) tokens."""
        hidden = torch.zeros(len(lengths), total, dtype=torch.bool)
        for row, (key, length) in enumerate(zip(self._keys, lengths.tolist(), strict=True)):
            random = np.random.default_rng([*key, _STREAM])
            for start, stop in _spans(length, self.share, self.most, random):
                hidden[row, start:stop] = True
        return hidden.to(lengths.device)


def masking_of(chosen: Augmentation, key: tuple[int, int, Tensor]) -> Masking | None:
    """Return what the plan hides of clips, by (seed, epoch, clips); None where it hides nothing."""
    seed, epoch, clips = key
    return Masking(chosen, seed, epoch, clips) if chosen.mask_share else None


def _spans(length: int, share: float, most: float, random: np.random.Generator) -> list[tuple[int, int]]:
    """Return spans that together cover about `share` of `length` and never more than `most` of it."""
    room = int(most * length)
    width = min(_SPAN, room)
    if not width:
        return []
    # A share that is no whole number of spans is met on average.
    wanted = int(share * length / width + random.random())
    count = min(wanted, room // width)
    return [(start, start + width) for start in random.integers(0, length - width + 1, count).tolist()]
