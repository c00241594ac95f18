"""The part of a script that builds the network; it builds none itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.plan import Plan

from ..model import STRIDE_ABOVE_HZ
from ..pretrained import OFF_IN_SPEECH
from .windowed import STAGES, windowed_part
from .writing import literal, namespace

SPECTRAL, SPEECH = ("mfcc", "log-mel"), ("wav2vec2", "hubert", "wavlm")
POOLINGS = {
    "mean": "MeanPooling",
    "statistics": "StatisticsPooling",
    "attention": "AttentionPooling",
    "hierarchical": "HierarchicalPooling",
    "attentive-statistics": "AttentiveStatisticsPooling",
}


def model_part(plan: Plan, settings: Mapping[str, Any]) -> str:
    """Return the class of the network; `settings` are those of a checkpoint's preprocessor."""
    if plan.backbone.name in STAGES:
        head = _top_layers_of_head(plan, "self.stages.frame_seconds")
        return windowed_part(plan, settings, head, _answer_lines(plan))
    return _spectral(plan) if plan.backbone.name in SPECTRAL else _speech(plan)


def has_adapters(plan: Plan) -> bool:
    """Say whether low-rank adapters learn."""
    return plan.adaptation.method in ("lora", "dora")


def has_own_attention(plan: Plan) -> bool:
    """Say whether the network's own attention would not run the adapters, so that ours takes its place."""
    return plan.backbone.name == "wavlm" and has_adapters(plan)


def has_scale(plan: Plan) -> bool:
    """Say whether pooled spectral values are standardised; as `engine.training.model` decides it."""
    return not in_time(plan) and plan.head.name != "temporal" and plan.pooling.name in ("mean", "statistics")


def in_time(plan: Plan) -> bool:
    """Say whether every frame has an answer of its own, so that nothing is pooled."""
    return plan.answer == "symbols"


def _frame_seconds_stride(plan: Plan) -> int:
    """Return how far the temporal head strides over spectral frames; as `model` decides it."""
    return 2 if 1 / plan.backbone.hop_seconds > STRIDE_ABOVE_HZ else 1


def _top_layers_of_head(plan: Plan, frame_seconds: str) -> str:
    """Return the lines that build everything above the frames of `width` features."""
    lines, seconds = [], frame_seconds
    if plan.head.name == "temporal":
        stride = _frame_seconds_stride(plan) if plan.backbone.name in SPECTRAL else 1
        lines.append(f"self.temporal = TemporalEncoder(width, {plan.head.hidden}, {stride}, {plan.head.dropout})")
        lines.append("width = self.temporal.features")
        seconds = f"{frame_seconds} * {stride}" if stride > 1 else frame_seconds
    read = "width" if in_time(plan) else "self.pooling.features"
    if in_time(plan):
        pass
    elif plan.pooling.name == "hierarchical":
        size = f"max(round({plan.pooling.segment_seconds} / ({seconds})), 1)"
        lines.append(f"self.pooling = HierarchicalPooling(width, {size})")
    else:
        lines.append(f"self.pooling = {POOLINGS[plan.pooling.name]}(width)")
    if plan.backbone.name in SPECTRAL and has_scale(plan):
        lines.append("self.scale = PooledScale(self.pooling.features)")
    outputs = "1" if plan.answer == "score" else "len(CLASSES)"
    lines.append(f"head = {namespace(plan.head, 'name', 'hidden', 'dropout')}")
    lines.append(f"self.answer = answer_layers(head, {read}, {outputs})")
    if plan.task.type == "regression":
        lines.append("targets = [row.target for row in rows]")
        if plan.output.bounded:
            lines.append(f"self.output = BoundedOutput({plan.output.low}, {plan.output.high})")
            lines.append("self.output.start_at(statistics.fmean(targets), self.answer[-1])")
        else:
            lines.append("self.output = StandardisedOutput(statistics.fmean(targets), statistics.pstdev(targets))")
    return "\n".join(f"        {line}" for line in lines)


