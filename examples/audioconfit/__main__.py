"""S004 on real audio: pairs first, then a probe, against fine-tuning and against fine-tuning and a probe.

    python -m examples.audioconfit --data ../shared/data

FSDD speakers (40 training clips each) and ESC-10, five seeds, a small encoder that is pre-trained here on the training
audio; benchmarks/results/audioconfit.json will hold what comes out, whatever it is. Some ten minutes of CPU.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import transformers

from benchmarks.data import keep
from engine.evidence.dataset.records import Region
from engine.metrics import accuracy
from engine.plan import Plan, make_plan, patched, plan_yaml, write_atomically
from engine.representations import contributions, nearest_same_class, spread
from engine.significance import sign_flip
from engine.training.data import Item, read_corpus
from engine.training.representing import model_of, pooled_of, save_backbone
from engine.training.run import train_run
from engine.training.splits import parts_of
from engine.training.stopping import Stop
from engine.training.waveforms import decode
from examples.small_encoder import encoder, options

_OF_A_SPEAKER = {"train": 40, "test": 50}
_EPOCHS, _PROBE_EPOCHS = 12, 30
_SECONDS = 2.0
_METHODS = ("probe", "fine-tune", "fine-tune + probe", "pairs + probe")


def main() -> None:
    """Pre-train, compare, and keep the figures."""
    chosen = options(__doc__)
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for task, rows in (("FSDD speakers", fsdd(chosen.data)), ("ESC-10", esc10(chosen.data))):
            own = folder / task.replace(" ", "-")
            clips = [Path(row["path"]) for row in rows if row["split"] == "train"]
            checkpoint, rate_hz, said = encoder(own / "encoder", clips, chosen.pretraining_steps)
            plan = plan_for(written(own / "clips", rows, rate_hz), checkpoint, rate_hz)
            runs = [compared(plan, own / str(seed), seed) for seed in range(chosen.seeds)]
            figures[task] = {"encoder": said, "clips": dict(Counter(row["split"] for row in rows)), **summary(runs)}
    keep("audioconfit", figures)


def fsdd(data: Path) -> list[dict[str, str]]:
    """Return a few clips of every speaker; the test takes are those of the published split."""
    folder, seen, kept = data / "audio/fsdd", Counter[tuple[str, str]](), []
    with (folder / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    order = np.random.default_rng(0).permutation(len(rows))
    for row in (rows[place] for place in order):
        key = (row["speaker"], row["split"])
        if seen[key] < _OF_A_SPEAKER[row["split"]]:
            seen[key] += 1
            kept.append({"path": str(folder / row["path"]), "label": row["speaker"], "split": row["split"]})
    return kept


def esc10(data: Path) -> list[dict[str, str]]:
    """Return all clips; the fifth fold is the test."""
    folder = data / "audio/esc10"
    with (folder / "manifest.csv").open(newline="") as stream:
        return [
            {
                "path": str(folder / row["path"]),
                "label": row["label"],
                "split": "test" if row["fold"] == "5" else "train",
            }
            for row in csv.DictReader(stream)
        ]


def written(folder: Path, rows: list[dict[str, str]], rate_hz: int) -> Path:
    """Write the middle of every clip at the encoder's rate, once for all runs, and a manifest of them."""
    folder.mkdir(parents=True)
    most = round(_SECONDS * rate_hz)
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["path", "label", "split"])
        writer.writeheader()
        for number, row in enumerate(rows):
            sound = decode(Region(Path(row["path"])), rate_hz)
            start = max(len(sound) - most, 0) // 2
            soundfile.write(folder / f"{number}.wav", sound[start : start + most], rate_hz, subtype="PCM_16")
            writer.writerow({**row, "path": f"{number}.wav"})
    return folder / "manifest.csv"


def plan_for(manifest: Path, checkpoint: str, rate_hz: int) -> Plan:
    """Return the plan of fine-tuning; S004 takes Adam, here with a rate for a network of this size."""
    return make_plan(
        {
            "task": {"type": "classification"},
            "data": {"manifest": str(manifest), "split_column": "split", "sample_rate_hz": rate_hz},
            "backbone": {"name": "wav2vec2", "checkpoint": checkpoint},
            "adaptation": {"method": "full"},
            "training": {
                "epochs": _EPOCHS, "batch_size": 24, "optimizer": "adam", "learning_rate": 1e-3,
                "backbone_learning_rate": 5e-4, "schedule": "constant", "clip_norm": 1.0,
            },
            "evaluation": {"select_by": "accuracy"},
            "compute": {"device": "cpu", "threads": 1},
        },
        "example",
    )  # fmt: skip


def compared(plan: Plan, folder: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Train every method with one seed; return accuracy on the test clips and what the representation is like."""
    plan = patched(plan, {"training.seed": seed})
    as_probe = {"adaptation.method": "frozen", "training.epochs": _PROBE_EPOCHS, "training.learning_rate": 1e-2}
    trained(plan, folder / "fine-tune")
    settings = {"sampling_rate": plan.data.sample_rate_hz, "do_normalize": True}
    tuned = save_backbone(model_of(folder / "fine-tune"), folder / "tuned", settings)
    trained(patched(plan, as_probe), folder / "probe")
    trained(patched(plan, {**as_probe, "backbone.checkpoint": tuned}), folder / "fine-tune + probe")
    pairs = {"training.stages": "audioconfit", "training.pair_epochs": _EPOCHS, "training.epochs": _PROBE_EPOCHS}
    trained(patched(plan, {**pairs, "training.learning_rate": 1e-2}), folder / "pairs + probe")
    items = parts_of(read_corpus(plan).items, plan).held_out
    return {name: _measured(folder / name, plan, items) for name in _METHODS}


def trained(plan: Plan, run: Path) -> None:
    """Train one plan and score its test clips."""
    write_atomically(run / "plan.yaml", plan_yaml(plan))
    train_run(run / "plan.yaml", run, resume=False, test=True, stop=Stop())


def _measured(run: Path, plan: Plan, items: tuple[Item, ...]) -> dict[str, Any]:
    with (run / "predictions/test.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    vectors = pooled_of(model_of(run), plan, items)
    classes = [item.label for item in items]
    found = contributions(vectors)
    return {
        "accuracy": accuracy([row["label"] for row in rows], [row["prediction"] for row in rows]),
        **asdict(found),
        "nearest_same_class": nearest_same_class(vectors, classes),
        "spread": spread(vectors),
    }


def summary(runs: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return mean and deviation over seeds, and paired tests over seeds."""
    figures: dict[str, Any] = {}
    for method in _METHODS:
        own = [run[method] for run in runs]
        figures[method] = {
            "accuracy": _mean([one["accuracy"] for one in own]),
            "nearest_same_class": _mean([one["nearest_same_class"] for one in own]),
            "anisotropy": _mean([one["anisotropy"] for one in own]),
            "top_dimensions": {key: _mean([one["top"][key] for one in own]) for key in own[0]["top"]},
            "dimensions_needed": {key: _mean([one["needed"][key] for one in own]) for key in own[0]["needed"]},
        }
    pairs = [run["pairs + probe"]["accuracy"] for run in runs]
    figures["pairs + probe against"] = {
        other: asdict(sign_flip(pairs, [run[other]["accuracy"] for run in runs])) for other in _METHODS[:-1]
    }
    return figures


def _mean(values: list[float]) -> dict[str, float]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return {"mean": round(float(np.mean(values)), 4), "deviation": round(deviation, 4)}


if __name__ == "__main__":
    main()
