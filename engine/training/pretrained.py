"""Loading pretrained checkpoints by hub name or folder. Nothing is half loaded, and nothing is built here.

`HF_HUB_OFFLINE` and the other settings of the hub's client hold as they are. Weights are read from safetensors alone:
other files are pickles, which may run what they hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from knowledge.errors import InputError, PlanError

Name = Literal["mfcc", "log-mel", "wav2vec2", "hubert", "wavlm", "ast", "whisper", "w2v-bert"]
_HUBERT = "backbone.name: hubert with a HuBERT checkpoint such as facebook/hubert-large-ll60k"
_WAV2VEC2 = "backbone.name: wav2vec2 with a checkpoint such as facebook/wav2vec2-xls-r-300m"
_NOT_YET = {
    "wav2vec2-conformer": ("wav2vec 2.0 Conformer", _WAV2VEC2),
    "unispeech": ("UniSpeech", _WAV2VEC2),
    "unispeech-sat": ("UniSpeech-SAT", "backbone.name: wavlm with microsoft/wavlm-base-plus"),
    "data2vec-audio": ("data2vec", _WAV2VEC2),
    "sew": ("SEW", _WAV2VEC2),
    "sew-d": ("SEW-D", _WAV2VEC2),
    "clap": ("CLAP", "backbone.name: ast with MIT/ast-finetuned-audioset-10-10-0.4593"),
}
"""Model type in a checkpoint's config.json: the name people know it by, and the nearest plan that runs."""


@dataclass(frozen=True)
class _Kind:
    """How the checkpoints of one backbone are loaded."""

    model_type: str
    """In config.json."""
    architecture: str
    changes: dict[str, Any]
    """What is switched off in the configuration."""
    renamed: dict[str, str] | None = None
    """Names of weights in the checkpoint, as patterns, and what they are here."""


# With zero shares the network has no mask vector, which would be a weight that nothing trains.
OFF_IN_SPEECH: dict[str, Any] = {
    "layerdrop": 0.0,
    "apply_spec_augment": False,
    "mask_time_prob": 0.0,
    "mask_feature_prob": 0.0,
    "add_adapter": False,
}
_KINDS = {
    "wav2vec2": _Kind("wav2vec2", "Wav2Vec2Model", OFF_IN_SPEECH),
    "hubert": _Kind("hubert", "HubertModel", OFF_IN_SPEECH),
    "wavlm": _Kind("wavlm", "WavLMModel", OFF_IN_SPEECH),
    "ast": _Kind("audio-spectrogram-transformer", "ASTModel", {}),
    "whisper": _Kind("whisper", "WhisperEncoder", {}, {r"^(model\.)?encoder\.": ""}),
    "w2v-bert": _Kind("wav2vec2-bert", "Wav2Vec2BertModel", OFF_IN_SPEECH),
}
_LAYER = re.compile(r"(?:encoder\.)?layers\.(\d+)\.")
_BY_TYPE = {kind.model_type: name for name, kind in _KINDS.items()}


@dataclass(frozen=True)
class Pretrained:
    """A network in float32, and what its preprocessor says about its input."""

    network: nn.Module
    normalises_input: bool
    """Whether the waveform of each clip is scaled to zero mean and unit variance."""
    settings: dict[str, Any]
    """Of the preprocessor; empty where the checkpoint has none."""
    notes: tuple[str, ...] = ()
    """What of the checkpoint is not used although it is of this network."""