def _answer_lines(plan: Plan) -> str:
    """Return the lines from `frames` and `mask` to the answer."""
    lines = []
    if plan.augmentation.strength != "none":
        lines.append("if self.training:")
        lines.append("    frames = spec_augment(frames, mask, AUGMENTATION, (SEED, int(keys[0, 0]), keys[:, 1]))")
    if plan.backbone.layers == "weighted-sum" and plan.backbone.name not in SPECTRAL:
        lines.append("frames = self.mix(frames)")
    if plan.head.name == "temporal":
        lines.append("frames, mask = self.temporal(frames, mask)")
    if in_time(plan):
        lines.append('return {"logits": packed(self.answer(frames).float(), mask)}')
        return "\n".join(f"        {line}" for line in lines)
    pooled = "self.pooling(frames, mask)"
    pooled = f"self.scale({pooled})" if plan.backbone.name in SPECTRAL and has_scale(plan) else pooled
    answer = f"self.answer({pooled}).float()"
    lines.append(f'return {{"logits": {f"self.output({answer})" if plan.answer == "score" else answer}}}')
    return "\n".join(f"        {line}" for line in lines)


def _spectral(plan: Plan) -> str:
    backbone = plan.backbone
    names = ("name", "mels", "coefficients", "deltas", "window_seconds", "hop_seconds", "normalise")
    keys = ", keys: Tensor | None = None" if plan.augmentation.strength != "none" else ""
    fits = []
    if backbone.normalise == "corpus":
        fits.append('self.encoder.fit((batch["waveforms"], batch["lengths"]) for batch in batches)')
    if has_scale(plan):
        fits += [
            "with torch.no_grad():",
            '    frames = (self.encoder(batch["waveforms"], batch["lengths"]) for batch in batches)',
            "    self.scale.fit(torch.cat([self.pooling(*one) for one in frames]))",
        ]
    fit = "\n".join(f"        {line}" for line in fits) or "        del batches"
    return f'''
class Model(nn.Module):
    """Spectral frames, which have no weights, and the layers that learn."""

    def __init__(self, rows: list[Any]) -> None:
        super().__init__()
        front_end = {namespace(backbone, *names, indent=8)}
        self.encoder = SpectralFrontEnd(front_end, SAMPLE_RATE_HZ)
        width = self.encoder.features
{_top_layers_of_head(plan, "self.encoder.frame_seconds")}

    def fit(self, clips: Clips) -> None:
        """Measure mean and deviation of what goes into the layers, over the training clips alone."""
        places = [range(at, min(at + BATCH_SIZE, len(clips))) for at in range(0, len(clips), BATCH_SIZE)]
        batches = [collate([clips[place] for place in part]) for part in places]
{fit}

    def forward(self, waveforms: Tensor, lengths: Tensor{keys}) -> dict[str, Tensor]:
        """Return the answers (batch, ...) for padded waveforms (batch, samples)."""
        with torch.no_grad():
            frames, mask = self.encoder(waveforms, lengths)
{_answer_lines(plan)}
'''


