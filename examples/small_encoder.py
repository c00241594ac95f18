"""A small speech encoder, pre-trained here on the speech at hand: what the examples begin with where nothing better is.

It is a W2V-BERT of little width, and learns like the first round of HuBERT (Hsu et al. 2021): tokens are hidden,
and the cluster of their cepstrum is to be guessed from what is left. No label is read. Half an hour of speech makes no
good encoder: results with it tell how methods compare on it, and nothing of large pretrained networks.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.evidence.dataset.records import Region
from engine.plan import write_atomically
from engine.training.cache import cache_folder
from engine.training.mel_inputs import stacked_fbank
from engine.training.waveforms import decode

WEIGHTS = "TONMEISTER_EXAMPLE_WEIGHTS"
"""Environment variable with the folder of a real checkpoint; it is used instead where it is set."""
RATE_HZ = 16000
STEPS = 1000
"""Two minutes on one core."""
_WIDTH, _LAYERS, _FEED_FORWARD = 64, 3, 128
_BANDS, _CEPSTRUM, _CLUSTERS = 80, 13, 100
_SECONDS, _BATCH = 1.0, 16
_HIDDEN_SHARE, _SPAN = 0.4, 5
"""Share of the tokens that is hidden, in spans of a tenth of a second: about a sound of speech."""
_RATE = 1e-3
_FRAMES_CLUSTERED = 20_000
_NAMES = {"wav2vec2": "wav2vec2", "hubert": "hubert", "wavlm": "wavlm", "wav2vec2-bert": "w2v-bert"}
"""Model type in config.json: `backbone.name` of a plan."""


@dataclass(frozen=True)
class Encoder:
    """What a plan begins with."""

    name: str
    """`backbone.name`."""
    checkpoint: str
    told: str
    """In a sentence, where it comes from."""


def encoder(data: Path, steps: int = STEPS, seed: int = 0) -> Encoder:
    """Return the encoder of the examples; pre-trained once, it is kept in the cache folder for later runs."""
    given = os.environ.get(WEIGHTS)
    if given and Path(given).is_dir():
        kind = json.loads((Path(given) / "config.json").read_text("utf-8"))["model_type"]
        return Encoder(_NAMES[kind], given, f"weights of {given}")
    clips = speech(data)
    key = hashlib.sha256(json.dumps([Path(__file__).read_text("utf-8"), [c.name for c in clips], steps, seed]).encode())
    folder = cache_folder() / "examples" / key.hexdigest()[:16]
    if not (folder / "told.txt").exists():
        pretrain(folder, [torch.from_numpy(decode(Region(path), RATE_HZ)) for path in clips], steps, seed)
    return Encoder("w2v-bert", str(folder), (folder / "told.txt").read_text("utf-8"))


def random_encoder(like: Encoder, folder: Path, seed: int = 0) -> Encoder:
    """Return the same network before any training: what its shape alone gives."""
    import transformers

    torch.manual_seed(seed)
    config = transformers.AutoConfig.from_pretrained(like.checkpoint)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    shutil.copy(Path(like.checkpoint) / "preprocessor_config.json", folder)
    return Encoder(like.name, str(folder), "the same network with random weights")


def speech(data: Path) -> list[Path]:
    """Return the clips that are heard without labels: FSDD's training takes, and speechocean762's training part."""
    clips = []
    for name in ("fsdd", "speechocean762"):
        folder = data / "audio" / name
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
            clips += [folder / row["path"] for row in csv.DictReader(stream) if row["split"] == "train"]
    return clips


def pretrain(folder: Path, sounds: Sequence[Tensor], steps: int, seed: int) -> None:
    """Train a network on waveforms alone, and save it as a checkpoint with a sentence about it."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    ends = np.cumsum([len(sound) for sound in sounds])
    network, guess = _network(), nn.Linear(_WIDTH, _CLUSTERS)
    centres = _clusters(_cepstra(torch.cat([_bands(_stretch(sounds, ends, random)[None]) for _ in range(600)])), seed)
    learnt = [*network.parameters(), *guess.parameters()]
    optimiser = torch.optim.AdamW(learnt, _RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, steps, pct_start=0.1)
    losses, right = [], []
    network.train()
    for _ in range(steps):
        bands = torch.cat([_bands(_stretch(sounds, ends, random)[None]) for _ in range(_BATCH)])
        targets = torch.cdist(_cepstra(bands), centres[None]).argmin(-1)
        hidden = torch.from_numpy(_spans(*bands.shape[:2], random))
        scores = guess(network(bands, mask_time_indices=hidden).last_hidden_state[hidden])
        loss = nn.functional.cross_entropy(scores, targets[hidden])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learnt, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        right.append(float((scores.argmax(-1) == targets[hidden]).float().mean()))
    minutes, edge = sum(map(len, sounds)) / RATE_HZ / 60, max(steps // 20, 1)
    _save(network, folder, (
        f"a W2V-BERT of {_WIDTH} features and {_LAYERS} layers ({sum(p.numel() for p in network.parameters()):,} "
        f"weights), pre-trained here without labels for {steps} steps on {minutes:.0f} minutes of speech "
        f"(loss {np.mean(losses[:edge]):.2f} to {np.mean(losses[-edge:]):.2f}; of {_CLUSTERS} clusters "
        f"{np.mean(right[-edge:]):.0%} of the hidden ones guessed)"
    ))  # fmt: skip


def _network() -> Any:
    import transformers

    return transformers.Wav2Vec2BertModel(
        transformers.Wav2Vec2BertConfig(
            hidden_size=_WIDTH, num_hidden_layers=_LAYERS, num_attention_heads=4, intermediate_size=_FEED_FORWARD,
            feature_projection_input_dim=2 * _BANDS, conv_depthwise_kernel_size=15, output_hidden_size=_WIDTH,
            position_embeddings_type="rotary", layerdrop=0.0, mask_time_prob=0.05,
        )
    )  # fmt: skip


def _save(network: Any, folder: Path, told: str) -> None:
    import transformers

    network.save_pretrained(folder)
    preprocessor: Any = transformers.Wav2Vec2FeatureExtractor
    preprocessor(sampling_rate=RATE_HZ, do_normalize=True).save_pretrained(folder)
    write_atomically(folder / "told.txt", told)  # last: without it the folder counts as unfinished


def _stretch(sounds: Sequence[Tensor], ends: NDArray[np.int64], random: np.random.Generator) -> Tensor:
    """Return one second: of a long clip a piece, of short ones several; a repeated clip would give the answer away.

    Every second of sound is as likely as any other: `ends` are the sums of the samples up to each clip's end.
    """
    wanted, parts = round(_SECONDS * RATE_HZ), list[Tensor]()
    while sum(map(len, parts)) < wanted:
        sound = sounds[int(np.searchsorted(ends, random.integers(ends[-1]), side="right"))]
        start = int(random.integers(max(len(sound) - wanted, 0) + 1))
        parts.append(sound[start : start + wanted])
    return torch.cat(parts)[:wanted]


def _bands(waveforms: Tensor) -> Tensor:
    """Return (batch, tokens, 160) as the trainer gives them to this network."""
    return stacked_fbank(waveforms, torch.full((len(waveforms),), waveforms.shape[1])).float()


def _cepstra(bands: Tensor) -> Tensor:
    """Return (batch, tokens, 26): the cepstrum of both frames of a token."""
    import torchaudio

    transform = torchaudio.functional.create_dct(_CEPSTRUM, _BANDS, norm="ortho")
    return (bands.unflatten(-1, (2, _BANDS)) @ transform).flatten(-2)


def _clusters(cepstra: Tensor, seed: int) -> Tensor:
    """Return the centres of k-means (clusters, features) after twenty rounds."""
    frames = cepstra.flatten(0, 1)
    frames = frames[torch.randperm(len(frames), generator=torch.Generator().manual_seed(seed))[:_FRAMES_CLUSTERED]]
    centres = frames[:_CLUSTERS].clone()
    for _ in range(20):
        nearest = torch.cdist(frames, centres).argmin(1)
        for number in range(_CLUSTERS):
            own = frames[nearest == number]
            centres[number] = own.mean(0) if len(own) else centres[number]
    return centres


def _spans(clips: int, tokens: int, random: np.random.Generator) -> NDArray[np.bool_]:
    hidden = np.zeros((clips, tokens), dtype=bool)
    for row in hidden:
        for start in random.integers(0, tokens - _SPAN + 1, round(_HIDDEN_SHARE * tokens / _SPAN)):
            row[start : start + _SPAN] = True
    return hidden
