"""The contrastive loss of PairTune: clips of one class are pulled together, the hardest pairs first. Trains nothing.

Source: Khosla et al. 2020 (SupCon, the form with the sum outside of the logarithm), with the mining of S004-10.
"""

from __future__ import annotations

import torch
from torch import Tensor


def contrastive_loss(vectors: Tensor, labels: Tensor, temperature: float, hardest_share: float = 1.0) -> Tensor:
    """Return the mean over all clips that have a partner; 0 where none has.

    Args:
        vectors: (batch, features); they are brought to length 1 here.
        labels: (batch,) class numbers.
        temperature: the lower, the more the hardest pairs count.
        hardest_share: share of each clip's pairs that is kept, at least one: of its class the least alike, of the
            others the most alike. With 1 every pair counts, which is SupCon itself.
    """
    unit = torch.nn.functional.normalize(vectors.to(torch.promote_types(vectors.dtype, torch.float32)), dim=-1)
    alike = unit @ unit.T
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positives = hardest(-alike, same & ~itself, hardest_share)
    negatives = hardest(alike, ~same, hardest_share)
    logits = (alike / temperature).masked_fill(~(positives | negatives), -torch.inf)
    paired = positives.any(1)
    if not bool(paired.any()):
        return vectors.sum() * 0
    logits, positives = logits[paired], positives[paired]
    log_share = logits - logits.logsumexp(1, keepdim=True)
    return -(log_share.masked_fill(~positives, 0).sum(1) / positives.sum(1)).mean()


@torch.no_grad()
def hardest(hardness: Tensor, among: Tensor, share: float) -> Tensor:
    """Return which pairs (batch, batch) are kept: in each row the `share` of `among` with the highest hardness."""
    if share >= 1:
        return among
    kept = (among.sum(1) * share).ceil().long()
    # Twice sorted: the place of each pair in its row, the hardest being first.
    place = hardness.masked_fill(~among, -torch.inf).argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return among & (place < kept[:, None])
