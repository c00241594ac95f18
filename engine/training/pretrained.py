"""Loading wav2vec 2.0 and HuBERT checkpoints by hub name or folder. Nothing is half loaded, and nothing is built here.

`HF_HUB_OFFLINE` and the other settings of the hub's client hold as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from torch import nn

from knowledge.errors import InputError, PlanError

_HUBERT = "backbone.name: hubert with a HuBERT checkpoint such as facebook/hubert-large-ll60k"
_WAV2VEC2 = "backbone.name: wav2vec2 with a checkpoint such as facebook/wav2vec2-xls-r-300m"
_NOT_YET = {
    "wavlm": ("WavLM", _HUBERT),
    "audio-spectrogram-transformer": ("AST", "backbone.name: log-mel with head.name: temporal"),
    "whisper": ("Whisper", _HUBERT),
    "wav2vec2-bert": ("W2V-BERT", _WAV2VEC2),
    "wav2vec2-conformer": ("wav2vec 2.0 Conformer", _WAV2VEC2),
    "unispeech": ("UniSpeech", _WAV2VEC2),
    "unispeech-sat": ("UniSpeech-SAT", _HUBERT),
    "data2vec-audio": ("data2vec", _WAV2VEC2),
    "sew": ("SEW", _WAV2VEC2),
    "sew-d": ("SEW-D", _WAV2VEC2),
    "clap": ("CLAP", "backbone.name: log-mel with head.name: temporal"),
}
"""Model type in a checkpoint's config.json: the name people know it by, and the nearest plan that runs."""
_ARCHITECTURE = {"wav2vec2": "Wav2Vec2Model", "hubert": "HubertModel"}


def load_network(name: Literal["mfcc", "log-mel", "wav2vec2", "hubert"], checkpoint: str) -> nn.Module:
    """Load a backbone in float32, without layer skipping, input masking and downsampling adapter.

    Raises:
        PlanError: the checkpoint is of a kind that this trainer cannot run, or not the one that the plan names.
        InputError: it cannot be found or read, or lacks weights.
    """
    import transformers

    with _understood(checkpoint):
        content, _ = transformers.PretrainedConfig.get_config_dict(checkpoint)
    _check_kind(name, checkpoint, str(content.get("model_type", "unknown")))
    loader: Any = getattr(transformers, _ARCHITECTURE[name])
    with _understood(checkpoint), _quiet():
        config = loader.config_class.from_pretrained(
            checkpoint,
            layerdrop=0.0,
            # With zero shares the network has no mask vector, which would be a weight that nothing trains.
            apply_spec_augment=False,
            mask_time_prob=0.0,
            mask_feature_prob=0.0,
            add_adapter=False,
        )
        network, report = loader.from_pretrained(checkpoint, config=config, dtype="float32", output_loading_info=True)
    missing = sorted(report["missing_keys"])
    if missing:
        raise InputError(
            f"backbone.checkpoint {checkpoint} lacks {len(missing)} weights of {_ARCHITECTURE[name]}, "
            f"among them {missing[0]}; they would start random",
            hint="Use a checkpoint that was saved with save_pretrained.",
        )
    return network  # type: ignore[no-any-return]


def wants_normalised_input(checkpoint: str, sample_rate_hz: int) -> bool:
    """Tell whether the checkpoint's preprocessor scales each clip to zero mean and unit variance.

    A checkpoint without preprocessor settings gets transformers' default: it does.

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
    return bool(settings.get("do_normalize", True))


def _check_kind(name: str, checkpoint: str, kind: str) -> None:
    if kind == name:
        return
    if kind in _ARCHITECTURE:
        raise PlanError(
            f"backbone.name is {name}, but backbone.checkpoint {checkpoint} is a {kind} model",
            hint=f"Set backbone.name to {kind}.",
        )
    title, nearest = _NOT_YET.get(kind, (kind, "backbone.name: wav2vec2 or hubert, or the built-in log-mel front end"))
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
        if Path(checkpoint).exists():
            hint = "Expected a folder with config.json and model.safetensors, as save_pretrained writes it."
        elif os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "TRUE", "YES", "ON"):
            reason = "there is no such folder, and it is not among the downloaded checkpoints"
            hint = "HF_HUB_OFFLINE is set: download it on a machine that may, and give the folder."
        else:
            hint = "Check the spelling and the connection, or give a local folder."
        raise InputError(f"backbone.checkpoint {checkpoint} cannot be loaded: {reason}", hint=hint) from None


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
