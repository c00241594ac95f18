"""Cost of an audit that reads the manifest only, against reading the same file into columns; prints and keeps it.

`python -m benchmarks.manifest [ROWS]` plants ROWS clips (hard links to one file, in folders of a thousand) with
speakers, splits, labels and texts, and runs each measurement in a process of its own, so that peaks of memory count.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
_FILES_A_FOLDER = 1000
_MOST_LINKS = 30_000
"""Hard links that any file system grants a file."""


def plant(folder: Path, rows: int, *, files: bool = True) -> Path:
    """Write a manifest of that many clips, and the clips."""
    draw = random.Random(1)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "speaker", "split", "text", "duration"))
        for number in range(rows):
            speaker = draw.randrange(max(10, rows // 100))
            split = "train" if speaker % 10 < 7 else ("val" if speaker % 10 < 8 else "test")
            path = f"clips/{number // _FILES_A_FOLDER:04d}/{number:07d}.wav"
            writer.writerow((path, f"class{draw.randrange(20)}", f"s{speaker:05d}", split, f"say {number}", "1.25"))
            if files:
                _link(folder, path, number)
    return manifest


def _link(folder: Path, path: str, number: int) -> None:
    target, source = folder / path, folder / f"source{number // _MOST_LINKS}"
    if number % _MOST_LINKS == 0:
        source.write_bytes(b"RIFF")
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


def read_rows(manifest: Path) -> None:
    """Read into columns with csv.reader."""
    with manifest.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        columns = {name: list[str]() for name in next(reader)}
        for row in reader:
            for column, cell in zip(columns.values(), row, strict=True):
                column.append(cell)


def read_dicts(manifest: Path) -> None:
    """Read into columns with csv.DictReader."""
    with manifest.open(newline="", encoding="utf-8") as file:
        columns: dict[str, list[str]] = {}
        for row in csv.DictReader(file):
            for name, cell in row.items():
                columns.setdefault(name, []).append(cell)


def audit(manifest: Path) -> None:
    """Audit without decoding."""
    from expert.consultation.audit import audit_dataset
    from knowledge.loader import load_knowledge

    audit_dataset(load_knowledge(), manifest, decode=False)


def measure(manifest: Path) -> None:
    """Only the reading and measuring, without the rules."""
    from engine.evidence.dataset import measure_dataset, read_dataset
    from engine.evidence.dataset.clips import NOTHING_DECODED

    measure_dataset(read_dataset(manifest), NOTHING_DECODED)


def imports(manifest: Path) -> None:
    """What the audit costs before it reads a row."""
    import expert.consultation.audit
    from knowledge.loader import load_knowledge

    del manifest
    load_knowledge()
    assert expert.consultation.audit


def audit_once_started(manifest: Path) -> None:
    """Audit in a process that has audited before: without imports, loading and compiling the rulebook."""
    audit(manifest)


WAYS = {each.__name__: each for each in (read_rows, read_dicts, imports, measure, audit, audit_once_started)}


def run(way: str, manifest: Path) -> dict[str, float]:
    """Run one way in a process of its own; return its CPU seconds and its peak of memory."""
    command = (sys.executable, "-m", "benchmarks.manifest", way, str(manifest))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(arguments: list[str]) -> None:
    """Print the table, or, with the name of a way, run it."""
    if arguments and arguments[0] in WAYS:
        if arguments[0] == audit_once_started.__name__:
            with tempfile.TemporaryDirectory() as folder:
                audit(plant(Path(folder), 50))
        start = time.process_time()
        WAYS[arguments[0]](Path(arguments[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"cpu_seconds": time.process_time() - start, "peak_mb": peak}))
        return
    rows = int(arguments[0]) if arguments else 100_000
    with tempfile.TemporaryDirectory(prefix="tonmeister-manifest-") as folder:
        manifest = plant(Path(folder), rows, files="--no-files" not in arguments)
        found = {way: run(way, manifest) for way in WAYS}
    base = found["read_dicts"]["cpu_seconds"]
    for way, costs in found.items():
        ratio = costs["cpu_seconds"] / base
        print(f"{way:18s} {costs['cpu_seconds']:7.2f} CPU s {ratio:6.2f} x DictReader {costs['peak_mb']:7.0f} MB")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"manifest-{rows}.json").write_text(
        json.dumps({"command": f"python -m benchmarks.manifest {rows}", **found}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
