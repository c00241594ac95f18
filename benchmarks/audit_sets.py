"""Makes the data sets whose audit is timed: the published ones in other containers, many hours of them, 100,000 clips.

It measures nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

_RATES = ((1, 1), (4, 3), (6, 5), (3, 2), (5, 3), (11, 10), (9, 10), (4, 5))
_VARIANTS = tuple((up, down, step) for up, down in _RATES for step in (1, -1))
"""Resampled up and down by so much, and forwards or backwards: copies to no measure. A tenth apart, as those who make
more of their recordings by speed have it; what differs by a hundredth is a candidate for a copy, and takes its time."""


def forms(data: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield manifests: the three sets as they are, and the speech in other containers."""
    speech = data / "speechocean762" / "manifest.csv"
    yield "fsdd-wav-8k", data / "fsdd" / "manifest.csv"
    yield "speech-flac-16k", speech
    yield "speech-wav-16k", _converted(speech, folder / "wav", "WAV")
    yield "speech-mp3-16k", _converted(speech, folder / "mp3", "MP3")
    yield "speech-ogg-16k", _converted(speech, folder / "ogg", "OGG")
    yield "esc10-ogg-44k", data / "esc10" / "manifest.csv"


def _converted(manifest: Path, folder: Path, form: str) -> Path:
    """Write the set in another container."""
    folder.mkdir()
    with manifest.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    place = next(place for place, name in enumerate(header) if (manifest.parent / rows[0][place]).is_file())
    for number, row in enumerate(rows):
        samples, rate = soundfile.read(manifest.parent / row[place], dtype="int16")
        row[place] = f"{number}.{form.lower()}"
        soundfile.write(folder / row[place], samples, rate, format=form)
    return _written(folder / "manifest.csv", header, rows)


def varied(manifest: Path, folder: Path, hours: float = 1) -> Path:
    """Write over so many hours of different sounds of the same form: the clips in all variants."""
    from scipy.signal import resample_poly

    folder.mkdir()
    with manifest.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    place = next(place for place, name in enumerate(header) if (manifest.parent / rows[0][place]).is_file())
    written: list[list[str]] = []
    seconds = 0.0
    for number, (up, down, step) in enumerate(_VARIANTS):
        if seconds > 3600 * hours:
            break
        for count, row in enumerate(rows):
            file = manifest.parent / row[place]
            form = soundfile.info(file).format
            samples, rate = soundfile.read(file, dtype="float32")
            changed = samples if up == down else resample_poly(samples, up, down)
            name = f"{number}-{count}{file.suffix}"
            whole = np.clip(np.rint(changed[::step] * 32768), -32768, 32767).astype(np.int16)
            soundfile.write(folder / name, whole, rate, format=form)
            seconds += len(whole) / rate
            written.append([*row[:place], name, *row[place + 1 :]])
    return _written(folder / "manifest.csv", header, written)


def _written(file: Path, header: list[str], rows: list[list[str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return file


def many(data: Path, folder: Path, count: int = 100_000) -> Path:
    """Return a set of 100,000 clips: links to the files of FSDD, which count as clips of their own."""
    files = sorted((data / "fsdd").rglob("*.wav"))
    links = folder / "many"
    links.mkdir()
    rows = []
    for number in range(count):
        file = files[number % len(files)]
        (links / f"{number}.wav").symlink_to(file)
        rows.append([f"{number}.wav", file.name[0], f"s{number % 997}", ("train", "test")[number % 5 == 0]])
    return _written(links / "manifest.csv", ["path", "label", "speaker", "split"], rows)


def ten(manifest: Path, target: Path) -> Path:
    """Write a manifest of every n-th clip, ten in all."""
    with manifest.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    rows = [
        [str(manifest.parent / cell) if (manifest.parent / cell).is_file() else cell for cell in row] for row in rows
    ]
    return _written(target, header, rows[:: max(1, len(rows) // 10)])
