"""A temporal head on MFCC: training speed with one thread against all cores, in one run.

    python -m benchmarks.threads

Two epochs each on the demo corpus; the second epoch counts.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.data import experts_plan, keep, trained
from engine.synthesis import make_corpus


def main() -> None:
    """Train with one thread and with all cores, and keep clips a second and their ratio."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = experts_plan(make_corpus(folder / "corpus"), {"task.domain": "clean-speech"})
        speeds = {
            threads: _speed(
                trained(
                    plan,
                    folder / f"threads-{threads}",
                    training__epochs=2,
                    compute__threads=threads,
                    data__protocol="given-split",
                    data__split_column="split",
                )
            )
            for threads in (1, cores)
        }
    ratio = speeds[1] / speeds[cores]
    keep("threads", {"cores": cores, "clips_per_second": speeds, "one_thread_over_all_cores": ratio})


def _speed(run: Path) -> float:
    events = map(json.loads, (run / "events.jsonl").read_text("utf-8").splitlines())
    return statistics.median(e["samples_per_second"] for e in events if e["kind"] == "step" and e["epoch"] > 1)


if __name__ == "__main__":
    main()
