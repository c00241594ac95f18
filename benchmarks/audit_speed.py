"""What the whole audit costs against plain decoding, in the same run; what a second worker brings; memory at 100,000.

    python -m benchmarks.audit_speed [DATA] [--memory | --small | --quiet [--short | --long] [--only FORM,...]]
    python -m benchmarks.audit_speed --set NAME MANIFEST

DATA holds fsdd, esc10 and speechocean762 (default: TONMEISTER_TEST_DATA). Ratios are of processor time, children
included, to one loop of `soundfile.read(file, dtype="float32")`, medians of three runs in turn. Two sizes are measured:
the sets as they are (0.3 h), and sets of over an hour in which every clip is another sound: the same clips forwards,
backwards, and both a third slower. All that is imported is imported before the clock starts, for the decoding as for
the audit. The fixed cost of an audit, measured on ten clips, and what `tonmeister audit` costs with its start, are said
apart. Every measurement runs in a process of its own. Rows are printed as they come; all takes ten minutes, four with
--small, which measures the sets as they are alone and leaves the other rows of the results.

--quiet measures what needs a machine with nothing else to do: of FLAC, WAV and sub-second WAV, over an hour each,
decoding and the audit three times in turn, and two scans of one worker at a time against one, which is what a second
core brings here at most; then eleven pairs of scans with one worker and with two, each right after the other, the first
of a pair in turn; seven such pairs of what a user types, `tonmeister audit --workers N`, with the start of Python, the
rules and the report; and both over sets of five hours, with fewer pairs. What two workers bring is the
median of the ratios of pairs. All files are read once before the clock starts: what the system has dropped from its
cache in between is no matter of workers; and Python finds bytecode, as an installed package has it. Over five hours all
six forms are measured, as over one in plain runs. It takes about forty minutes, or ten with --short, which leaves out
the five hours, or --long, which leaves out the one; --only names forms. The other rows of the results stay as they are.

--set measures a data set of one's own the same way, and keeps the row under its name: real recordings of many hours
are nobody's to ship.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import soundfile

from benchmarks.audit_sets import forms, many, ten, varied
from benchmarks.data import RESULTS, keep

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"fsdd-wav-8k": 6.0, "speech-wav-16k": 4.0}
"""Whatever stands not here is compressed."""
COMPRESSED_LIMIT = 2.5
QUIET_FORMS = ("fsdd-wav-8k", "speech-flac-16k", "speech-wav-16k")
_REPEATS = 3
_PAIRS, _FEW_PAIRS = 11, 5
"""Pairs of scans; few of compressed sound of many hours, where one takes up to half a minute."""
_WHOLE_PAIRS = {1: 7, 5: 3}
"""Pairs of whole audits."""
_LARGE_HOURS = 5


def main() -> None:
    """Print and keep a row a form of audio; with --memory also the peaks at 100,000 clips; with --quiet see above."""
    named = sys.argv[1] if sys.argv[1:] and not sys.argv[1].startswith("-") else os.environ["TONMEISTER_TEST_DATA"]
    data = Path(named) / "audio"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "--quiet" in sys.argv:
            sizes = {1, _LARGE_HOURS} - ({_LARGE_HOURS} if "--short" in sys.argv else set())
            _quiet(data, folder, tuple(sorted(sizes - ({1} if "--long" in sys.argv else set()))))
            return
        if "--set" in sys.argv:
            name_of_set, manifest = sys.argv[sys.argv.index("--set") + 1 :][:2]
            _of_ones_own(name_of_set, Path(manifest).resolve())
            return
        heads = ("clips", "hours", "decode s", "scan", "audit", "limit", "net", "command", "2 workers")
        print(f"{'form':18}" + "".join(f"{head:>10}" for head in heads), flush=True)
        figures: dict[str, Any] = {"cores": os.cpu_count(), "rows": []}
        for form, manifest in forms(data, folder):
            for large in (False,) if "--small" in sys.argv else (False, True):
                made = varied(manifest, folder / f"{form}-large") if large else manifest
                figures["rows"].append(_row(form, made, folder))
                _show(figures["rows"][-1])
                if large:
                    shutil.rmtree(made.parent)
        if "--memory" in sys.argv:
            figures["memory"] = _asked("audit", many(data, folder))
            print(f"MB at 100,000 clips: {figures['memory']['peaks_mb']}", flush=True)
    if "--small" in sys.argv:
        figures["rows"] += [row for row in _kept().get("rows", []) if row["hours"] > 1]
    keep("audit_speed", {**_kept(), **figures})


def _kept() -> dict[str, Any]:
    file = RESULTS / "audit_speed.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _quiet(data: Path, folder: Path, sizes: tuple[int, ...]) -> None:
    """Measure three forms in turn, over so many hours each, and put the rows under `quiet` beside what is kept."""
    kept = _kept()
    load = os.getloadavg()[0]
    only = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else None
    rows = kept.get("quiet", {}).get("rows", [])
    for form, manifest in forms(data, folder):
        for hours in sizes:
            if form not in (only or (QUIET_FORMS if hours == 1 else (form,))):
                continue
            made = varied(manifest, folder / f"{form}-{hours}", hours=hours)
            row = {"form": form, "set": _over(hours), **_in_turn(made, hours, few=form not in LIMITS and hours > 1)}
            rows = [each for each in rows if (each["form"], each["set"]) != (form, _over(hours))] + [row]
            shutil.rmtree(made.parent)
            _say(row)
    note = "--quiet: decode, audit, two scans of one worker at a time in turn; scan1, scan2 and whole1, whole2 in pairs"
    keep("audit_speed", {**kept, "quiet": {"note": note, "load_before": load, "rows": rows}})


def _of_ones_own(name: str, manifest: Path) -> None:
    """Measure a set that is there already, and put its row beside those that are kept."""
    kept = _kept()
    facts = _asked("scan", manifest)
    row = {"set": name, "clips": facts["clips"], "hours": facts["hours"], **_in_turn(manifest, _LARGE_HOURS, few=False)}
    _say(row)
    others = [each for each in kept.get("own", []) if each["set"] != name]
    keep("audit_speed", {**kept, "own": [*others, row]})


def _say(row: dict[str, Any]) -> None:
    print({name: value for name, value in row.items() if not isinstance(value, list)}, flush=True)


def _over(hours: int) -> str:
    return f"over {hours} h"


def _in_turn(manifest: Path, hours: int, *, few: bool) -> dict[str, Any]:
    """Measure decoding, the audit and two scans at once in turn, then pairs with one worker and with two."""
    runs: list[dict[str, float]] = []
    for _ in range(_REPEATS):
        run = {f"{task}_cpu_seconds": _asked(task, manifest)["cpu_seconds"] for task in ("decode", "audit")}
        runs.append({**run, "scan1_beside_another_wall_seconds": _side_by_side(manifest)})
    lists = {name: [run[name] for run in runs] for name in runs[0]}
    pairs = _paired(manifest, _FEW_PAIRS if few else _PAIRS)
    beside = min(lists["scan1_beside_another_wall_seconds"])
    return {
        **lists,
        **pairs,
        "audit_over_decode": median(run["audit_cpu_seconds"] / run["decode_cpu_seconds"] for run in runs),
        "audit_over_least_decode": median(lists["audit_cpu_seconds"]) / min(lists["decode_cpu_seconds"]),
        "two_scans_at_once": 2 * min(pairs["scan1_wall_seconds"]) / beside,
        **_whole(manifest, _WHOLE_PAIRS[hours]),
    }


def _paired(manifest: Path, count: int) -> dict[str, Any]:
    """Measure pairs of scans, and what the second worker brings."""
    pairs = [_pair(manifest, number) for number in range(count)]
    lists = {name: [pair[name] for pair in pairs] for name in pairs[0]}
    return {
        **lists,
        "two_workers": median(pair["scan1_wall_seconds"] / pair["scan2_wall_seconds"] for pair in pairs),
        "two_workers_least": min(lists["scan1_wall_seconds"]) / min(lists["scan2_wall_seconds"]),
    }


def _pair(manifest: Path, number: int) -> dict[str, float]:
    """Measure scans with one worker and with two, one right after the other."""
    found: dict[str, float] = {}
    for task in ("scan1", "scan2") if number % 2 else ("scan2", "scan1"):
        answer = _asked(task, manifest)
        found |= {f"{task}_{kind}": answer[kind] for kind in ("wall_seconds", "cpu_seconds", "parent_cpu_seconds")}
    return found


def _whole(manifest: Path, count: int) -> dict[str, Any]:
    """Measure pairs of whole audits, one right after the other, the first of a pair in turn."""
    _asked("whole1", manifest)  # and leave it: Python writes its bytecode
    runs: dict[str, list[float]] = {
        f"whole{workers}_{kind}_seconds": [] for workers in (1, 2) for kind in ("wall", "cpu")
    }
    for number in range(count):
        for workers in (1, 2) if number % 2 else (2, 1):
            for kind, seconds in _asked(f"whole{workers}", manifest).items():
                runs[f"whole{workers}_{kind}"].append(seconds)
    one, two = runs["whole1_wall_seconds"], runs["whole2_wall_seconds"]
    return {
        **runs,
        "whole_two_workers": median(a / b for a, b in zip(one, two, strict=True)),
        "whole_two_workers_least": min(one) / min(two),
    }


def _side_by_side(manifest: Path) -> float:
    """Return how long a scan of one worker takes while another runs: the slower of the two."""
    with ThreadPoolExecutor(2) as pool:
        return float(max(answer["wall_seconds"] for answer in pool.map(lambda _: _asked("scan1", manifest), range(2))))


def _show(row: dict[str, Any]) -> None:
    ratios = ("scan_ratio", "audit_ratio", "limit", "audit_ratio_without_fixed", "command_ratio", "two_workers")
    numbers = [row["hours"], row["decode_cpu_seconds"], *(row[name] for name in ratios)]
    print(f"{row['form']:18}{row['clips']:10}" + "".join(f"{number:10.2f}" for number in numbers), flush=True)


def _row(form: str, manifest: Path, folder: Path) -> dict[str, Any]:
    """Measure one form: the medians of a few runs each, taken in turn so that load falls on all alike."""
    tasks = ("decode", "scan", "audit", "command")
    runs = [{task: _asked(task, manifest) for task in tasks} for _ in range(_REPEATS)]
    spent = {task: median(run[task]["cpu_seconds"] for run in runs) for task in tasks}
    # load comes and goes within seconds, so that a ratio is taken of runs that follow one another
    ratio = {task: median(run[task]["cpu_seconds"] / run["decode"]["cpu_seconds"] for run in runs) for task in tasks}
    fixed = _asked("audit", ten(manifest, folder / f"{form}.csv"))["cpu_seconds"]
    pairs = [[_asked(f"scan{workers}", manifest)["wall_seconds"] for workers in (1, 2)] for _ in range(_REPEATS)]
    facts = runs[0]["scan"]
    return {
        "form": form,
        "clips": facts["clips"],
        "hours": facts["hours"],
        "decode_cpu_seconds": spent["decode"],
        "scan_cpu_seconds": spent["scan"],
        "audit_cpu_seconds": spent["audit"],
        "fixed_cpu_seconds": fixed,
        "scan_ratio": ratio["scan"],
        "audit_ratio": ratio["audit"],
        "audit_ratio_without_fixed": ratio["audit"] - fixed / spent["decode"],
        "command_ratio": ratio["command"],
        "clips_per_cpu_second": facts["clips"] / spent["audit"],
        "limit": LIMITS.get(form, COMPRESSED_LIMIT),
        "two_workers": median(one / two for one, two in pairs),
    }


def _asked(task: str, manifest: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.audit_speed", "--task", task, str(manifest)]
    environment = {**_installed(manifest), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _task(task: str, manifest: Path) -> dict[str, Any]:
    """Measure in this process: decoding, scanning (with any or a number of workers), or the whole audit."""
    if task == "command":
        return _command(manifest)
    if task in ("whole1", "whole2"):
        return _whole_audit(manifest, int(task[5:]))
    if task in ("scan1", "scan2"):
        return _scan(manifest, int(task[4:]))
    from engine.evidence.dataset import read_dataset, scan_clips
    from engine.evidence.dataset.workers import end_workers
    from expert.consultation import judging  # noqa: F401  # as soundfile and numpy: imported before the clock starts
    from expert.consultation.audit import audit_dataset
    from knowledge.loader import load_knowledge

    knowledge = load_knowledge()
    assert knowledge.rules  # made now, and not within the audit
    dataset = read_dataset(manifest)
    answer: dict[str, Any] = {}
    spent, start = _cpu(), time.monotonic()
    if task == "decode":
        for file in dataset.files:
            soundfile.read(file, dtype="float32")
    elif task == "scan":
        scan = scan_clips(dataset.regions)
        hours = sum(clip.duration_seconds for clip in scan.clips.values()) / 3600
        answer |= {"clips": len(scan.clips), "hours": hours}
    else:
        audit_dataset(knowledge, manifest)
    peaks = _peaks_mb()
    end_workers()
    return answer | {"cpu_seconds": _cpu() - spent, "wall_seconds": time.monotonic() - start, "peaks_mb": peaks}


def _scan(manifest: Path, workers: int) -> dict[str, float]:
    """Measure a scan of files that have just been read, with the making of its regions."""
    from engine.evidence.dataset import read_dataset, scan_clips
    from engine.evidence.dataset.collection import no_collection
    from engine.evidence.dataset.workers import end_workers

    for file in read_dataset(manifest).files:
        file.read_bytes()
    dataset = read_dataset(manifest)
    spent, own, start = _cpu(), time.process_time(), time.monotonic()
    with no_collection():  # as in an audit
        scan_clips(dataset.regions, workers=workers)
        answer = {"wall_seconds": time.monotonic() - start, "parent_cpu_seconds": time.process_time() - own}
    end_workers()
    return {**answer, "cpu_seconds": _cpu() - spent}


def _command(manifest: Path) -> dict[str, Any]:
    """Measure what a user types, with the start of Python and the loading of the rules."""
    started = _cpu()
    command = [sys.executable, "-m", "tonmeister", "audit", str(manifest), "--no-cache", "--format", "json"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, cwd=ROOT)
    return {"cpu_seconds": _cpu() - started}


def _whole_audit(manifest: Path, workers: int) -> dict[str, float]:
    """Measure what a user types, of files that have just been read and with the bytecode of an installed package."""
    from engine.evidence.dataset import read_dataset

    for file in read_dataset(manifest).files:
        file.read_bytes()
    environment = _installed(manifest)
    command = [sys.executable, "-m", "tonmeister", "audit", str(manifest), "--no-cache", "--workers", str(workers)]
    spent, start = _cpu(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr}")
    return {"wall_seconds": time.monotonic() - start, "cpu_seconds": _cpu() - spent}


def _installed(manifest: Path) -> dict[str, str]:
    """Return this environment, in which Python finds bytecode from its second start on, as of an installed package."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "PYTHONPYCACHEPREFIX": str(manifest.parent.with_name("bytecode"))}


def _peaks_mb() -> list[float]:
    """Return the most memory that this process and each waiting child held at a time."""
    import psutil

    here = psutil.Process()
    status = [Path(f"/proc/{each.pid}/status").read_text() for each in (here, *here.children())]
    return [int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024 for text in status]  # type: ignore[index]


def _cpu() -> float:
    """Return the processor time of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps(_task(sys.argv[2], Path(sys.argv[3]))))
    else:
        main()
