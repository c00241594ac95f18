"""Tiny corpora of tones, plans that train on them in a second, and ways to read a run directory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from engine.plan import Plan, make_plan, plan_yaml
from engine.training.checkpoints import read_checkpoint
from engine.training.run import train_run
from engine.training.stopping import Stop

RATE_HZ = 8000
CLASSES = ("high", "low", "mid")
_HZ = {"low": 300.0, "mid": 900.0, "high": 2500.0}


def tone_corpus(folder: Path, *, clips: int = 24, groups: int = 6, split: bool = False, scores: bool = False) -> Path:
    """Write short noisy tones and their manifest; every group holds clips of every class. Scores are the level."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(clips):
        label = CLASSES[number % 3]
        group = f"speaker-{number // 3 % groups}"
        score = 0.5 + 9 * ((number * 7) % clips) / clips
        level = 0.03 * score if scores else 0.2
        path = f"clip-{number}.wav"
        write_tone(folder / path, _HZ[label], level, seed=number, seconds=0.12 + 0.01 * (number % 7))
        part = ("train", "train", "train", "val", "test", "train")[number // 3 % 6]
        rows.append({"path": path, "label": f"{score:.3f}" if scores else label, "speaker": group, "split": part})
    columns = ["path", "label", "speaker", *(["split"] if split else [])]
    return write_manifest(folder / "manifest.csv", columns, rows)


def write_tone(path: Path, hz: float, level: float, *, seed: int, seconds: float, rate_hz: int = RATE_HZ) -> None:
    """Write one 16-bit WAV file."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(seed).normal(0, 0.02, len(time))
    soundfile.write(path, level * np.sin(2 * np.pi * hz * time) + noise, rate_hz, subtype="PCM_16")


def write_manifest(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Path:
    """Write a CSV manifest."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(columns), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def tone_plan(manifest: Path, **changes: Any) -> Plan:
    """Return a small plan; changes are plan paths with `__` for the dot, such as `training__epochs=3`."""
    content: dict[str, dict[str, Any]] = {
        "task": {"type": "classification"},
        "data": {
            "manifest": str(manifest),
            "group_column": "speaker",
            "sample_rate_hz": RATE_HZ,
            "protocol": "random-stratified-split",
            "validation_share": 0.25,
            "test_share": 0.0,
        },
        "backbone": {"name": "mfcc", "mels": 16, "coefficients": 6, "deltas": False, "normalise": "corpus"},
        "head": {"name": "linear"},
        "training": {"epochs": 2, "batch_size": 6, "learning_rate": 0.02, "clip_norm": 1.0},
        "evaluation": {"select_by": "accuracy", "bootstrap_samples": 100},
        "compute": {"device": "cpu", "threads": 1},
    }
    for path, value in changes.items():
        section, _, name = path.partition("__")
        content.setdefault(section, {})[name] = value
    return make_plan(content, "test")


def score_plan(manifest: Path, **changes: Any) -> Plan:
    """Return a small plan for regression."""
    fixed = {
        "task__type": "regression",
        "training__loss": "mse",
        "evaluation__select_by": "ccc",
        "output__bounded": True,
        "output__low": 0.0,
        "output__high": 10.0,
    }
    return tone_plan(manifest, **(fixed | changes))


def write_plan(plan: Plan, run: Path) -> Path:
    """Put the plan into its run directory."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "plan.yaml").write_text(plan_yaml(plan), "utf-8")
    return run / "plan.yaml"


def train(plan: Plan, run: Path, *, resume: bool = False, test: bool = False, stop: Stop | None = None) -> Path:
    """Train in this process and return the run directory."""
    if not resume:
        write_plan(plan, run)
    train_run(run / "plan.yaml", run, resume=resume, test=test, stop=stop or Stop())
    return run


def events_of(run: Path, kind: str | None = None) -> list[dict[str, Any]]:
    """Return the events of a run, all or of one kind."""
    lines = (run / "events.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if kind in (None, event["kind"])]


def assert_kept_is_anew(plan: Plan, folder: Path, monkeypatch: pytest.MonkeyPatch, rel: float) -> None:
    """Train with what lies below the first weight that learns kept, and computed each time: the losses are the same."""
    kept = train(plan, folder / "kept")
    monkeypatch.setattr("engine.training.model.AudioModel.has_prefix", property(lambda _: False))
    anew = train(plan, folder / "anew")
    for one, other in zip(events_of(kept, "step"), events_of(anew, "step"), strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=rel)


def last_state(run: Path) -> dict[str, Tensor]:
    """Return every tensor of the newest checkpoint: weights, optimiser, random states."""
    newest = max((run / "checkpoints").glob("last-*.safetensors"))
    return read_checkpoint(newest)[0]


def assert_same_state(expected: Mapping[str, Tensor], actual: Mapping[str, Tensor]) -> None:
    """Compare two states bit by bit; NaN equals NaN."""
    assert sorted(expected) == sorted(actual)
    assert [name for name in expected if _bits(expected[name]) != _bits(actual[name])] == []


def _bits(value: Tensor) -> bytes:
    return value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
