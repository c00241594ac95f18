"""What the whole audit costs against plain decoding, in the same run; what a second worker brings; memory at 100,000.

    python -m benchmarks.audit_speed [DATA] [--memory]

DATA holds fsdd, esc10 and speechocean762 (default: TONMEISTER_TEST_DATA). Ratios are of processor time, children
included, to one loop of `soundfile.read(file, dtype="float32")`. The fixed cost of an audit, measured on ten clips, is
said apart. Every measurement runs in a process of its own.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import soundfile

from benchmarks.data import keep

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"fsdd-wav-8k": 6.0, "speech-wav-16k": 4.0}
"""Whatever stands not here is compressed."""
COMPRESSED_LIMIT = 2.5
_REPEATS = 3


def main() -> None:
    """Print and keep a row a form of audio; with --memory also the peaks at 100,000 clips."""
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    data = Path(named[0] if named else os.environ["TONMEISTER_TEST_DATA"]) / "audio"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [_row(form, manifest, folder) for form, manifest in _forms(data, folder)]
        figures: dict[str, Any] = {"cores": os.cpu_count(), "rows": rows}
        if "--memory" in sys.argv:
            figures["memory"] = _asked("memory", _many(data, folder))
    heads = ("clips", "hours", "decode s", "scan", "audit", "limit", "net", "2 workers")
    print(f"{'form':18}" + "".join(f"{head:>10}" for head in heads))
    for row in rows:
        ratios = ("scan_ratio", "audit_ratio", "limit", "audit_ratio_without_fixed", "two_workers")
        numbers = [row["hours"], row["decode_cpu_seconds"], *(row[name] for name in ratios)]
        print(f"{row['form']:18}{row['clips']:10}" + "".join(f"{number:10.2f}" for number in numbers))
    keep("audit_speed", figures)


def _forms(data: Path, folder: Path) -> list[tuple[str, Path]]:
    """Return manifests: the three sets as they are, and the speech in other containers."""
    speech = data / "speechocean762" / "manifest.csv"
    return [
        ("fsdd-wav-8k", data / "fsdd" / "manifest.csv"),
        ("speech-flac-16k", speech),
        ("speech-wav-16k", _converted(speech, folder / "wav", "WAV")),
        ("speech-mp3-16k", _converted(speech, folder / "mp3", "MP3")),
        ("speech-ogg-16k", _converted(speech, folder / "ogg", "OGG")),
        ("esc10-ogg-44k", data / "esc10" / "manifest.csv"),
    ]


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


def _written(file: Path, header: list[str], rows: list[list[str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return file


def _many(data: Path, folder: Path, count: int = 100_000) -> Path:
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


def _row(form: str, manifest: Path, folder: Path) -> dict[str, Any]:
    """Measure one form: the best of a few runs each, taken in turn so that load falls on all alike."""
    runs = [{task: _asked(task, manifest) for task in ("decode", "scan", "audit")} for _ in range(_REPEATS)]
    best = {task: min(run[task]["cpu_seconds"] for run in runs) for task in ("decode", "scan", "audit")}
    walls = [[_asked(f"scan{workers}", manifest)["wall_seconds"] for workers in (1, 2)] for _ in range(_REPEATS)]
    fixed = _asked("audit", _ten(manifest, folder / f"{form}.csv"))["cpu_seconds"]
    facts = runs[0]["scan"]
    return {
        "form": form,
        "clips": facts["clips"],
        "hours": facts["hours"],
        "decode_cpu_seconds": best["decode"],
        "scan_cpu_seconds": best["scan"],
        "audit_cpu_seconds": best["audit"],
        "fixed_cpu_seconds": fixed,
        "scan_ratio": best["scan"] / best["decode"],
        "audit_ratio": best["audit"] / best["decode"],
        "audit_ratio_without_fixed": (best["audit"] - fixed) / best["decode"],
        "limit": LIMITS.get(form, COMPRESSED_LIMIT),
        "two_workers": max(one / two for one, two in walls),
    }


def _ten(manifest: Path, target: Path) -> Path:
    with manifest.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    rows = [
        [str(manifest.parent / cell) if (manifest.parent / cell).is_file() else cell for cell in row] for row in rows
    ]
    return _written(target, header, rows[:: max(1, len(rows) // 10)])


def _asked(task: str, manifest: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.audit_speed", "--task", task, str(manifest)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _task(task: str, manifest: Path) -> dict[str, Any]:
    """Measure in this process: decoding, scanning (with any or a number of workers), or the whole audit."""
    from engine.evidence.dataset import read_dataset, scan_clips
    from engine.evidence.dataset.workers import end_workers
    from expert.consultation.audit import audit_dataset
    from knowledge.loader import load_knowledge

    knowledge = load_knowledge()
    dataset = read_dataset(manifest)
    answer: dict[str, Any] = {}
    if task.startswith("scan") and task[4:]:
        workers = int(task[4:])
        scan_clips(dataset.regions[:600:20], workers=workers)  # children are up, files are in memory
        start = time.monotonic()
        scan_clips(dataset.regions, workers=workers)
        return {"wall_seconds": time.monotonic() - start}
    spent = _cpu()
    if task == "decode":
        for file in dataset.files:
            soundfile.read(file, dtype="float32")
    elif task == "scan":
        scan = scan_clips(dataset.regions)
        hours = sum(clip.duration_seconds for clip in scan.clips.values()) / 3600
        answer |= {"clips": len(scan.clips), "hours": hours}
    else:
        audit_dataset(knowledge, manifest)
    end_workers()
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return answer | {"cpu_seconds": _cpu() - spent, "own_peak_mb": peaks[0], "child_peak_mb": peaks[1]}


def _cpu() -> float:
    """Return the processor time of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps(_task(sys.argv[2], Path(sys.argv[3]))))
    else:
        main()
