"""How many copies that lost a part of their length are found among many recordings; of few, nearly all are compared.

    python -m benchmarks.cut_copies MANIFEST [--limit 5000]

Two hundred clips of the set, drawn at random, are copied without a fifth of their length or without half of it, every
third with white noise 25 dB below it, and laid beside all of them. A copy counts as found where the pair is as alike as
a pair that is told (0.85 and more); a pair is false where it is of two clips that were not made of one.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.data import keep
from engine.evidence.dataset import find_near, read_dataset, scan_clips

_CUTS = ((0.12, 0.08), (0.25, 0.25), (0.4, 0.1), (0.0, 0.5))
"""Shares of the length that are cut off at the beginning and at the end."""
_COPIES = 200
_NOISE_DB = -25.0
_TOLD = 0.85


def main() -> None:
    """Print and keep what is found of each cut."""
    manifest = Path(sys.argv[1])
    limit = int(sys.argv[sys.argv.index("--limit") + 1]) if "--limit" in sys.argv else 5000
    with tempfile.TemporaryDirectory() as name:
        made, clips = _planted(manifest, Path(name), limit)
        scan = scan_clips(read_dataset(Path(name) / "manifest.csv").regions)
        pairs = [pair for pair in find_near(scan) if pair.similarity >= _TOLD]
    told = [{Path(end.path).stem.partition("-")[0] for end in (pair.first, pair.second)} for pair in pairs]
    found = {next(iter(one)) for one in told if len(one) == 1}
    row: dict[str, Any] = {"set": manifest.parent.name, "clips": clips, "false": sum(len(one) > 1 for one in told)}
    for number, cut in enumerate(_CUTS):
        own = [one for place, one in enumerate(made) if place % len(_CUTS) == number]
        row[f"cut {cut[0]:g} and {cut[1]:g}"] = [sum(str(one) in found for one in own), len(own)]
    keep("cut_copies", row)


def _planted(manifest: Path, folder: Path, limit: int) -> tuple[list[int], int]:
    """Write clips and copies; return which were copied, and how many clips there are."""
    rng = np.random.default_rng(1)
    files = read_dataset(manifest).files[:limit]
    made = sorted(rng.choice(len(files), min(_COPIES, len(files)), replace=False).tolist())
    names = []
    for number, file in enumerate(files):
        samples, rate = soundfile.read(file, dtype="int16")
        soundfile.write(folder / f"{number}.wav", samples, rate)
        names.append(f"{number}.wav")
        if number in made:
            place = made.index(number)
            start, stop = _CUTS[place % len(_CUTS)]
            part = samples[int(start * len(samples)) : len(samples) - int(stop * len(samples))].astype(float)
            if place % 3 == 0:
                part += rng.normal(0, np.sqrt(np.mean(part**2)) * 10 ** (_NOISE_DB / 20), part.shape)
            whole = np.clip(np.rint(part), -32768, 32767).astype(np.int16)
            soundfile.write(folder / f"{number}-cut.wav", whole, rate)
            names.append(f"{number}-cut.wav")
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["path", "label"], *([name, "a"] for name in names)])
    return made, len(names)


if __name__ == "__main__":
    main()
