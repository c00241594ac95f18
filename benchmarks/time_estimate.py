"""The estimated hours of a training against what this trainer takes, on one core, in processor time.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.time_estimate [WORD ...]

FSDD and ESC-10 with the plans that the rules draw, and some clips of FSDD through a random network of the shape of
wav2vec2-base, frozen, with adapters, and learning as a whole. A core's speed is the one that the rules state. Words
choose cases by their titles. Five minutes on a quiet core; `load` is that of the machine, which has two, when a case
ended: processor time grows by up to a half where others compute beside it. On a GPU: not measured, no GPU.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import RESULTS, data_folder, experts_plan, keep, trained
from engine.duration import Training, beside_seconds, gflop, learning_weights
from engine.memory import Method
from engine.plan import Plan, patched, read_plan
from expert.chaining import consult
from knowledge.loader import load_knowledge
from knowledge.records import Fact

_EPOCHS = 4
_METHODS: tuple[tuple[str, Method], ...] = (("frozen", "frozen"), ("lora", "adapters"), ("full", "full"))


def main() -> None:
    """Train each case whose title holds a word of the command line, or all; keep estimate, measurement and ratio."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (title, make, card, training) in enumerate(_cases(folder)):
            if sys.argv[1:] and not any(word in title for word in sys.argv[1:]):
                continue
            os.environ["TONMEISTER_CACHE"] = str(folder / f"cache-{number}")
            plan, run = make(), folder / f"run-{number}"
            before = _processor_seconds()
            trained(plan, run)
            measured = _processor_seconds() - before
            seconds = _estimated(card, replace(training, **_seen(run)), plan)
            _keep(title, {"estimated_seconds": round(seconds, 1), "measured_seconds": round(measured, 1),
                          "ratio": round(seconds / measured, 2), "load": round(os.getloadavg()[0], 1)})  # fmt: skip


def _keep(title: str, row: dict[str, float]) -> None:
    """Put one case into the figures kept so far."""
    path = RESULTS / "time_estimate.json"
    rows = json.loads(path.read_text("utf-8"))["processor, one core"] if path.exists() else {}
    rows[title] = row
    ratios = [one["ratio"] for one in rows.values()]
    keep("time_estimate", {
        "processor, one core": rows, "least_ratio": min(ratios), "most_ratio": max(ratios),
        "gflops_a_core": _stated("machine.gflops"), "stated_factor": _stated("machine.time_factor"),
        "GPU": "not measured: no GPU",
    })  # fmt: skip


def _cases(folder: Path) -> list[tuple[str, Callable[[], Plan], str, Training]]:
    """Title, plan, card of the backbone, and what is known of the training before it runs."""
    fsdd, esc = data_folder("fsdd") / "manifest.csv", data_folder("esc10")
    found: list[tuple[str, Callable[[], Plan], str, Training]] = []
    checkpoint = folder / "network"
    for own, method in _METHODS:
        changes = {"backbone.name": "wav2vec2", "backbone.checkpoint": str(checkpoint), "adaptation.method": own,
                   "data.sample_rate_hz": 16000, "training.epochs": 2, "augmentation.strength": "none",
                   "head.name": "linear", "pooling.name": "mean"}  # fmt: skip
        few = partial(_of_few, folder, fsdd, checkpoint, changes)
        found.append((f"80 clips of FSDD, wav2vec2-base, {own}", few, "wav2vec2-base", Training(0, 0, 2, method)))
    for title, manifest, domain in (("FSDD", fsdd, "clean-speech"), ("ESC-10", esc, "environmental")):
        for strength in ("none", "light"):
            for head in ("linear", "temporal"):
                changes = {"augmentation.strength": strength, "head.name": head}
                make = partial(_planned, manifest, domain, changes)
                found.append((f"{title}, spectra, {head} head, augmentation {strength}", make, "",
                              Training(0, 0, _EPOCHS, "frozen", varied=strength != "none")))  # fmt: skip
    return found


def _planned(manifest: Path, domain: str, changes: dict[str, Any]) -> Plan:
    return _short(experts_plan(manifest, {"task.domain": domain}), changes)


def _of_few(folder: Path, manifest: Path, checkpoint: Path, changes: dict[str, Any]) -> Plan:
    """The plan for every 36th clip, of a network with random weights."""
    if not checkpoint.exists():
        _network(checkpoint)
    rows = list(csv.DictReader(manifest.open(encoding="utf-8")))[::36]
    own = folder / "few.csv"
    with own.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label"])
        writer.writerows([manifest.parent / row["path"], row["label"]] for row in rows)
    return _planned(own, "clean-speech", changes)


def _short(plan: Plan, changes: dict[str, Any]) -> Plan:
    short = {"data.protocol": "random-stratified-split", "training.epochs": _EPOCHS, "training.patience_epochs": 0}
    return patched(plan, {**short, **changes})


def _seen(run: Path) -> dict[str, Any]:
    """Clips and seconds of training and validation, as the trainer saw them."""
    import soundfile

    start = next(event for event in map(json.loads, (run / "events.jsonl").open()) if event["kind"] == "start")
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
    shaped = None if spectral else load_knowledge().vocabulary.cards[card]
    weights = learning_weights(shaped, training) if shaped else 0.0
    temporal = plan.head.name == "temporal"
    beside = beside_seconds(training, spectral=spectral, reads_frames=temporal, weights=weights)
    work = gflop(shaped, training) if shaped else 0.0
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
