"""Tiny corpora with several tags, transcripts or events in each clip, made of tones, and plans that train on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from engine.plan import Plan

from .corpora import RATE_HZ, tone_plan, write_manifest

HZ = {"a": 350.0, "b": 1000.0, "c": 2600.0}
"""What every letter, tag or event sounds like."""
SEQUENCE_HEAD = {"head__name": "temporal", "head__hidden": 16, "backbone__normalise": "corpus"}


def tag_corpus(folder: Path, clips: int = 24) -> Path:
    """Every clip is a sum of tones; the last of every eight has none."""
    rows = []
    for number in range(clips):
        tags = [tag for place, tag in enumerate(HZ) if (number % 8) >> place & 1]
        rows.append(_written(folder, number, [(tag, 0.0, 0.2) for tag in tags], 0.2) | {"label": ";".join(tags)})
    return write_manifest(folder / "manifest.csv", ["path", "label", "speaker"], rows)


def word_corpus(folder: Path, clips: int = 24) -> Path:
    """Every clip spells two to four letters, 80 ms each with 40 ms of silence after each."""
    rows = []
    for number in range(clips):
        random = np.random.default_rng(number)
        word = "".join(random.choice(list(HZ), 2 + number % 3))
        parts = [(letter, 0.12 * place, 0.12 * place + 0.08) for place, letter in enumerate(word)]
        rows.append(_written(folder, number, parts, 0.12 * len(word)) | {"label": word.upper()})
    return write_manifest(folder / "manifest.csv", ["path", "label", "speaker"], rows)


def event_corpus(folder: Path, clips: int = 18) -> Path:
    """Every clip of 1 s holds two events, of which one may be silence; a row is an event."""
    rows = []
    for number in range(clips):
        random = np.random.default_rng(number)
        events = [
            (name, onset := float(random.uniform(0, 0.5)), onset + 0.35)
            for name in random.choice(list(HZ), 1 + number % 2, replace=False)
        ]
        row = _written(folder, number, events if number % 6 else [], 1.0)
        rows += [
            row | {"label": name, "onset": f"{onset:.3f}", "offset": f"{offset:.3f}"}
            for name, onset, offset in events
            if number % 6
        ] or [row | {"label": "", "onset": "", "offset": ""}]
    return write_manifest(folder / "manifest.csv", ["path", "label", "onset", "offset", "speaker"], rows)


def _written(folder: Path, number: int, parts: list[tuple[str, float, float]], seconds: float) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = np.random.default_rng(number).normal(0, 0.01, len(time))
    for name, onset, offset in parts:
        sound += 0.2 * np.sin(2 * np.pi * HZ[name] * time) * ((time >= onset) & (time < offset))
    soundfile.write(folder / f"clip-{number}.wav", sound, RATE_HZ, subtype="PCM_16")
    return {"path": f"clip-{number}.wav", "speaker": f"speaker-{number % 6}"}


def tag_plan(manifest: Path, **changes: Any) -> Plan:
    """Return a small plan for several tags a clip."""
    fixed: dict[str, Any] = {
        "task__labels": "several",
        "pooling__name": "statistics",
        "training__loss": "binary-cross-entropy",
        "evaluation__select_by": "mean-average-precision",
    }
    return tone_plan(manifest, **(fixed | changes))


def word_plan(manifest: Path, **changes: Any) -> Plan:
    """Return a small plan that spells."""
    fixed: dict[str, Any] = {
        "task__type": "ctc", "training__loss": "ctc", "evaluation__select_by": "character-error-rate",
    }  # fmt: skip
    return tone_plan(manifest, **(fixed | SEQUENCE_HEAD | changes))


def event_plan(manifest: Path, **changes: Any) -> Plan:
    """Return a small plan that finds events."""
    fixed: dict[str, Any] = {
        "task__type": "detection",
        "training__loss": "binary-cross-entropy",
        "evaluation__select_by": "segment-f1",
        "evaluation__segment_seconds": 0.25,
    }
    return tone_plan(manifest, **(fixed | SEQUENCE_HEAD | changes))
