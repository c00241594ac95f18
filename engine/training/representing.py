"""Gives what a trained encoder makes of clips, before any head; it trains nothing and judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from engine.plan import Plan, read_plan
from knowledge.errors import InputError

from .backbones import PretrainedEncoder
from .batches import by_length
from .checkpoints import BEST, read_checkpoint
from .items import Item
from .loader import Loader
from .model import AudioModel, build_model
from .recipes import begin_with
from .waveforms import Waveforms

_CLIPS = 32
"""Clips encoded at once."""


def model_of(run: Path) -> AudioModel:
    """Return the model of a finished run as its best epoch left it.

    Raises:
        InputError: the run has no checkpoint, or one of another plan.
    """
    plan = read_plan(run / "plan.yaml")
    tensors, notes = read_checkpoint(run / "checkpoints" / BEST)
    model = build_model(plan, classes=len(notes["classes"]) or None, seed=plan.training.seed)
    begin_with(model, plan, run).load_trainable_state(tensors)
    return model.eval()


def frames_of(model: AudioModel, plan: Plan, items: Sequence[Item]) -> list[NDArray[np.float32]]:
    """Return (frames, features) of every clip, from the encoder alone.

    Raises:
        InputError: a clip cannot be decoded.
    """
    loader = _loader(plan, items)
    lengths = [loader.samples(item) for item in items]
    found: dict[int, NDArray[np.float32]] = {}
    for rows in by_length(lengths, _CLIPS):
        found |= dict(zip(rows, _encoded(model, loader, [items[row] for row in rows]), strict=True))
    return [found[row] for row in range(len(items))]


def pooled_of(model: AudioModel, plan: Plan, items: Sequence[Item]) -> NDArray[np.float64]:
    """Return (clips, features): the mean over the frames of each clip."""
    return np.stack([frames.mean(axis=0, dtype=np.float64) for frames in frames_of(model, plan, items)])


def save_backbone(model: AudioModel, folder: Path, settings: dict[str, Any]) -> str:
    """Save the network below the head as a checkpoint that a plan can begin with, and return its path.

    Args:
        model: with a pretrained backbone and without adapters, which stand beside the weights.
        folder: new.
        settings: of the preprocessor, such as its sampling rate.
    """
    from transformers import Wav2Vec2FeatureExtractor

    network = cast(Any, cast(PretrainedEncoder, model.encoder).network)
    network.save_pretrained(folder)
    preprocessor: Any = Wav2Vec2FeatureExtractor
    preprocessor(**settings).save_pretrained(folder)
    return str(folder)


def _loader(plan: Plan, items: Sequence[Item]) -> Loader:
    waveforms = Waveforms(plan.data.sample_rate_hz)
    waveforms.load((region for item in items for region in item.regions), lambda: None, plan.compute.workers)
    if waveforms.unreadable:
        region, reason = next(iter(waveforms.unreadable.items()))
        raise InputError(f"{region.file}: {reason}")
    return Loader(waveforms, plan)


@torch.no_grad()
def _encoded(model: AudioModel, loader: Loader, items: Sequence[Item]) -> Iterator[NDArray[np.float32]]:
    frames, mask = model.encode(loader.evaluation_batch(items))
    for clip, own in zip(frames, mask, strict=True):
        yield clip[own].float().numpy()
