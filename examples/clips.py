"""The clips of the examples: which rows of FSDD and ESC-10, cut to their loudest stretch. It splits as published."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine.evidence.dataset.records import Region
from engine.training.waveforms import decode

Row = dict[str, str]
"""path, label, split, and `group`: clips of one group are alike, and count once where clips are compared."""
COLUMNS = ("path", "label", "split", "group")


def fsdd_speakers(data: Path, of_a_speaker: int) -> list[Row]:
    """Return so many training clips of every speaker, and all test takes of the published split, 50 of each."""
    kept, seen = [], Counter[str]()
    for row in _shuffled(_rows(data / "audio/fsdd")):
        seen[row["speaker"]] += row["split"] == "train"
        if row["split"] == "test" or (row["split"] == "train" and seen[row["speaker"]] <= of_a_speaker):
            group = f"{row['speaker']} {row['label']}"
            kept.append({"path": row["path"], "label": row["speaker"], "split": row["split"], "group": group})
    return kept


def fsdd_digits(data: Path, takes: int) -> list[Row]:
    """Return so many test takes of every digit and speaker; the label names both."""
    kept, seen = [], Counter[str]()
    for row in _rows(data / "audio/fsdd"):
        label = f"{row['label']} {row['speaker']}"
        if row["split"] == "test" and seen[label] < takes:
            seen[label] += 1
            kept.append({"path": row["path"], "label": label, "split": "train", "group": label})
    return kept


def esc10(data: Path, fold: str) -> list[Row]:
    """Return all clips; one fold is the test. A group is one recording."""
    return [
        {
            "path": row["path"],
            "label": row["label"],
            "split": "test" if row["fold"] == fold else "train",
            "group": row["group"],
        }
        for row in _rows(data / "audio/esc10")
    ]


def written(folder: Path, rows: Iterable[Row], rate_hz: int, seconds: float) -> Path:
    """Write the loudest stretch of every clip, once for all runs, and a manifest of them."""
    folder.mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for number, row in enumerate(rows):
            sound = loudest(decode(Region(Path(row["path"])), rate_hz), round(seconds * rate_hz))
            soundfile.write(folder / f"{number}.wav", sound, rate_hz, subtype="PCM_16")
            writer.writerow({**row, "path": f"{number}.wav"})
    return folder / "manifest.csv"


def loudest(sound: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Return the stretch with the most energy: clips of ESC-10 are filled up with silence."""
    if len(sound) <= samples:
        return sound
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    start = int(np.argmax(energy[samples:] - energy[:-samples]))
    return sound[start : start + samples]


def _rows(folder: Path) -> list[Row]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return [{**row, "path": str(folder / row["path"])} for row in csv.DictReader(stream)]


def _shuffled(rows: Sequence[Row]) -> list[Row]:
    return [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
