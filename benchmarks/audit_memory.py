"""How much memory the audit of 100,000 clips takes: all processes together, and the largest one.

    python -m benchmarks.audit_memory [DATA]

DATA holds fsdd (default: TONMEISTER_TEST_DATA). A set of 100,000 clips is made of links to its 3,000 files, each a clip
of its own, and `tonmeister audit` is run on it with one worker, two, and three. Ten times a second
the shares of all processes are added up: a page that several hold counts for each by its part (`Pss` of
/proc/PID/smaps_rollup), so that the sum is what they take together; `Rss` of one counts what it shares in full.
Linux only; a minute and a half.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.audit_sets import many
from benchmarks.audit_speed import ROOT
from benchmarks.data import keep

LIMIT_MB = 500
_WORKERS = (1, 2, 3)
_PAUSE_SECONDS = 0.1


def main() -> None:
    """Print and keep the peaks for each number of workers."""
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    data = Path(named[0] if named else os.environ["TONMEISTER_TEST_DATA"]) / "audio"
    with tempfile.TemporaryDirectory() as name:
        manifest = many(data, Path(name))
        rows = [_measured(manifest, workers) for workers in _WORKERS]
    keep("audit_memory", {"clips": 100_000, "limit_mb": LIMIT_MB, "rows": rows})


def _measured(manifest: Path, workers: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tonmeister", "audit", str(manifest), "--no-cache", "--workers", str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    together = largest = 0.0
    while process.poll() is None:
        shares = [_memory_mb(pid) for pid in _tree(process.pid)]
        together = max(together, sum(pss for pss, _ in shares))
        largest = max(largest, *(rss for _, rss in shares), 0.0)
        time.sleep(_PAUSE_SECONDS)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}")
    row = {"workers": workers, "together_mb": round(together, 1), "largest_mb": round(largest, 1)}
    print(row, flush=True)
    return row


def _tree(pid: int) -> list[int]:
    try:
        root = psutil.Process(pid)
        return [pid, *(child.pid for child in root.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _memory_mb(pid: int) -> tuple[float, float]:
    """Return the proportional share of a process and all that it holds; nothing of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0, 0.0
    sizes = {line.partition(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return sizes.get("Pss", 0.0), sizes.get("Rss", 0.0)


if __name__ == "__main__":
    main()
