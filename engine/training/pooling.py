"""Pooling: from the frames of a clip to one vector. Padded frames have no influence."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from engine import plan_sections

_LEAST_VARIANCE = 1e-5
"""Added under the square root: its slope at zero is infinite, and a clip of one frame has no variance."""
_LEAST_DEVIATION = 1e-4
"""Below this a pooled value is rounding noise, and dividing by it would make noise loud."""
_ATTENTION_UNITS = 64
"""Width of the scoring layer: enough for one score a frame at a cost below that of the head."""


class MeanPooling(nn.Module):
    """The mean of the clip's frames; what happened when is lost (S000-17a)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Pool (batch, frames, features) under a mask (batch, frames) to (batch, features)."""
        return _mean(frames, mask)


class StatisticsPooling(nn.Module):
    """Mean and deviation of the clip's frames (Snyder et al. 2018, x-vectors), and how many frames there are.

    The other statistics are the same for a clip played twice in a row, so the length must be said: how long somebody
    takes for a sentence tells more of fluency than any of them.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = 2 * features + 1

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Pool (batch, frames, features) under a mask (batch, frames) to (batch, 2 * features + 1)."""
        mean = _mean(frames, mask)
        variance = _mean((frames - mean[:, None]).square(), mask)
        length = mask.sum(1, keepdim=True).clamp(min=1).to(frames.dtype).log()
        return torch.cat([mean, (variance + _LEAST_VARIANCE).sqrt(), length], dim=-1)


class AttentionPooling(nn.Module):
    """A mean whose weights are learned from each frame (Yang et al. 2016; S000-17b)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features
        self.hidden = nn.Linear(features, _ATTENTION_UNITS)
        # No bias: it would shift all scores alike and change nothing.
        self.score = nn.Linear(_ATTENTION_UNITS, 1, bias=False)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Pool (batch, frames, features) under a mask (batch, frames) to (batch, features).

        A row without any valid frame gives zeros.
        """
        return torch.einsum("bt,btf->bf", self.weights(frames, mask).to(frames.dtype), frames)

    def weights(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, frames): how much each frame counts; they add up to 1."""
        scores = self.score(torch.tanh(self.hidden(frames)))[..., 0]
        # The lowest number instead of minus infinity, which gives NaN where no frame is valid.
        return cast(Tensor, scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1).masked_fill(~mask, 0))


class AttentiveStatisticsPooling(nn.Module):
    """Mean and deviation of the clip's frames under weights that are learned (Okabe et al. 2018), and how many.

    One set of weights serves both, so that the deviation is that of the frames that count.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = 2 * features + 1
        self.attention = AttentionPooling(features)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Pool (batch, frames, features) under a mask (batch, frames) to (batch, 2 * features + 1)."""
        weights = self.attention.weights(frames, mask).to(frames.dtype)
        mean = torch.einsum("bt,btf->bf", weights, frames)
        # About the mean: the difference of two large squares would be rounding noise.
        variance = torch.einsum("bt,btf->bf", weights, (frames - mean[:, None]).square())
        length = mask.sum(1, keepdim=True).clamp(min=1).to(frames.dtype).log()
        return torch.cat([mean, (variance + _LEAST_VARIANCE).sqrt(), length], dim=-1)


class HierarchicalPooling(nn.Module):
    """Attention over the frames of each segment, then over the segments (S000-17c)."""

    def __init__(self, features: int, segment_frames: int) -> None:
        super().__init__()
        self.features = features
        self.segment_frames = segment_frames
        self.frames = AttentionPooling(features)
        self.segments = AttentionPooling(features)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Pool (batch, frames, features) under a mask (batch, frames) to (batch, features)."""
        batch, count, features = frames.shape
        missing = -count % self.segment_frames
        frames = nn.functional.pad(frames, (0, 0, 0, missing))
        mask = nn.functional.pad(mask, (0, missing))
        parts = mask.reshape(-1, self.segment_frames)  # (batch * segments, frames of a segment)
        pooled = self.frames(frames.reshape(-1, self.segment_frames, features), parts)
        return cast(Tensor, self.segments(pooled.view(batch, -1, features), parts.any(-1).view(batch, -1)))


class PooledScale(nn.Module):
    """Brings each pooled value to mean 0 and deviation 1 over the training clips, fitted once.

    Means of differences are a hundred times smaller than means of energies; without this a head of few steps sees only
    the large ones. Ridge regression on pooled features standardises for the same reason.
    """

    mean: Tensor
    deviation: Tensor
    fitted: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.register_buffer("fitted", torch.tensor(False))

    def fit(self, pooled: Tensor) -> None:
        """Take mean and deviation from (clips, features); a value that never changes is left as it is."""
        self.mean.copy_(pooled.mean(0))
        deviation = pooled.std(0, unbiased=False)
        self.deviation.copy_(torch.where(deviation > _LEAST_DEVIATION, deviation, torch.ones_like(deviation)))
        self.fitted.fill_(True)

    def forward(self, pooled: Tensor) -> Tensor:
        """Standardise (batch, features)."""
        return (pooled - self.mean) / self.deviation


Pooling = MeanPooling | StatisticsPooling | AttentionPooling | AttentiveStatisticsPooling | HierarchicalPooling


def make_pooling(pooling: plan_sections.Pooling, features: int, frame_seconds: float) -> Pooling:
    """Return the pooling of a plan for frames of `features` values that are `frame_seconds` apart."""
    if pooling.name == "mean":
        return MeanPooling(features)
    if pooling.name == "statistics":
        return StatisticsPooling(features)
    if pooling.name == "attention":
        return AttentionPooling(features)
    if pooling.name == "attentive-statistics":
        return AttentiveStatisticsPooling(features)
    return HierarchicalPooling(features, max(round(pooling.segment_seconds / frame_seconds), 1))


def _mean(frames: Tensor, mask: Tensor) -> Tensor:
    if frames.shape[1] == 1:
        return frames[:, 0]  # every clip has at least one frame
    weight = mask[..., None].to(frames.dtype)
    return (frames * weight).sum(1) / weight.sum(1).clamp(min=1)
