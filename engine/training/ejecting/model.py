"""The part of a script that builds the network; it builds none itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.plan import Plan

from .head import SPECTRAL, answer_lines, has_scale, head_lines, inputs_of, is_paired, pair_methods, stride_of
from .own_class import own_class_part
from .speech import speech_part
from .windowed import STAGES, windowed_part
from .writing import namespace

SPEECH = ("wav2vec2", "hubert", "wavlm")
_SPECTRAL_MODEL = '''
class Model(nn.Module):
    """Spectral frames, which have no weights, and the layers that learn."""

    def __init__(self, rows: list[Any]) -> None:
        super().__init__()
        front_end = {front_end}
        self.encoder = SpectralFrontEnd(front_end, SAMPLE_RATE_HZ)
        width = self.encoder.features
{head}

    def fit(self, clips: Clips) -> None:
        """Measure mean and deviation of what goes into the layers, over the training clips alone."""
        places = [range(at, min(at + BATCH_SIZE, len(clips))) for at in range(0, len(clips), BATCH_SIZE)]
        batches = [collate([clips[place] for place in part]) for part in places]
{fit}
{pairs}
    def forward({parameters}) -> dict[str, Tensor]:
        """Return the answers (batch, ...) for padded waveforms (batch, samples)."""
        frames, mask = self.{frames}({names})
{answer}
'''


def model_part(plan: Plan, settings: Mapping[str, Any]) -> str:
    """Return the class of the network; `settings` are those of a checkpoint's preprocessor."""
    if plan.backbone.is_own:
        return own_class_part(plan)
    if plan.backbone.name in STAGES:
        return windowed_part(plan, settings)
    return _spectral(plan) if plan.backbone.name in SPECTRAL else speech_part(plan)


def _spectral(plan: Plan) -> str:
    backbone = plan.backbone
    names = ("name", "mels", "coefficients", "deltas", "window_seconds", "hop_seconds", "normalise")
    parameters, given = inputs_of(plan, "waveforms", "lengths")
    return _SPECTRAL_MODEL.format(
        front_end=namespace(backbone, *names, indent=8),
        head=head_lines(plan, "self.encoder.frame_seconds", stride_of(plan, backbone.hop_seconds)),
        fit="\n".join(f"        {line}" for line in _fit(plan)) or "        del batches",
        pairs=pair_methods(plan, "waveforms", "lengths", "encoder"),
        parameters=parameters,
        frames="side_by_side" if is_paired(plan) else "encoder",
        names=given,
        answer=answer_lines(plan),
    )


def _fit(plan: Plan) -> list[str]:
    """Return the lines that measure what values are like."""
    lines = []
    sides = ("", "reference_") if is_paired(plan) else ("",)
    heard = ", ".join(f'(batch["{side}waveforms"], batch["{side}lengths"])' for side in sides)
    if plan.backbone.normalise == "corpus" and is_paired(plan):
        lines.append(f"self.encoder.fit(side for batch in batches for side in ({heard}))")
    elif plan.backbone.normalise == "corpus":
        lines.append(f"self.encoder.fit({heard} for batch in batches)")
    if not has_scale(plan):
        return lines
    if is_paired(plan):
        names = ", ".join(f'batch["{side}{name}"]' for side in sides for name in ("waveforms", "lengths"))
        return [
            *lines,
            "pairs = (",
            f"    self.side_by_side({names})",
            "    for batch in batches",
            ")",
            "self.scale.fit(torch.cat([self.pooling(self.compared(frames), mask) for frames, mask in pairs]))",
        ]
    return [
        *lines,
        f"frames = (self.encoder{heard} for batch in batches)",
        "self.scale.fit(torch.cat([self.pooling(*one) for one in frames]))",
    ]
