"""WavLM's attention written so that adapters learn in it and fused kernels run it; the weights keep their names.

The stock module hands the weights of its projections to one function. An adapter that wraps a projection's `forward` is
then never called: nothing of it learns, and merging it changes the answers (training.md 2.1). The stock module also
keeps the attention weights of every head, and a copy of the position bias for every clip.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

_TOLERANCE = 1e-4
"""Largest difference from the stock module, relative to the largest value, that counts as equal in float32."""
_PROBE_FRAMES = 24


class GatedAttention(nn.Module):
    """Self-attention with WavLM's gated relative position bias (Chen et al. 2022)."""

    def __init__(self, stock: Any) -> None:
        super().__init__()
        self.heads: int = stock.num_heads
        self.dropout: float = stock.dropout
        self.q_proj: nn.Module = stock.q_proj
        self.k_proj: nn.Module = stock.k_proj
        self.v_proj: nn.Module = stock.v_proj
        self.out_proj: nn.Module = stock.out_proj
        self.gru_rel_pos_linear: nn.Module = stock.gru_rel_pos_linear
        self.gru_rel_pos_const: nn.Parameter = stock.gru_rel_pos_const
        self._bucket_of = stock._relative_positions_bucket
        if hasattr(stock, "rel_attn_embed"):
            self.rel_attn_embed = stock.rel_attn_embed
        self.train(stock.training)

    def position_bias(self, frames: int) -> Tensor:
        """Return (heads, 2 * frames - 1): what each distance, from 1 - frames on, adds to the score of two frames."""
        embed = self.rel_attn_embed
        distances = torch.arange(1 - frames, frames, device=embed.weight.device)
        by_distance: Tensor = embed(self._bucket_of(distances)).T
        return by_distance.contiguous()

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
        index: int = 0,
        **_: object,
    ) -> tuple[Tensor, None, Tensor]:
        """Attend from every frame to every frame.

        Args:
            hidden_states: (batch, frames, features).
            attention_mask: (batch, frames) or (batch, 1, 1, frames), true where to look; or None.
            position_bias: (heads, 2 * frames - 1) by distance; None computes it here.
            index: of the layer; not needed.
        """
        batch, frames, _features = hidden_states.shape
        bias = self.position_bias(frames) if position_bias is None else position_bias
        # Queries from the last to the first: their rows of the bias are then windows of one line that move on by one,
        # and the matrix of all distances need not exist.
        backwards = hidden_states.flip(1)
        gates = self.gru_rel_pos_linear(backwards.view(batch, frames, self.heads, -1).transpose(1, 2))
        gates = gates.unflatten(-1, (2, 4)).sum(-1).sigmoid()
        gate = gates[..., :1] * (gates[..., 1:] * self.gru_rel_pos_const - 1.0) + 2.0
        scores = gate * bias.unfold(1, frames, 1)
        if attention_mask is not None:
            looked_at = attention_mask[:, None, None] if attention_mask.ndim == 2 else attention_mask
            scores = scores.masked_fill(~looked_at, -torch.inf)
        query, key, value = (
            projection(states).view(batch, frames, self.heads, -1).transpose(1, 2)
            for projection, states in (
                (self.q_proj, backwards), (self.k_proj, hidden_states), (self.v_proj, hidden_states)
            )
        )  # fmt: skip
        dropout = self.dropout if self.training else 0.0
        attended = nn.functional.scaled_dot_product_attention(query, key, value, scores.to(query.dtype), dropout)
        answer: Tensor = self.out_proj(attended.flip(2).transpose(1, 2).reshape(batch, frames, -1))
        return answer, None, bias


@torch.no_grad()
def with_trainable_attention(network: nn.Module) -> nn.Module:
    """Put `GatedAttention` in place of the stock one in every layer of a WavLM network, in place.

    Raises:
        RuntimeError: the stock module computes something else, so this version of transformers is not understood.
    """
    layers = cast(Any, network).encoder.layers
    generator = torch.Generator().manual_seed(0)
    width = layers[0].attention.q_proj.in_features
    clip = torch.randn(2, _PROBE_FRAMES, width, generator=generator).to(layers[0].attention.q_proj.weight)
    expected, _, _ = layers[0].attention.eval()(clip)
    for layer in layers:
        layer.attention = GatedAttention(layer.attention)
    actual, _, _ = layers[0].attention.eval()(clip)
    difference = (actual - expected).abs().max()
    if not difference <= _TOLERANCE * expected.abs().max():
        raise RuntimeError(f"the attention of this WavLM differs from ours by {float(difference):.2g}")
    return network
