"""Transcripts, tags and events on real audio: the expert's plans, each trained to the end without a GPU or downloads.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.sequence_tasks [words] [tags] [events]

Words are the digits of FSDD spelled as characters, one speaker held out; tags and events lie in two or three clips of
ESC-10 laid over each other, with clips of other recordings in the test part. Five to fifteen minutes on one core.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from torchaudio.functional import resample

from benchmarks.data import data_folder, experts_plan, keep, trained

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TAKES, _SPEAKER = 20, "theo"
_RATE_HZ, _SCENE_SECONDS = 16000, 5.0
_SCENES = {"train": 160, "val": 40, "test": 80}
_UNVARIED = {"augmentation__strength": "none"}
"""Rooms and noise for clips of 5 s cost more than all else here, so the scenes are taken as they are."""
_EVENT_EPOCHS = 20
"""A quarter of what the plan gives so few clips; the recurrent layer walks 250 frames a scene."""
_FOLDS = {"train": ("1", "2", "3"), "val": ("4",), "test": ("5",)}
"""Folds of ESC-10: no recording is in two of them."""


def main() -> None:
    """Run what is named, or all three, and keep the figures."""
    wanted = sys.argv[1:] or ["words", "tags", "events"]
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            keep(f"sequence_{name}", {"words": words, "tags": tags, "events": events}[name](Path(folder)))


def words(folder: Path) -> dict[str, Any]:
    """Spell digits of a voice that was never heard."""
    source = data_folder("fsdd")
    rows = [
        {
            "path": str(source / row["path"]),
            "text": _WORDS[int(row["label"])],
            "speaker": row["speaker"],
            "split": "test" if row["speaker"] == _SPEAKER else "val" if row["speaker"] == "lucas" else "train",
        }
        for row in csv.DictReader((source / "manifest.csv").open(encoding="utf-8"))
        if int(row["take"]) < _TAKES
    ]
    manifest = _written(folder / "words.csv", rows)
    answers = {"task.type": "ctc", "task.domain": "clean-speech"}
    plan = experts_plan(manifest, answers, label="text", group="speaker", split="split")
    return _run(plan, folder, data__label_column="text", data__split_column="split", data__protocol="given-split")


def tags(folder: Path) -> dict[str, Any]:
    """Name the sounds that a mixture holds."""
    rows = []
    for path, split, found in _scenes(folder):
        rows.append({"path": path, "label": ";".join(sorted({name for name, _, _ in found})), "split": split})
    manifest = _written(folder / "tags.csv", rows)
    answers = {"task.type": "classification", "task.kind": "sound-tags", "task.domain": "environmental"}
    return _run(experts_plan(manifest, answers, label="label", split="split"), folder, **_UNVARIED)


def events(folder: Path) -> dict[str, Any]:
    """Find the sounds of a mixture in time."""
    rows = []
    for path, split, found in _scenes(folder):
        for name, onset, offset in found:
            times = {"onset": f"{onset:.3f}", "offset": f"{offset:.3f}"}
            rows.append({"path": path, "label": name, **times, "split": split})
    manifest = _written(folder / "events.csv", rows)
    answers = {"task.type": "detection", "task.domain": "environmental"}
    plan = experts_plan(manifest, answers, label="label", split="split")
    return _run(plan, folder, **_UNVARIED, training__epochs=_EVENT_EPOCHS)


def _run(plan: Any, folder: Path, **changes: Any) -> dict[str, Any]:
    from engine.training.external import evaluate_run
    from engine.training.stopping import Stop

    run = trained(plan, folder / "run", **changes)
    scored: dict[str, Any] = evaluate_run(run, None, "test", "test", Stop())
    said = [row["prediction"] for row in csv.DictReader((run / "predictions" / "test.csv").open(encoding="utf-8"))]
    return {"clips": scored["clips"], **scored["metrics"], "by_class": scored.get("by_class", {}), "said": said[:5]}


def _scenes(folder: Path) -> list[tuple[str, str, list[tuple[str, float, float]]]]:
    """Write mixtures of two or three sounds over faint noise; return path, split and what sounds when."""
    clips = _clips()
    random, scenes = np.random.default_rng(0), []
    for split, count in _SCENES.items():
        own = [clip for clip in clips if clip[1] in _FOLDS[split]]
        for number in range(count):
            sound = random.normal(0, 1e-3, round(_SCENE_SECONDS * _RATE_HZ)).astype(np.float32)
            found = []
            for place in random.choice(len(own), random.integers(2, 4), replace=False):
                name, _, samples = own[place]
                part = samples[: round(random.uniform(0.6, 2.5) * _RATE_HZ)]
                start = int(random.integers(0, len(sound) - len(part)))
                sound[start : start + len(part)] += random.uniform(0.3, 1.0) * part
                found.append((name, start / _RATE_HZ, (start + len(part)) / _RATE_HZ))
            path = folder / f"{split}-{number}.wav"
            soundfile.write(path, np.clip(sound, -1, 1), _RATE_HZ, subtype="PCM_16")
            scenes.append((str(path), split, found))
    return scenes


def _clips() -> list[tuple[str, str, NDArray[np.float32]]]:
    """Return class, fold and the loudest stretch of every clip, at equal loudness."""
    import torch

    source, clips = data_folder("esc10"), []
    for row in csv.DictReader((source / "manifest.csv").open(encoding="utf-8")):
        samples, rate = soundfile.read(source / row["path"], dtype="float32")
        sound = resample(torch.from_numpy(samples), rate, _RATE_HZ).numpy()
        longest = round(2.5 * _RATE_HZ)
        energy = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
        start = int(np.argmax(energy[longest:] - energy[:-longest])) if len(sound) > longest else 0
        part = sound[start : start + longest]
        clips.append((row["label"], row["fold"], 0.1 * part / (np.sqrt(np.mean(part**2)) + 1e-6)))
    return clips


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


if __name__ == "__main__":
    main()