def _speech(plan: Plan) -> str:
    method, top, mixes = plan.adaptation.method, plan.adaptation.top_layers, plan.backbone.layers == "weighted-sum"
    keys = ", keys: Tensor | None = None" if plan.augmentation.strength != "none" else ""
    off = ", ".join(f"{name}={value!r}" for name, value in OFF_IN_SPEECH.items())
    adapted = "\n".join(f"        {line}" for line in _adaptation(plan))
    mix = "        self.mix = LayerMix(self.backbone.config.num_hidden_layers + 1)\n" if mixes else ""
    states = (
        "outputs = self.backbone(input_values, attention_mask=attention_mask, output_hidden_states=True)\n"
        "            frames = torch.cat([*outputs.hidden_states[:-1], outputs.last_hidden_state], dim=-1)"
        if mixes
        else "frames = self.backbone(input_values, attention_mask=attention_mask).last_hidden_state"
    )
    attention = ""
    if has_own_attention(plan):
        attention = (
            "        # WavLM's own attention uses weights past their modules: adapters around these learn nothing.\n"
            "        with_trainable_attention(self.backbone)\n"
        )
    return f'''
class Model(nn.Module):
    """The pretrained network and the layers on top of it. A clip's answer does not depend on padding."""

    def __init__(self, rows: list[Any]) -> None:
        super().__init__()
        # Without layer skipping and masking of the input, which hides most of a short clip.
        off = dict(
            {off}
        )
        self.backbone = transformers.AutoModel.from_pretrained(CHECKPOINT, dtype=torch.float32, **off)
{attention}        # Base models take statistics over time in their first convolution: over a clip's own frames alone.
        self.norms = list(mask_group_norms(self.backbone).values())
{adapted}
        width = self.backbone.config.hidden_size
{mix}{_top_layers_of_head(plan, "math.prod(self.backbone.config.conv_stride) / SAMPLE_RATE_HZ")}

    def train(self, mode: bool = True) -> Model:
        """Set training mode, except for what does not learn."""
        super().train(mode)
{_train_mode(method, top, has_adapters(plan))}
        return self

    def forward(self, input_values: Tensor, attention_mask: Tensor{keys}) -> dict[str, Tensor]:
        """Return the answers (batch, ...) for padded waveforms (batch, samples)."""
        convolutions = list(zip(self.backbone.config.conv_kernel, self.backbone.config.conv_stride))
        lengths = attention_mask.sum(1)
        first = frame_lengths(lengths, convolutions[:1])
        with valid_lengths([(norm, first) for norm in self.norms]):
            {states}
        mask = frame_mask(frame_lengths(lengths, convolutions), frames.shape[1])
{_answer_lines(plan)}
'''


def _adaptation(plan: Plan) -> list[str]:
    """Return the lines that say which part of the backbone learns."""
    chosen = plan.adaptation
    saver = ["self.backbone.gradient_checkpointing_enable()"] if _recomputes(plan) else []
    if chosen.method == "frozen":
        return ["self.backbone.requires_grad_(False)"]
    if chosen.method == "full":
        return ["self.backbone.feature_extractor.requires_grad_(False)  # its convolutions never learn", *saver]
    if chosen.method == "partial":
        return [
            "self.backbone.requires_grad_(False)",
            f"self.backbone.encoder.layers[-{chosen.top_layers}:].requires_grad_(True)",
            "if self.backbone.config.do_stable_layer_norm:",
            "    self.backbone.encoder.layer_norm.requires_grad_(True)",
            *saver,
        ]
    dora = ["    use_dora=True,"] if chosen.method == "dora" else []
    return [
        "layers = self.backbone.encoder.layers",
        f"linear = [name for name, module in layers.named_modules() if {_is_target(plan)}]",
        "adapter = LoraConfig(",
        f"    r={chosen.rank},",
        f"    lora_alpha={chosen.alpha},",
        f"    lora_dropout={chosen.dropout},",
        '    target_modules=[f"encoder.layers.{name}" for name in linear],',
        *dora,
        ")",
        "self.backbone = get_peft_model(self.backbone, adapter)",
        *saver,
    ]


def _is_target(plan: Plan) -> str:
    """Return the condition under which a layer's module gets an adapter."""
    chosen = plan.adaptation
    every = chosen.targets == ("all-linear",)
    parts = ["isinstance(module, nn.Linear)"] if every else [f"name.endswith({literal(chosen.targets)})"]
    if chosen.top_layers:
        parts.append(f'int(name.partition(".")[0]) >= len(layers) - {chosen.top_layers}')
    return " and ".join(parts)


def _recomputes(plan: Plan) -> bool:
    return plan.training.memory_saver == "gradient-checkpointing"


def _train_mode(method: str, top: int, lora: bool) -> str:
    network = "self.backbone.get_base_model()" if lora else "self.backbone"
    lines = {
        "frozen": ["self.backbone.eval()"],
        "full": ["self.backbone.feature_extractor.eval()"],
    }.get(method)
    if lines is None and top:
        lines = [f"{network}.eval()", f"{network}.encoder.layers[-{top}:].train(mode)"]
    if lines is None:
        lines = [f"{network}.eval()", f"{network}.encoder.layers.train(mode)", f"{network}.encoder.dropout.train(mode)"]
    return "\n".join(f"        {line}" for line in lines)
