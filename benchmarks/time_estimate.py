"""The estimated hours of a training against what this trainer takes, on one core, in processor time.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.time_estimate

FSDD and ESC-10 with the plans that the rules draw, and ESC-10 through a random network of the shape of wav2vec2-base,
frozen, with adapters, and learning as a whole. A core's speed is the one that the rules state. Ten minutes on a quiet
core. On a GPU: not measured, no GPU.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.data import data_folder, experts_plan, keep, trained
from engine.duration import Training, beside_seconds, gflop
from engine.memory import Method
from engine.plan import Plan
from expert.chaining import consult
from knowledge.loader import load_knowledge
from knowledge.records import Fact

_EPOCHS = 4
_METHODS: tuple[tuple[str, Method], ...] = (("frozen", "frozen"), ("lora", "adapters"), ("full", "full"))


def main() -> None:
    """Train each case once and keep estimate, measurement and their ratio."""
    os.environ["OMP_NUM_THREADS"] = "1"
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, plan, card, training in _cases(folder):
            os.environ["TONMEISTER_CACHE"] = str(folder / f"cache-{len(rows)}")
            run = folder / f"run-{len(rows)}"
            before = _processor_seconds()
            trained(plan, run)
            measured = _processor_seconds() - before
            seconds = _estimated(card, replace(training, **_seen(run)), plan)
            rows.append({"case": title, "estimated_seconds": round(seconds, 1), "measured_seconds": round(measured, 1),
                         "ratio": round(seconds / measured, 2)})  # fmt: skip
    ratios = [row["ratio"] for row in rows]
    keep("time_estimate", {
        "processor, one core": rows, "least_ratio": min(ratios), "most_ratio": max(ratios),
        "gflops_a_core": _stated("machine.gflops"), "stated_factor": _stated("machine.time_factor"),
        "GPU": "not measured: no GPU",
    })  # fmt: skip


def _cases(folder: Path) -> list[tuple[str, Plan, str, Training]]:
    """Title, plan, card of the backbone, and what is known of the training before it runs."""
    fsdd, esc = data_folder("fsdd") / "manifest.csv", data_folder("esc10")
    digits, sounds = (
        experts_plan(fsdd, {"task.domain": "clean-speech"}),
        experts_plan(esc, {"task.domain": "environmental"}),
    )
    found = []
    for title, plan in (("FSDD", digits), ("ESC-10", sounds)):
        for strength in ("none", "light"):
            for head in ("linear", "temporal"):
                changes = {"augmentation.strength": strength, "head.name": head}
                varied = strength != "none"
                found.append((f"{title}, {plan.backbone.name}, {head} head, augmentation {strength}",
                              _short(plan, changes), "", Training(0, 0, _EPOCHS, "frozen", varied=varied)))  # fmt: skip
    checkpoint = str(_network(folder / "network"))
    for own, method in _METHODS:
        changes = {"backbone.name": "wav2vec2", "backbone.checkpoint": checkpoint, "adaptation.method": own,
                   "data.sample_rate_hz": 16000, "training.epochs": 2, "augmentation.strength": "none",
                   "head.name": "linear", "pooling.name": "mean"}  # fmt: skip
        found.append((f"ESC-10, wav2vec2-base, {own}", _short(sounds, changes), "wav2vec2-base",
                      Training(0, 0, 2, method)))  # fmt: skip
    return found


def _short(plan: Plan, changes: dict[str, Any]) -> Plan:
    from engine.plan import patched

    short = {"data.protocol": "random-stratified-split", "training.epochs": _EPOCHS, "training.patience_epochs": 0}
    return patched(plan, {**short, **changes})


def _seen(run: Path) -> dict[str, Any]:
    """Clips and seconds of training and validation, as the trainer saw them."""
    import csv

    import soundfile

    start = next(event for event in map(json.loads, (run / "events.jsonl").open()) if event["kind"] == "start")
    from engine.plan import read_plan

    plan = read_plan(run / "plan.yaml")
    manifest = Path(plan.data.manifest)
    if manifest.is_dir():
        files = [path for path in manifest.rglob("*") if path.suffix in (".ogg", ".wav", ".flac")]
    else:
        files = [manifest.parent / row["path"] for row in csv.DictReader(manifest.open(encoding="utf-8"))]
    seconds = sum(soundfile.info(file).duration for file in files) / len(files)
    clips = start["train_clips"] + start["validation_clips"]
    return {"clips": clips, "audio_seconds": clips * seconds, "rate_khz": plan.data.sample_rate_hz / 1000}


def _estimated(card: str, training: Training, plan: Plan) -> float:
    spectral = plan.backbone.name in ("mfcc", "log-mel")
    beside = beside_seconds(training, spectral=spectral, reads_frames=plan.head.name == "temporal")
    work = 0.0 if spectral else gflop(load_knowledge().vocabulary.cards[card], training)
    assert work is not None
    return beside + work / _stated("machine.gflops")


def _stated(name: str) -> float:
    facts = consult(load_knowledge(), [Fact("machine.gpu", False, "user")], packs=("plan",)).facts
    return float(facts[name].value)


def _network(path: Path) -> Path:
    """A network of the shape of wav2vec2-base with random weights."""
    import torch
    import transformers

    torch.manual_seed(0)
    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config()).save_pretrained(path)
    return path


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
