"""Heads: the layers that are always trained, and the range of their answer. They see frames or pooled vectors only."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from engine import plan_sections

from .padding import frame_mask

_KERNEL = 5
"""Frames that a convolution of the temporal head sees: 50 ms of 10 ms frames, about one phone onset."""
_EDGE_SHARE = 0.01
"""Start values at least this share of the range away from its ends: the sigmoid is flat there."""


class LayerMix(nn.Module):
    """A learned average over the layers of a backbone (Yang et al. 2021, SUPERB)."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))

    def forward(self, frames: Tensor) -> Tensor:
        """Average (batch, frames, layers * features) to (batch, frames, features)."""
        stacked = frames.unflatten(-1, (len(self.weights), -1))
        return torch.einsum("btlf,l->btf", stacked, self.weights.softmax(0).to(stacked.dtype))


class TemporalEncoder(nn.Module):
    """Two convolutions and a recurrent layer over the frames: context for front ends whose frames have none."""

    def __init__(self, features: int, hidden: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.features = 2 * hidden
        self.stride = stride
        self.first = nn.Conv1d(features, hidden, _KERNEL, stride, _KERNEL // 2)
        self.second = nn.Conv1d(hidden, hidden, _KERNEL, 1, _KERNEL // 2)
        # Over the channels of one frame: statistics over frames would take in the padding.
        self.first_norm = nn.LayerNorm(hidden)
        self.second_norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (batch, frames, features) to (batch, frames / stride, 2 * hidden), with the new mask."""
        values = self._convolve(self.first, self.first_norm, frames, mask)
        lengths = torch.div(mask.sum(1) + self.stride - 1, self.stride, rounding_mode="floor")
        mask = frame_mask(lengths, values.shape[1])
        values = values + self._convolve(self.second, self.second_norm, values, mask)
        # Packed, so that the backward direction starts at each clip's own end.
        packed = pack_padded_sequence(self.dropout(values), lengths.cpu(), batch_first=True, enforce_sorted=False)
        encoded, _ = pad_packed_sequence(self.recurrent(packed)[0], batch_first=True, total_length=values.shape[1])
        return encoded, mask

    def _convolve(self, convolution: nn.Conv1d, norm: nn.LayerNorm, frames: Tensor, mask: Tensor) -> Tensor:
        values = convolution(frames.masked_fill(~mask[..., None], 0).transpose(1, 2)).transpose(1, 2)
        return nn.functional.gelu(norm(values))


def answer_layers(head: plan_sections.Head, features: int, outputs: int) -> nn.Sequential:
    """Return the layers from a pooled vector (batch, features) to (batch, outputs); the last one is linear."""
    if head.name == "mlp":
        hidden = [nn.Dropout(head.dropout), nn.Linear(features, head.hidden), nn.GELU(), nn.Dropout(head.dropout)]
        return nn.Sequential(*hidden, nn.Linear(head.hidden, outputs))
    return nn.Sequential(nn.Dropout(head.dropout), nn.Linear(features, outputs))


class UnitLength(nn.Module):
    """Brings every vector to length 1, so that only its direction counts (S004-05)."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Scale (batch, features)."""
        return nn.functional.normalize(vectors, dim=-1)


class BoundedOutput(nn.Module):
    """Predictions that cannot leave the range of the label: low + (high - low) * sigmoid(x) (S000-46)."""

    low: Tensor
    high: Tensor

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))

    def start_at(self, value: float, last: nn.Linear) -> None:
        """Set the bias of the last layer so that predictions start near `value`."""
        low, high = float(self.low), float(self.high)
        share = min(max((value - low) / (high - low), _EDGE_SHARE), 1 - _EDGE_SHARE)
        nn.init.constant_(cast(Tensor, last.bias), math.log(share / (1 - share)))

    def forward(self, answers: Tensor) -> Tensor:
        """Map (batch, 1) to (batch,) in the unit of the label."""
        return self.low + (self.high - self.low) * torch.sigmoid(answers[:, 0])


class StandardisedOutput(nn.Module):
    """Predictions in the unit of the label while the layers below see mean 0 and deviation 1."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(float(mean)))
        # Labels that are all equal have no deviation; 1 leaves them as they are.
        self.register_buffer("deviation", torch.tensor(float(deviation) if deviation > 0 else 1.0))

    def forward(self, answers: Tensor) -> Tensor:
        """Map (batch, 1) to (batch,) in the unit of the label."""
        return self.mean + self.deviation * answers[:, 0]
