"""Encoding without contamination by padding: a clip's frames are the same alone and in a padded batch.

Backbones with a group norm in their first convolution take its statistics over the whole padded row, so that a clip's
frames depend on the longest clip of its batch (training.md 2.5). What a network needs is found by trying, not by its
version: as it is, with masked statistics, or, where neither is enough, one length at a time. Holds no weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

Strategy = Literal["as-is", "masked-norm", "equal-lengths"]

_TOLERANCE = 1e-4
"""Largest difference, relative to the largest value, that counts as equal: float32 over a dozen layers gives 1e-5."""


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """Return (batch, frames) bool: True where the frame belongs to the clip."""
    return torch.arange(frames, device=lengths.device)[None, :] < lengths[:, None]


def frame_lengths(samples: Tensor, convolutions: Sequence[tuple[int, int]]) -> Tensor:
    """Return (batch,) frames after a stack of unpadded convolutions, each (kernel, stride)."""
    for kernel, stride in convolutions:
        samples = torch.div(samples - kernel, stride, rounding_mode="floor") + 1
    return samples


def shortest_input(convolutions: Sequence[tuple[int, int]]) -> int:
    """Return the number of samples that give exactly one frame."""
    samples = 1
    for kernel, stride in reversed(convolutions):
        samples = (samples - 1) * stride + kernel
    return samples


class MaskedGroupNorm(nn.GroupNorm):
    """Group norm over the valid frames of each clip; with `lengths` None it is the ordinary one."""

    lengths: Tensor | None = None
    """(batch,) valid frames at this layer, set for the time of one forward pass."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the parent's name
        """Normalise (batch, channels, frames); padded frames come out as zeros."""
        if self.lengths is None:
            return super().forward(input)
        # Clip by clip: a fifth of the time of masked sums over the whole batch, and the very numbers of a clip alone.
        # Not nn.functional.group_norm, which refuses a clip of one frame.
        normed = torch.zeros_like(input)
        for row, length in enumerate(self.lengths.tolist()):
            clip = input[row : row + 1, :, :length]
            normed[row : row + 1, :, :length] = torch.group_norm(
                clip, self.num_groups, self.weight, self.bias, self.eps
            )
        return normed


def mask_group_norms(network: nn.Module) -> dict[str, MaskedGroupNorm]:
    """Put masked statistics in place of each group norm of the convolutions; return them by name."""
    found = {}
    for name, module in list(network.named_modules()):
        if type(module) is nn.GroupNorm and module.affine:
            masked = MaskedGroupNorm(module.num_groups, module.num_channels, module.eps)
            masked.weight, masked.bias = module.weight, module.bias
            masked.train(module.training)
            parent, _, attribute = name.rpartition(".")
            setattr(network.get_submodule(parent), attribute, masked)
            found[name] = masked
    return found


@contextmanager
def valid_lengths(norms: Sequence[tuple[MaskedGroupNorm, Tensor]]) -> Iterator[None]:
    """Tell each masked norm the valid frames at its layer for the time of one forward pass."""
    for norm, lengths in norms:
        norm.lengths = lengths
    try:
        yield
    finally:
        for norm, _ in norms:
            norm.lengths = None


def encode_equal_lengths(
    encode: Callable[[Tensor, Tensor], Tensor], rows: Tensor, sizes: Tensor, lengths: Tensor, total: int
) -> Tensor:
    """Encode clips of one length together and put the results side by side: exact for every network, but slower.

    Args:
        encode: rows (some, size, ...) without padding, and their lengths, to (some, tokens, features).
        rows: (batch, size, ...), padded.
        sizes: (batch,) how much of each row is its own.
        lengths: (batch,) samples of each clip.
        total: tokens of the longest result.
    """
    parts: dict[int, Tensor] = {}
    for length in lengths.unique().tolist():
        here = (lengths == length).nonzero()[:, 0]
        encoded = encode(rows[here, : int(sizes[here[0]])], lengths[here])
        padded = nn.functional.pad(encoded, (0, 0, 0, total - encoded.shape[1]))
        parts |= dict(zip(here.tolist(), padded, strict=True))
    return torch.stack([parts[row] for row in range(len(lengths))])


@torch.no_grad()
def is_padding_exact(encode: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], shortest: int) -> bool:
    """Try whether a short clip's frames survive a long neighbour; `encode` takes waveforms and lengths."""
    generator = torch.Generator().manual_seed(0)
    long, short = 12 * shortest, 5 * shortest
    waveforms = torch.randn(2, long, generator=generator)
    waveforms[1, short:] = 0
    together, mask = encode(waveforms, torch.tensor([long, short]))
    alone, _ = encode(waveforms[1:, :short], torch.tensor([short]))
    difference = (together[1][mask[1]] - alone[0]).abs().max()
    return bool(difference <= _TOLERANCE * alone.abs().max())
