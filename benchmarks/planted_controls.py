"""Sound trainings of other kinds than those that causes are planted into: voices, words, tags, adapters, all weights.

Each is a part of FSDD whose clips are divided by take, so that what is to be learned can be learned. Plants nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planted_corpora import Clip, copied, digits

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _by_take(seed: int, takes: int) -> list[Clip]:
    """Return digits of which a third, drawn by clip, is for validation; nobody is named, so nothing overlaps."""
    clips = digits(seed, takes)
    held_out = set(np.random.default_rng(seed).permutation(len(clips))[: len(clips) // 3].tolist())
    return [replace(clip, split="val" if i in held_out else "train") for i, clip in enumerate(clips)]


def _nameless(clips: list[Clip], label: Callable[[Clip], str]) -> list[Clip]:
    return [replace(clip, label=label(clip), speaker="") for clip in clips]


def _tags(clip: Clip) -> str:
    number = int(clip.label)
    return f"{'odd' if number % 2 else 'even'};{'large' if number > 4 else 'small'}"


def with_noise(clips: list[Clip], random: np.random.Generator, folder: Path) -> list[Clip]:
    """Add white noise of a known level to every clip; its signal-to-noise ratio is the score, from 0 to 10."""
    target = folder / "noisy"
    target.mkdir()

    def noisy(clip: Clip, score: float) -> Clip:
        def mixed(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
            level = float(np.sqrt(np.mean(samples**2))) * 10 ** ((5 - 3 * score) / 20)
            sound = samples + level * random.standard_normal(len(samples))
            return 0.9 * sound / max(float(np.abs(sound).max()), 1e-9), rate

        return replace(copied(clip, target, mixed), label=f"{score:.3f}")

    return [noisy(clip, float(random.uniform(0, 10))) for clip in clips]


CORPORA: dict[str, Callable[[int], list[Clip]]] = {
    "voices": lambda seed: _nameless(_by_take(seed, 6), lambda clip: clip.speaker),
    "words": lambda seed: _nameless(_by_take(seed, 12), lambda clip: _WORDS[int(clip.label)]),
    "tags": lambda seed: _nameless(_by_take(seed, 6), _tags),
    "lora": lambda seed: _nameless(_by_take(seed, 6), lambda clip: clip.label),
    "full": lambda seed: _nameless(_by_take(seed, 6), lambda clip: clip.label),
    "noise": digits,
}
_PLANS: dict[str, dict[str, dict[str, Any]]] = {
    "voices": {"head": {"name": "linear"}, "training": {"epochs": 12, "learning_rate": 2e-3}},
    "words": {
        "task": {"type": "ctc"},
        "backbone": {"name": "log-mel", "hop_seconds": 0.02},
        "head": {"name": "temporal", "hidden": 64, "dropout": 0.3},
        "training": {"loss": "ctc", "epochs": 20, "learning_rate": 2e-3, "label_smoothing": 0.0},
        "evaluation": {"select_by": "character-error-rate"},
    },
    "tags": {
        "task": {"type": "classification", "labels": "several"},
        "training": {"loss": "binary-cross-entropy", "learning_rate": 3e-3, "label_smoothing": 0.0},
        "evaluation": {"select_by": "macro-f1"},
    },
    "noise": {
        "task": {"type": "regression"},
        "output": {"bounded": True, "low": 0.0, "high": 10.0},
        "training": {"loss": "mse+ccc", "learning_rate": 3e-3, "label_smoothing": 0.0},
        "evaluation": {"select_by": "ccc"},
    },
    "lora": {
        "adaptation": {"method": "lora", "targets": ["q_proj", "v_proj", "fc1", "fc2"]},
        "head": {"name": "linear"},
        "training": {"epochs": 12, "learning_rate": 3e-3},
    },
    "full": {
        "adaptation": {"method": "full"},
        "head": {"name": "linear"},
        "training": {"epochs": 12, "learning_rate": 3e-3, "backbone_learning_rate": 1e-3},
    },
}


def control_plan(content: Mapping[str, Any], corpus: str, folder: Path) -> dict[str, Any]:
    """Return the plan of a control: that of the digits, but for what its kind asks for."""
    plan = {**content, "data": {**content["data"], "group_column": "speaker" if corpus == "noise" else None}}
    for section, changes in _PLANS[corpus].items():
        plan[section] = {**plan.get(section, {}), **changes}
    if corpus in ("lora", "full"):
        plan["backbone"] = {"name": "whisper", "checkpoint": str(_random_whisper(folder)), "fill": "clip"}
        plan["data"]["sample_rate_hz"] = 16000
    return plan


def _random_whisper(folder: Path) -> Path:
    """Save a random Whisper of two layers, wide enough at random that a head learns something from it."""
    import torch
    import transformers

    path = folder / "whisper"
    if not path.exists():
        with torch.random.fork_rng():
            torch.manual_seed(1)
            config = transformers.WhisperConfig(
                d_model=64, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=128, decoder_layers=1,
                decoder_attention_heads=2, decoder_ffn_dim=32, vocab_size=100, pad_token_id=0, bos_token_id=1,
                eos_token_id=2, decoder_start_token_id=1, num_mel_bins=80, init_std=0.15,
            )  # fmt: skip
            transformers.WhisperModel(config).save_pretrained(path)
    return path
