"""The part of a script that builds AST, Whisper's encoder or W2V-BERT, whose input is a spectrogram; it builds none.

The networks are run stage by stage, as the trainer runs them: what makes their input, and cuts clips that are longer
than the window of pretraining, is taken over from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.plan import Plan

from ..adaptation import names_of
from ..pretrained import OFF_IN_SPEECH
from .head import answer_lines, head_lines, inputs_of, is_paired, mixes_layers, pair_methods
from .learning import has_adapters, is_taught
from .writing import literal

STAGES = {"ast": "AstStages", "whisper": "WhisperStages", "w2v-bert": "W2vBertStages"}
_LAYERS = {"ast": "layers", "whisper": "layers", "w2v-bert": "encoder.layers"}
_OF_AST = ("mean", "std", "do_normalize")
"""What AstStages reads of the checkpoint's preprocessor."""
_MODEL = '''
class Model(nn.Module):
    """The pretrained network and the layers on top of it. A clip's answer does not depend on padding."""

    def __init__(self, rows: list[Any]) -> None:
        super().__init__()
        {load}
        self.stages = {stages}
{adapted}
        width = self.stages.width
{mix}{head}

    def train(self, mode: bool = True) -> Model:
        """Set training mode, except for what does not learn."""
        super().train(mode)
{mode}
        return self

    def encode(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, frames, features) and which of them are of the clip; long clips window by window."""
        stages = self.stages
        waveforms = waveforms.masked_fill(~frame_mask(lengths, waveforms.shape[1]), 0)
        waveforms = nn.functional.pad(waveforms, (0, max(stages.shortest - waveforms.shape[1], 0)))
        windows = windows_of(lengths, stages.window, stages.shortest)
        with torch.no_grad():
            spectrum = stages.stem(windows.cut(waveforms), windows.lengths)
        counts = stages.token_lengths(windows.lengths)
        mask = None if bool((counts == counts.max()).all()) else frame_mask(counts, int(counts.max()))
        tokens = stages.enter(stages.embed(spectrum, windows.lengths, mask))
        states, extras = [tokens], stages.extras(tokens, mask)
        for index in range(len(stages.layers)):
            tokens = {layer}
            states.append(tokens)
        frames = {frames}
        frames, counts = windows.joined(frames, stages.frame_lengths(windows.lengths))
        longest = int(counts.max())
        return frames[:, :longest], frame_mask(counts, longest)
{pairs}
    def forward({parameters}) -> dict[str, Tensor]:
        """Return the answers (batch, ...) for padded waveforms (batch, samples)."""
        frames, mask = self.{encode}({names})
{answer}
'''


def windowed_part(plan: Plan, settings: Mapping[str, Any]) -> str:
    """Return the class of the network; `settings` are those of the checkpoint's preprocessor."""
    mixes = mixes_layers(plan)
    parameters, names = inputs_of(plan, "waveforms", "lengths")
    recomputes = plan.training.memory_saver == "gradient-checkpointing"
    run = "stages.layer(index, tokens, extras)"
    if recomputes:
        run = "torch.utils.checkpoint.checkpoint(stages.layer, index, tokens, extras, use_reentrant=False)"
    last = "stages.frames(stages.finish(tokens))"
    all_layers = f"torch.cat([*map(stages.frames, states[:-1]), {last}], dim=-1)"
    return _MODEL.format(
        load="\n        ".join(_load(plan)),
        stages=_stages(plan, settings),
        adapted=_lines(_adaptation(plan)),
        mix="        self.mix = LayerMix(len(self.stages.layers) + 1)\n" if mixes else "",
        head=head_lines(plan, "self.stages.frame_seconds", 1),
        mode=_lines(_train_mode(plan)),
        layer=run,
        frames=all_layers if mixes else last,
        pairs=pair_methods(plan, "waveforms", "lengths", "encode"),
        parameters=parameters,
        encode="side_by_side" if is_paired(plan) else "encode",
        names=names,
        answer=answer_lines(plan),
    )


def _load(plan: Plan) -> list[str]:
    load = "transformers.AutoModel.from_pretrained(CHECKPOINT, dtype=torch.float32"
    if plan.backbone.name == "w2v-bert":
        off = ", ".join(f"{name}={value!r}" for name, value in OFF_IN_SPEECH.items())
        return [
            "# Without layer skipping and masking of the input, which hides most of a short clip.",
            f"off = dict({off})",
            f"self.backbone = {load}, **off)",
        ]
    return [f"self.backbone = {load}){'.get_encoder()' if plan.backbone.name == 'whisper' else ''}"]


def _stages(plan: Plan, settings: Mapping[str, Any]) -> str:
    name, fills = plan.backbone.name, plan.backbone.fill == "window"
    if name == "ast":
        known = {key: settings[key] for key in _OF_AST if key in settings}
        return f"AstStages(self.backbone, {known!r}, fills={fills})"
    return f"WhisperStages(self.backbone, fills={fills})" if name == "whisper" else "W2vBertStages(self.backbone)"


def _adaptation(plan: Plan) -> list[str]:
    """Return the lines that say which part of the backbone learns."""
    chosen, path = plan.adaptation, _LAYERS[plan.backbone.name]
    if chosen.method == "frozen" or (is_taught(plan) and not has_adapters(plan)):
        return ["self.backbone.requires_grad_(False)"]
    if chosen.method == "full":
        fixed = "self.backbone.embed_positions.requires_grad_(False)  # fixed sinusoids"
        every = "self.backbone.requires_grad_(True)  # all of it learns"
        return [every, fixed] if plan.backbone.name == "whisper" else [every]
    if chosen.method == "partial":
        return [
            "self.backbone.requires_grad_(False)",
            f"for module in [*self.stages.layers[-{chosen.top_layers}:], *self.stages.tail()]:",
            "    module.requires_grad_(True)",
        ]
    parts = ["isinstance(module, nn.Linear)"]
    if chosen.targets != ("all-linear",):
        parts.append(f'name.rpartition(".")[2] in {literal(names_of(chosen.targets))}')
    if chosen.top_layers:
        parts.append(f'int(name.partition(".")[0]) >= len(self.stages.layers) - {chosen.top_layers}')
    dora = ["    use_dora=True,"] if chosen.method == "dora" else []
    return [
        "self.backbone.requires_grad_(False)",
        f"linear = [name for name, module in self.stages.layers.named_modules() if {' and '.join(parts)}]",
        "adapter = LoraConfig(",
        f"    r={chosen.rank},",
        f"    lora_alpha={chosen.alpha},",
        f"    lora_dropout={chosen.dropout},",
        f'    target_modules=[f"{path}.{{name}}" for name in linear],',
        *dora,
        ")",
        "inject_adapter_in_model(adapter, self.backbone)",
        *(["self.backbone.requires_grad_(False)"] if is_taught(plan) else []),
    ]


def _train_mode(plan: Plan) -> list[str]:
    method, top = plan.adaptation.method, plan.adaptation.top_layers
    if method == "frozen" or is_taught(plan):
        return ["self.backbone.eval()"]
    if method == "full":
        return ["# All of it learns."]
    learning = f"[*self.stages.layers[-{top}:], *self.stages.tail()]" if top else "[self.stages.layers]"
    return ["self.backbone.eval()", f"for module in {learning}:", "    module.train(mode)"]


def _lines(lines: list[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)
