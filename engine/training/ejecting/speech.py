"""The part of a script that builds wav2vec 2.0, HuBERT or WavLM; it builds none itself."""

from __future__ import annotations

from engine.plan import Plan

from ..pretrained import OFF_IN_SPEECH
from .head import answer_lines, head_lines, inputs_of, is_paired, mixes_layers, pair_methods
from .learning import has_adapters, has_own_attention, is_taught
from .writing import literal

FRAME_SECONDS = "math.prod(self.backbone.config.conv_stride) / SAMPLE_RATE_HZ"
_MODEL = '''
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
{mix}{head}

    def train(self, mode: bool = True) -> Model:
        """Set training mode, except for what does not learn."""
        super().train(mode)
{mode}
        return self

    def encode(self, input_values: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features) and which of them are of the clip."""
        convolutions = list(zip(self.backbone.config.conv_kernel, self.backbone.config.conv_stride))
        lengths = attention_mask.sum(1)
        first = frame_lengths(lengths, convolutions[:1])
        with valid_lengths([(norm, first) for norm in self.norms]):
            {states}
        return frames, frame_mask(frame_lengths(lengths, convolutions), frames.shape[1])
{pairs}
    def forward({parameters}) -> dict[str, Tensor]:
        """Return the answers (batch, ...) for padded waveforms (batch, samples)."""
        frames, mask = self.{frames}({names})
{answer}
'''
_ALL_LAYERS = """\
outputs = self.backbone(input_values, attention_mask=attention_mask, output_hidden_states=True)
            frames = torch.cat([*outputs.hidden_states[:-1], outputs.last_hidden_state], dim=-1)"""
_LAST_LAYER = "frames = self.backbone(input_values, attention_mask=attention_mask).last_hidden_state"
_ATTENTION = """\
        # WavLM's own attention uses weights past their modules: adapters around these learn nothing.
        with_trainable_attention(self.backbone)
"""
_MIX = "        self.mix = LayerMix(self.backbone.config.num_hidden_layers + 1)\n"


def speech_part(plan: Plan) -> str:
    """Return the class of the network."""
    parameters, names = inputs_of(plan, "input_values", "attention_mask")
    return _MODEL.format(
        off=", ".join(f"{name}={value!r}" for name, value in OFF_IN_SPEECH.items()),
        attention=_ATTENTION if has_own_attention(plan) else "",
        adapted="\n".join(f"        {line}" for line in _adaptation(plan)),
        mix=_MIX if mixes_layers(plan) else "",
        head=head_lines(plan, FRAME_SECONDS, 1),
        mode=_train_mode(plan),
        states=_ALL_LAYERS if mixes_layers(plan) else _LAST_LAYER,
        pairs=pair_methods(plan, "input_values", "attention_mask", "encode"),
        parameters=parameters,
        frames="side_by_side" if is_paired(plan) else "encode",
        names=names,
        answer=answer_lines(plan),
    )


def _adaptation(plan: Plan) -> list[str]:
    """Return the lines that say which part of the backbone learns."""
    chosen = plan.adaptation
    saver = ["self.backbone.gradient_checkpointing_enable()"] if _recomputes(plan) else []
    if chosen.method == "frozen" or (is_taught(plan) and not has_adapters(plan)):
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
        *(["self.backbone.requires_grad_(False)"] if is_taught(plan) else saver),
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


def _train_mode(plan: Plan) -> str:
    method, top = plan.adaptation.method, plan.adaptation.top_layers
    network = "self.backbone.get_base_model()" if has_adapters(plan) else "self.backbone"
    if method == "frozen" or is_taught(plan):
        lines = ["self.backbone.eval()"]
    elif method == "full":
        lines = ["self.backbone.feature_extractor.eval()"]
    elif top:
        lines = [f"{network}.eval()", f"{network}.encoder.layers[-{top}:].train(mode)"]
    else:
        lines = [f"{network}.eval()", f"{network}.encoder.layers.train(mode)", f"{network}.encoder.dropout.train(mode)"]
    return "\n".join(f"        {line}" for line in lines)
