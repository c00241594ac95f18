"""Clips longer than the window that a backbone was pretrained on, cut into windows and put together again.

Only which sample belongs to which window is decided here; it follows from the lengths of the clips alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """The windows of a batch, clip after clip."""

    clips: Tensor
    """(windows,) the clip that each belongs to."""
    starts: Tensor
    """(windows,) its first sample."""
    lengths: Tensor
    """(windows,) its samples."""

    def cut(self, waveforms: Tensor) -> Tensor:
        """Return (windows, samples) of waveforms (clips, samples), zero after the end of each."""
        places = torch.arange(int(self.lengths.max()), device=waveforms.device)
        inside = places[None] < self.lengths[:, None]
        sources = (self.starts[:, None] + places[None]).clamp(max=waveforms.shape[1] - 1)
        return waveforms[self.clips[:, None], sources].masked_fill(~inside, 0)

    def joined(self, rows: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return (clips, tokens, features) and the tokens of each clip, from the first `counts` of each window."""
        sizes = self.summed(counts)
        if len(self.clips) == len(sizes):
            return rows, sizes
        parts: list[list[Tensor]] = [[] for _ in sizes]
        for clip, row, count in zip(self.clips.tolist(), rows, counts.tolist(), strict=True):
            parts[clip].append(row[:count])
        return torch.nn.utils.rnn.pad_sequence([torch.cat(part) for part in parts], batch_first=True), sizes

    def summed(self, counts: Tensor) -> Tensor:
        """Return (clips,) the sum over the windows of each clip."""
        return torch.zeros(int(self.clips[-1]) + 1, dtype=counts.dtype, device=counts.device).index_add(
            0, self.clips, counts
        )

    def parted(self, tokens: Tensor, counts: Tensor) -> Tensor:
        """Return (windows, tokens, features): the inverse of `joined`."""
        if len(self.clips) == len(tokens):
            return tokens
        rows, taken = [], [0] * len(tokens)
        for clip, count in zip(self.clips.tolist(), counts.tolist(), strict=True):
            rows.append(tokens[clip, taken[clip] : taken[clip] + count])
            taken[clip] += count
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def windows_of(lengths: Tensor, longest: int | None, shortest: int) -> Windows:
    """Cut clips every `longest` samples; what is left at the end counts from `shortest` samples on.

    Args:
        lengths: (clips,) samples of each clip.
        longest: samples of a window; None leaves every clip whole.
        shortest: samples that the backbone needs; a shorter clip is one window of that length.
    """
    everyone = torch.arange(len(lengths), device=lengths.device)
    if longest is None or bool((lengths <= longest).all()):
        return Windows(everyone, torch.zeros_like(lengths), lengths.clamp(min=shortest))
    found = [(clip, start, min(length - start, longest))
             for clip, length in enumerate(lengths.tolist())
             for start in range(0, max(length - shortest, 0) + 1, longest)]  # fmt: skip
    clips, starts, sizes = torch.tensor(found, device=lengths.device).T
    return Windows(clips, starts, sizes.clamp(min=shortest))
