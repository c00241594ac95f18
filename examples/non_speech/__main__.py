"""S002 on real audio: does fine-tuning on sounds that are no speech change how well digits are told apart?

    python -m examples.non_speech --data ../shared/data --minutes 7

A small encoder that is pre-trained here on speech learns the sounds of ESC-10, five times with other seeds; ABX over
takes of digits that it never heard, before and after, with each of six speakers as a pair. results.json beside this
file holds what comes out. About ten minutes of one core.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from engine.discrimination import Discrimination, abx, alignment_distances
from engine.plan import Plan, patched
from engine.representations import contributions, nearest_same_class, similarity_kept, spread
from engine.training.data import read_corpus
from engine.training.items import Item
from engine.training.model import AudioModel, build_model
from engine.training.representing import frames_of, model_of
from examples.audioconfit.__main__ import plan_for, right, trained
from examples.clips import esc10, fsdd_digits, written
from examples.slices import options, run
from examples.small_encoder import RATE_HZ, Encoder, encoder, random_encoder

from .comparison import told

_TAKES = 3
"""Test takes of each digit and speaker: 180 clips, 16,110 distances."""
_SECONDS, _FOLD = 1.0, "5"
_EPOCHS = 20


def main() -> None:
    """Pre-train once, measure, fine-tune on other sounds, measure again, and keep the figures."""
    chosen = options(__doc__, Path(__file__).with_name("results.json"))
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    begin = encoder(chosen.data, chosen.pretraining_steps)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(chosen.results, _units(chosen, begin, folder), chosen.minutes, partial(told, encoder=begin.told))


def _units(chosen: Any, begin: Encoder, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    digits = written(folder / "digits", fsdd_digits(chosen.data, _TAKES), RATE_HZ, _SECONDS)
    sounds = written(folder / "sounds", esc10(chosen.data, _FOLD), RATE_HZ, _SECONDS)
    plan = patched(plan_for(sounds, begin), {"training.epochs": _EPOCHS})
    items = read_corpus(patched(plan, {"data.manifest": str(digits), "data.protocol": "given-split"})).items
    yield "log-mel frames", lambda: _figures(_heard(_frozen(_log_mel(plan)), plan, items))
    yield (
        "random weights",
        lambda: _figures(_heard(_begun(random_encoder(begin, folder / "random"), plan), plan, items)),
    )
    yield "before", lambda: _figures(_heard(_begun(begin, plan), plan, items))
    for seed in range(chosen.seeds):
        yield f"after / seed {seed}", lambda seed=seed: _after(begin, plan, items, folder / str(seed), seed)


def _after(begin: Encoder, plan: Plan, items: tuple[Item, ...], folder: Path, seed: int) -> dict[str, Any]:
    """Fine-tune on sounds; return what became of the digits, and how well the sounds were learnt."""
    trained(patched(plan, {"training.seed": seed}), folder)
    before, after = _heard(_begun(begin, plan), plan, items), _heard(model_of(folder), plan, items)
    kept = similarity_kept(_means(before[0]), _means(after[0]))
    return {"accuracy on the sounds": right(folder, "test")[0], "similarity kept (CKA)": kept, **_figures(after)}


Heard = tuple[list[Any], tuple[str, ...], tuple[str, ...]]
"""Frames, digit and speaker of every clip."""


def _frozen(plan: Plan) -> AudioModel:
    return build_model(patched(plan, {"adaptation.method": "frozen"}), classes=10).eval()


def _begun(begin: Encoder, plan: Plan) -> AudioModel:
    return _frozen(patched(plan, {"backbone.checkpoint": begin.checkpoint}))


def _log_mel(plan: Plan) -> Plan:
    changes = {"backbone.name": "log-mel", "backbone.checkpoint": None, "backbone.normalise": "clip"}
    return patched(plan, {"adaptation.method": "frozen", **changes})


def _heard(model: AudioModel, plan: Plan, items: tuple[Item, ...]) -> Heard:
    digits, speakers = zip(*(item.label.split() for item in items), strict=True)
    return frames_of(model, plan, items), digits, speakers


def _means(frames: list[Any]) -> Any:
    return np.stack([clip.mean(axis=0) for clip in frames])


def _figures(heard: Heard) -> dict[str, Any]:
    frames, digits, speakers = heard
    distances, vectors = alignment_distances(frames), _means(frames)
    return {
        "within": _discrimination(abx(distances, digits, speakers)),
        "across": _discrimination(abx(distances, digits, speakers, across=True)),
        "anisotropy": contributions(vectors).anisotropy,
        "spread": spread(vectors),
        "nearest clip has the same digit": nearest_same_class(vectors, digits),
    }


def _discrimination(found: Discrimination) -> dict[str, Any]:
    deltas = found.deltas
    return {
        "abx": found.score,
        "triples": len(deltas),
        "delta mean": float(deltas.mean()),
        "delta deviation": float(deltas.std()),
        "by speaker": found.by_speaker(),
    }


if __name__ == "__main__":
    main()
