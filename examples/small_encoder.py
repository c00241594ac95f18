"""A small speech encoder, pre-trained here on the audio at hand: what the examples begin with where nothing better is.

It is wav2vec 2.0 in a tenth of its width, at 8 kHz, and learns like the first round of HuBERT (Hsu et al. 2021): frames
are hidden, and the cluster of their MFCC is to be guessed from what is left. No label is read. Minutes of audio make no
good encoder: results with it tell how methods compare on it, and nothing of large pretrained networks.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.evidence.dataset.records import Region
from engine.training.waveforms import decode

RATE_HZ = 8000
HOP = 160
"""Samples from frame to frame: 20 ms, as in wav2vec 2.0."""
_CLUSTERS = 50
_SECONDS = 1.0
_HIDDEN_SHARE, _SPAN = 0.4, 5
_BATCH = 16
_RATE = 5e-4
WEIGHTS = "TONMEISTER_EXAMPLE_WEIGHTS"
"""Environment variable with the folder of a real wav2vec 2.0 checkpoint; it is used instead where it is set."""


def encoder(folder: Path, clips: Sequence[Path], steps: int, seed: int = 0) -> tuple[str, int, str]:
    """Return a checkpoint, its sample rate, and in a sentence where it comes from."""
    given = os.environ.get(WEIGHTS)
    if given and Path(given).is_dir():
        return given, 16000, f"weights of {given}"
    torch.manual_seed(seed)
    sounds = [torch.from_numpy(decode(Region(path), RATE_HZ)) for path in clips]
    minutes = sum(len(sound) for sound in sounds) / RATE_HZ / 60
    path, losses = _pretrained(folder, sounds, steps, seed)
    return path, RATE_HZ, (
        f"a network of 64 features and 3 layers, pre-trained here without labels for {steps} steps on {minutes:.0f} "
        f"minutes of the training audio (loss {losses[0]:.2f} to {losses[1]:.2f})"
    )  # fmt: skip


def _network() -> Any:
    import transformers

    config = transformers.Wav2Vec2Config(
        hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128, conv_dim=(64,) * 6,
        conv_kernel=(10, 3, 3, 3, 3, 2), conv_stride=(5, 2, 2, 2, 2, 2), num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=8, feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True,
        mask_time_prob=0.05, layerdrop=0.0,
    )  # fmt: skip
    return transformers.Wav2Vec2Model(config)


def _pretrained(folder: Path, sounds: list[Tensor], steps: int, seed: int) -> tuple[str, tuple[float, float]]:
    import transformers

    network, random = _network(), np.random.default_rng(seed)
    centres = _clusters(torch.cat([_mfcc(sound[None])[0] for sound in sounds if len(sound) > 4 * HOP]), seed)
    guess = nn.Linear(64, _CLUSTERS)
    optimiser = torch.optim.AdamW([*network.parameters(), *guess.parameters()], _RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, steps, pct_start=0.1)
    losses = []
    network.train()
    for _ in range(steps):
        batch = torch.stack([_stretch(sounds[random.integers(len(sounds))], random) for _ in range(_BATCH)])
        targets = torch.cdist(_mfcc(batch), centres[None]).argmin(-1)
        unit = (batch - batch.mean(1, keepdim=True)) / (batch.std(1, keepdim=True) + 1e-5)
        frames = int(network._get_feat_extract_output_lengths(batch.shape[1]))
        hidden = torch.from_numpy(_spans(len(batch), frames, random))
        states = network(unit, mask_time_indices=hidden).last_hidden_state
        loss = nn.functional.cross_entropy(guess(states[hidden]), targets[:, :frames][hidden])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    network.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=RATE_HZ, do_normalize=True).save_pretrained(folder)
    edge = max(steps // 20, 1)
    return str(folder), (float(np.mean(losses[:edge])), float(np.mean(losses[-edge:])))


def _stretch(sound: Tensor, random: np.random.Generator) -> Tensor:
    """Return one second of a clip; a shorter one is repeated."""
    wanted = round(_SECONDS * RATE_HZ)
    if len(sound) < wanted:
        sound = sound.repeat(-(-wanted // len(sound)))
    start = int(random.integers(len(sound) - wanted + 1))
    return sound[start : start + wanted]


def _mfcc(waveforms: Tensor) -> Tensor:
    """Return (batch, frames, 13), a frame every `HOP` samples."""
    import torchaudio

    transform = _TRANSFORMS.setdefault(
        0,
        torchaudio.transforms.MFCC(
            RATE_HZ, 13, log_mels=True, melkwargs={"n_fft": 256, "hop_length": HOP, "n_mels": 40, "center": True}
        ),
    )
    frames: Tensor = transform(waveforms).transpose(1, 2)
    return frames


_TRANSFORMS: dict[int, Any] = {}


def _clusters(frames: Tensor, seed: int) -> Tensor:
    """Return the centres of k-means (clusters, features) after ten rounds."""
    order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(seed))
    frames = frames[order[:20_000]]
    centres = frames[:_CLUSTERS].clone()
    for _ in range(10):
        nearest = torch.cdist(frames, centres).argmin(1)
        for number in range(_CLUSTERS):
            own = frames[nearest == number]
            centres[number] = own.mean(0) if len(own) else centres[number]
    return centres


def _spans(clips: int, frames: int, random: np.random.Generator) -> np.ndarray:
    hidden = np.zeros((clips, frames), dtype=bool)
    for row in hidden:
        for start in random.integers(0, frames - _SPAN + 1, round(_HIDDEN_SHARE * frames / _SPAN)):
            row[start : start + _SPAN] = True
    return hidden


def options(description: str | None) -> argparse.Namespace:
    """Return what both examples are asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=os.environ.get("TONMEISTER_TEST_DATA"), help="holds audio/")
    parser.add_argument("--pretraining-steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.data is None:
        parser.error("name --data, the folder that holds audio/fsdd and audio/esc10")
    return chosen
