"""The part of a script between frames and answers, whatever gives the frames; it builds no layer itself."""

from __future__ import annotations

from engine.plan import Plan

from ..augmentation import copies_of_classes
from ..model import STRIDE_ABOVE_HZ
from .writing import namespace

SPECTRAL = ("mfcc", "log-mel")
POOLINGS = {
    "mean": "MeanPooling",
    "statistics": "StatisticsPooling",
    "attention": "AttentionPooling",
    "hierarchical": "HierarchicalPooling",
    "attentive-statistics": "AttentiveStatisticsPooling",
}
_SIDE_BY_SIDE = '''
    def side_by_side(
        self,
        {signal}: Tensor,
        {lengths}: Tensor,
        reference_{signal}: Tensor,
        reference_{lengths}: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return the frames of signals and of their references, as far as both go, and which are of the clip."""
        signals, mask = self.{encode}({signal}, {lengths})
        references, reference_mask = self.{encode}(reference_{signal}, reference_{lengths})
        both = min(mask.shape[1], reference_mask.shape[1])
        frames = torch.cat([signals[:, :both], references[:, :both]], dim=-1)
        return frames, mask[:, :both] & reference_mask[:, :both]

    def compared(self, frames: Tensor) -> Tensor:
        """Return the frames of both and, beside them, how far they are apart."""
        signals, references = {halves}
        return torch.cat([signals, references, (signals - references).abs()], dim=-1)
'''


def in_time(plan: Plan) -> bool:
    """Say whether every frame has an answer of its own, so that nothing is pooled."""
    return plan.answer in ("symbols", "events")


def is_paired(plan: Plan) -> bool:
    """Say whether every clip comes with a reference."""
    return plan.data.reference_column is not None


def mixes_layers(plan: Plan) -> bool:
    """Say whether the head reads an average over all layers."""
    return plan.backbone.layers == "weighted-sum" and plan.backbone.name not in SPECTRAL


def has_scale(plan: Plan) -> bool:
    """Say whether pooled spectral values are standardised; as `engine.training.model` decides it."""
    spectral = plan.backbone.name in SPECTRAL and plan.head.name != "temporal"
    return spectral and not in_time(plan) and plan.pooling.name in ("mean", "statistics")


def stride_of(plan: Plan, frame_seconds: float) -> int:
    """Return how far the temporal head strides over frames; as `engine.training.model` decides it."""
    return 2 if plan.head.name == "temporal" and 1 / frame_seconds > STRIDE_ABOVE_HZ else 1


def head_lines(plan: Plan, frame_seconds: str, stride: int) -> str:
    """Return the lines that build everything above the frames of `width` features.

    Args:
        plan: what is built.
        frame_seconds: Python for the time from frame to frame.
        stride: of the temporal head.
    """
    lines, seconds = [], frame_seconds
    if is_paired(plan):
        lines.append("width = 3 * width  # of the signal, of its reference, and how far they are apart")
    if plan.head.name == "temporal":
        lines.append(f"self.temporal = TemporalEncoder(width, {plan.head.hidden}, {stride}, {plan.head.dropout})")
        lines.append("width = self.temporal.features")
        seconds = f"{frame_seconds} * {stride}" if stride > 1 else frame_seconds
    if in_time(plan):
        pass
    elif plan.pooling.name == "hierarchical":
        size = f"max(round({plan.pooling.segment_seconds} / ({seconds})), 1)"
        lines.append(f"self.pooling = HierarchicalPooling(width, {size})")
    else:
        lines.append(f"self.pooling = {POOLINGS[plan.pooling.name]}(width)")
    if has_scale(plan):
        lines.append("self.scale = PooledScale(self.pooling.features)")
    lines += _answer_layers(plan, "width" if in_time(plan) else "self.pooling.features")
    if plan.task.type == "regression":
        lines.append("targets = [row.target for row in rows]")
        if plan.output.bounded:
            lines.append(f"self.output = BoundedOutput({plan.output.low}, {plan.output.high})")
            lines.append("self.output.start_at(statistics.fmean(targets), self.answer[-1])")
        else:
            lines.append("self.output = StandardisedOutput(statistics.fmean(targets), statistics.pstdev(targets))")
    return "\n".join(f"        {line}" for line in lines)


def _answer_layers(plan: Plan, read: str) -> list[str]:
    outputs = "1" if plan.answer == "score" else "len(CLASSES)"
    copies, head = voices(plan), f"head = {namespace(plan.head, 'name', 'hidden', 'dropout')}"
    layers = f"answer_layers(head, {read}, {f'{copies} * ' if copies > 1 else ''}{outputs})"
    if plan.answer == "vector":
        return [
            head,
            f"{layers}  # drawn and left, as the trainer does, so that the weights below are drawn alike",
            f"self.answer = nn.Sequential(UnitLength(), nn.Linear({read}, {plan.training.pair_features}))",
        ]
    return [head, f"self.answer = {layers}{'  # at another speed a voice is another one' if copies > 1 else ''}"]


def voices(plan: Plan) -> int:
    """Return how often each class stands among the answers: once for each speed that makes another of it."""
    return copies_of_classes(plan.augmentation) if plan.answer == "class" else 1


def pair_methods(plan: Plan, signal: str, lengths: str, encode: str) -> str:
    """Return the methods that set signals beside their references; none where a clip comes alone.

    Args:
        plan: what is built.
        signal: name of the padded input.
        lengths: name of what says how far each clip goes.
        encode: name of the method from both to frames.
    """
    if not is_paired(plan):
        return ""
    halves = "(self.mix(half) for half in frames.chunk(2, -1))" if mixes_layers(plan) else "frames.chunk(2, -1)"
    return _SIDE_BY_SIDE.format(signal=signal, lengths=lengths, encode=encode, halves=halves)


def inputs_of(plan: Plan, signal: str, lengths: str) -> tuple[str, str]:
    """Return what the network is called with: as parameters, and as arguments of what gives frames."""
    names = [signal, lengths, *([f"reference_{signal}", f"reference_{lengths}"] if is_paired(plan) else [])]
    parameters = ["self", *(f"{name}: Tensor" for name in names)]
    parameters += ["keys: Tensor | None = None"] if plan.augmentation.strength != "none" else []
    if is_paired(plan):  # more than a line holds
        return "\n" + "".join(f"        {one},\n" for one in parameters) + "    ", ", ".join(names)
    return ", ".join(parameters), ", ".join(names)


def answer_lines(plan: Plan) -> str:
    """Return the lines from `frames` and `mask` to the answer."""
    lines = []
    if plan.augmentation.strength != "none":
        lines.append("if self.training:")
        lines.append("    frames = spec_augment(frames, mask, AUGMENTATION, (SEED, int(keys[0, 0]), keys[:, 1]))")
    if is_paired(plan):
        lines.append("frames = self.compared(frames)")
    elif mixes_layers(plan):
        lines.append("frames = self.mix(frames)")
    if plan.head.name == "temporal":
        lines.append("frames, mask = self.temporal(frames, mask)")
    if in_time(plan):
        lines.append('return {"logits": packed(self.answer(frames).float(), mask)}')
        return "\n".join(f"        {line}" for line in lines)
    pooled = "self.pooling(frames, mask)"
    pooled = f"self.scale({pooled})" if has_scale(plan) else pooled
    answer = f"self.answer({pooled}).float()"
    if voices(plan) > 1:
        lines.append(f"answers = {answer}")
        answer = "answers if self.training else answers[:, : len(CLASSES)]"
    lines.append(f'return {{"logits": {f"self.output({answer})" if plan.answer == "score" else answer}}}')
    return "\n".join(f"        {line}" for line in lines)
