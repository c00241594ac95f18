"""The part of a script that builds an encoder of the user's own, `module:Class`; it builds none itself."""

from __future__ import annotations

from engine.plan import Plan

from ..foreign import ForeignEncoder
from .head import answer_lines, head_lines, inputs_of, pair_methods, stride_of
from .writing import literal

_MODEL = '''
class Model(nn.Module):
    """An encoder of your own and the layers on top of it."""

    def __init__(self, rows: list[Any]) -> None:
        super().__init__()
        self.backbone = {name}({checkpoint}, SAMPLE_RATE_HZ)
{adapted}
        width = self.backbone.features
{head}
{mode}
    def encode(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features) and which of them are of the clip."""
{encoded}
        mask = frame_mask(counts, frames.shape[1])
        return frames.masked_fill(~mask[..., None], 0), mask
{pairs}
    def forward({parameters}) -> dict[str, Tensor]:
        """Return the answers (batch, ...) for padded waveforms (batch, samples)."""
        frames, mask = self.{frames}({names})
{answer}
'''
_MODE = '''
    def train(self, mode: bool = True) -> Model:
        """Set training mode, except for the encoder, which does not learn."""
        super().train(mode)
        self.backbone.eval()
        return self
'''
_TOGETHER = """\
        frames, counts = self.backbone(waveforms, lengths)
        frames = frames[:, : int(counts.max())]"""
_BY_LENGTH = """\
        frames: list[Any] = [None] * len(lengths)
        for length in lengths.unique().tolist():  # its frames would change beside a longer clip
            here = (lengths == length).nonzero()[:, 0]
            found, counts = self.backbone(waveforms[here, :length], lengths[here])
            for place, own in zip(here.tolist(), found[:, : int(counts[0])], strict=True):
                frames[place] = own
        counts = torch.tensor([len(own) for own in frames], device=lengths.device)
        frames = nn.utils.rnn.pad_sequence(frames, batch_first=True)"""


def tried(plan: Plan) -> ForeignEncoder:
    """Make one and try it, as the trainer does before it trains.

    Raises:
        PlanError: there is no such class, or it is not what it has to be.
    """
    return ForeignEncoder(plan.backbone, plan.adaptation, plan.data.sample_rate_hz)


def own_class_part(plan: Plan) -> str:
    """Return the class of the network."""
    encoder = tried(plan)
    parameters, names = inputs_of(plan, "waveforms", "lengths")
    pairs = pair_methods(plan, "waveforms", "lengths", "encode")
    frozen = plan.adaptation.method == "frozen" or plan.training.stages == "audioconfit"
    stride = stride_of(plan, encoder.frame_seconds)
    return _MODEL.format(
        name=plan.backbone.name.replace(":", "."),
        checkpoint="None" if plan.backbone.checkpoint is None else "CHECKPOINT",
        adapted="\n".join(f"        {line}" for line in _adaptation(plan, frozen)),
        head=head_lines(plan, "self.backbone.frame_seconds", stride),
        mode=_MODE if frozen else "",
        encoded=_BY_LENGTH if encoder.one_length_at_a_time else _TOGETHER,
        pairs=pairs,
        parameters=parameters,
        frames="side_by_side" if pairs else "encode",
        names=names,
        answer=answer_lines(plan),
    )


def _adaptation(plan: Plan, frozen: bool) -> list[str]:
    """Return the lines that say which part of the encoder learns."""
    chosen = plan.adaptation
    lines = []
    if chosen.method in ("lora", "dora"):
        named = f' and name.rpartition(".")[2] in {literal(chosen.targets)}'
        every = chosen.targets == ("all-linear",)
        dora = ["    use_dora=True,"] if chosen.method == "dora" else []
        lines = [
            "self.backbone.requires_grad_(False)",
            "layers = self.backbone.named_modules()",
            f"linear = [name for name, module in layers if isinstance(module, nn.Linear){'' if every else named}]",
            "adapter = LoraConfig(",
            f"    r={chosen.rank},",
            f"    lora_alpha={chosen.alpha},",
            f"    lora_dropout={chosen.dropout},",
            "    target_modules=linear,",
            *dora,
            ")",
            "inject_adapter_in_model(adapter, self.backbone)",
        ]
    if frozen:
        return [*lines, "self.backbone.requires_grad_(False)"]
    if chosen.method == "partial":
        return [
            "self.backbone.requires_grad_(False)",
            f"self.backbone.layers[-{chosen.top_layers}:].requires_grad_(True)",
        ]
    return lines or ["self.backbone.requires_grad_(True)  # all of it learns"]