def load_pretrained(name: Name, checkpoint: str, sample_rate_hz: int) -> Pretrained:
    """Load a backbone without layer skipping, input masking and downsampling adapter.

    Raises:
        PlanError: the checkpoint is of a kind that this trainer cannot run, not the one that the plan names, or trained
            at another sample rate.
        InputError: it cannot be found or read, or lacks weights.
    """
    import transformers
    from transformers.models.whisper import modeling_whisper

    with _understood(checkpoint):
        content, _ = transformers.PretrainedConfig.get_config_dict(checkpoint)
    _check_kind(name, checkpoint, str(content.get("model_type", "unknown")))
    kind = _KINDS[name]
    loader: Any = getattr(transformers, kind.architecture, None) or getattr(modeling_whisper, kind.architecture)
    attention = "sdpa" if loader._supports_sdpa else "eager"
    with _understood(checkpoint), _quiet():
        config = loader.config_class.from_pretrained(checkpoint, **kind.changes)
        network, report = loader.from_pretrained(
            checkpoint,
            config=config,
            dtype="float32",
            output_loading_info=True,
            attn_implementation=attention,
            key_mapping=kind.renamed,
            use_safetensors=True,
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise InputError(
            f"backbone.checkpoint {checkpoint} lacks {len(missing)} weights of {kind.architecture}, "
            f"among them {missing[0]}; they would start random",
            hint="Use a checkpoint that was saved with save_pretrained.",
        )
    settings = preprocessor(checkpoint, sample_rate_hz)
    reads_waveform = name in ("wav2vec2", "hubert", "wavlm")
    notes = _not_run(checkpoint, network, report["unexpected_keys"])
    return Pretrained(network, reads_waveform and bool(settings.get("do_normalize", True)), settings, notes)


def _not_run(checkpoint: str, network: Any, left_over: Iterable[str]) -> tuple[str, ...]:
    """Say that a checkpoint has more layers than its config.json names; heads of other tasks are none of ours."""
    names = (name.removeprefix(f"{network.base_model_prefix}.") for name in left_over)
    layers = {int(found.group(1)) for found in map(_LAYER.match, names) if found}
    if not layers:
        return ()
    return (
        f"backbone.checkpoint {checkpoint} has weights of {max(layers) + 1} layers, and its config.json names "
        f"{min(layers)}: the others are not run",
    )


def preprocessor(checkpoint: str, sample_rate_hz: int) -> dict[str, Any]:
    """Return the settings of the checkpoint's preprocessor; none of them where it has none, then defaults hold.

    Raises:
        PlanError: the checkpoint was trained at another sample rate than the plan's.
    """
    from transformers import Wav2Vec2FeatureExtractor

    try:
        settings, _ = Wav2Vec2FeatureExtractor.get_feature_extractor_dict(checkpoint)
    except (OSError, ValueError):
        settings = {}
    trained_hz = int(settings.get("sampling_rate", 16000))
    if trained_hz != sample_rate_hz:
        raise PlanError(
            f"data.sample_rate_hz is {sample_rate_hz}; backbone.checkpoint {checkpoint} was trained at {trained_hz}",
            hint=f"Set data.sample_rate_hz to {trained_hz}; clips are resampled when they are read.",
        )
    return dict(settings)


def _check_kind(name: str, checkpoint: str, model_type: str) -> None:
    if _BY_TYPE.get(model_type) == name:
        return
    if model_type in _BY_TYPE:
        right = _BY_TYPE[model_type]
        raise PlanError(
            f"backbone.name is {name}, but backbone.checkpoint {checkpoint} is a {right} model",
            hint=f"Set backbone.name to {right}.",
        )
    title, nearest = _NOT_YET.get(
        model_type, (model_type, f"backbone.name: {' or '.join(_KINDS)}, or the built-in log-mel front end")
    )
    raise PlanError(
        f"this trainer cannot run {title} yet (backbone.checkpoint {checkpoint}); the nearest plan that runs is "
        f"{nearest}"
    )


@contextmanager
def _understood(checkpoint: str) -> Iterator[None]:
    """Turn what the loaders raise into a fault that names the checkpoint and what to do."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if _is_pickle(checkpoint, reason):
            reason = "it has its weights as pytorch_model.bin alone, a pickle, which may run what it holds"
            again = f"AutoModel.from_pretrained({checkpoint!r}).save_pretrained('NEW_FOLDER')"
            hint = (
                "If you trust it, write it anew once, with its preprocessor_config.json, and give that folder: "
                f'python -c "from transformers import AutoModel; {again}"'
            )
        elif Path(checkpoint).exists():
            hint = "Expected a folder with config.json and model.safetensors, as save_pretrained writes it."
        elif checkpoint.startswith(("/", ".", "~")) or checkpoint.count("/") > 1:
            reason = "there is no such folder"
            hint = "A relative path is relative to plan.yaml; a hub name has one slash, as in facebook/wav2vec2-base."
        elif os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "TRUE", "YES", "ON"):
            reason = "there is no such folder, and it is not among the downloaded checkpoints"
            hint = "HF_HUB_OFFLINE is set: download it on a machine that may, and give the folder."
        else:
            hint = "Check the spelling and the connection, or give a local folder."
        raise InputError(f"backbone.checkpoint {checkpoint} cannot be loaded: {reason}", hint=hint) from None


def _is_pickle(checkpoint: str, reason: str) -> bool:
    """Say whether a checkpoint has other weights than safetensors: by its folder, or by what the hub's client says."""
    if Path(checkpoint).exists():
        folder = Path(checkpoint)
        return any(folder.glob("pytorch_model*.bin")) and not any(folder.glob("*.safetensors"))
    return "safetensors" in reason and "does not appear to have" in reason


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and the list of unused heads off the terminal; missing weights are judged by us."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
