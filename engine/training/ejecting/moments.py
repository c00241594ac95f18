"""How far apart the answers of a network are, of which every frame has one; loads no weights, trains nothing."""

from __future__ import annotations

import math
from typing import Any

from engine.plan import Plan

from ..mel_inputs import HOP, RATE_HZ
from .head import SPECTRAL, stride_of
from .own_class import tried


def answer_seconds(plan: Plan) -> float:
    """Return the seconds from answer to answer, as `engine.training.model` has them."""
    rate = plan.data.sample_rate_hz
    if plan.backbone.is_own:
        seconds = tried(plan).frame_seconds
    elif plan.backbone.name in SPECTRAL:
        seconds = round(plan.backbone.hop_seconds * rate) / rate
    else:
        seconds = _of_checkpoint(plan)
    return seconds * stride_of(plan, seconds)


def _of_checkpoint(plan: Plan) -> float:
    from transformers import AutoConfig

    if plan.backbone.name in ("whisper", "w2v-bert"):
        return 2 * HOP / RATE_HZ
    config: Any = AutoConfig.from_pretrained(str(plan.backbone.checkpoint))
    if plan.backbone.name == "ast":
        return int(config.time_stride) * HOP / RATE_HZ
    return float(math.prod(config.conv_stride)) / plan.data.sample_rate_hz
