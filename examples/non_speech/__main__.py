"""S002 on real audio: does fine-tuning on sounds that are no speech change how well digits are told apart?

    python -m examples.non_speech --data ../shared/data

A small encoder that is pre-trained here on FSDD hears ESC-10; ABX over digits that neither saw, before and after, with
each of six speakers as a pair; benchmarks/results/non_speech.json will hold what comes out. Some five minutes of CPU.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
import yaml

from benchmarks.data import keep
from engine.discrimination import Discrimination, abx, alignment_distances
from engine.plan import patched
from engine.representations import contributions, nearest_same_class, similarity_kept, spread
from engine.significance import sign_flip
from engine.training.data import Item, read_corpus
from engine.training.model import AudioModel, build_model
from engine.training.representing import frames_of, model_of
from examples.audioconfit.__main__ import esc10, plan_for, trained, written
from examples.small_encoder import encoder, options

_TAKES = 3
"""Test takes of each digit and speaker: 180 clips, 16,110 distances."""
_EPOCHS = 12


def main() -> None:
    """Pre-train, fine-tune on other sounds, compare, and keep the figures."""
    chosen = options(__doc__)
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speech = list(csv.DictReader((chosen.data / "audio/fsdd/manifest.csv").open(newline="")))
        root = chosen.data / "audio/fsdd"
        heard = [root / row["path"] for row in speech if row["split"] == "train"][::4]
        checkpoint, rate_hz, said = encoder(folder / "encoder", heard, chosen.pretraining_steps)
        digits = written(folder / "digits", _digits(speech, root), rate_hz)
        sounds = written(folder / "sounds", esc10(chosen.data), rate_hz)
        plan = patched(plan_for(sounds, checkpoint, rate_hz), {"training.epochs": _EPOCHS})
        items = read_corpus(patched(plan, {"data.manifest": str(digits), "data.protocol": "given-split"})).items
        before = build_model(patched(plan, {"adaptation.method": "frozen"}), classes=10).eval()
        measured = {"before": _measured(before, plan, items)}
        trained(plan, folder / "run")
        measured["after"] = _measured(model_of(folder / "run"), plan, items)
        keep("non_speech", {"encoder": said, **_told(measured)})


def _digits(rows: list[dict[str, str]], root: Path) -> list[dict[str, str]]:
    """Return clips that were not heard before; the label names digit and speaker."""
    seen, kept = Counter[tuple[str, str]](), []
    for row in rows:
        key = (row["label"], row["speaker"])
        if row["split"] == "test" and seen[key] < _TAKES:
            seen[key] += 1
            label = f"{row['label']} {row['speaker']}"
            kept.append({"path": str(root / row["path"]), "label": label, "split": "train"})
    return kept


def _measured(model: AudioModel, plan: Any, items: tuple[Item, ...]) -> dict[str, Any]:
    frames = frames_of(model, plan, items)
    digits, speakers = zip(*(item.label.split() for item in items), strict=True)
    distances = alignment_distances(frames)
    return {
        "within": abx(distances, digits, speakers),
        "across": abx(distances, digits, speakers, across=True),
        "vectors": np.stack([clip.mean(axis=0) for clip in frames]),
        "digits": digits,
    }


def _told(measured: dict[str, dict[str, Any]]) -> dict[str, Any]:
    limits = yaml.safe_load(Path(__file__).with_name("limits.yaml").read_text("utf-8"))
    before, after = measured["before"], measured["after"]
    figures: dict[str, Any] = {name: _figures(one) for name, one in measured.items()}
    figures["similarity of representations kept (CKA)"] = similarity_kept(before["vectors"], after["vectors"])
    for kind in ("within", "across"):
        old, new = before[kind], after[kind]
        found = sign_flip(list(new.by_speaker().values()), list(old.by_speaker().values()))
        share = float(new.deltas.std() / old.deltas.std())
        figures[f"{kind} speakers"] = {
            "paired test over speakers": asdict(found),
            "spread of deltas after over before": share,
            "verdict": _verdict(found.p_value, found.difference, limits["significant_below"]),
            "collapsed": share < limits["collapsed_below"],
        }
    return figures


def _figures(one: dict[str, Any]) -> dict[str, Any]:
    found = contributions(one["vectors"])
    return {
        **{kind: _abx_figures(one[kind]) for kind in ("within", "across")},
        "anisotropy": found.anisotropy,
        "spread": spread(one["vectors"]),
        "nearest clip has the same digit": nearest_same_class(one["vectors"], one["digits"]),
    }


def _abx_figures(found: Discrimination) -> dict[str, Any]:
    deltas = found.deltas
    return {
        "abx": found.score,
        "triples": len(deltas),
        "delta_mean": float(deltas.mean()),
        "delta_deviation": float(deltas.std()),
        "by_speaker": found.by_speaker(),
    }


def _verdict(p_value: float, difference: float, limit: float) -> str:
    if p_value >= limit:
        return "inconclusive"
    return "better after" if difference > 0 else "worse after"


if __name__ == "__main__":
    main()
