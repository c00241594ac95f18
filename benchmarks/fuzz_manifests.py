"""Ten thousand hostile manifests, half of them CSV: counts tracebacks, the slowest, the peak of memory; keeps them.

`python -m benchmarks.fuzz_manifests [HOW MANY] [FIRST SEED]`
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from engine.evidence.dataset import measure_dataset, read_dataset
from engine.evidence.dataset.clips import NOTHING_DECODED
from knowledge.errors import InputError, UsageError
from tests.engine.dataset.mutations import folder, mutated, mutated_form


def main(arguments: list[str]) -> None:
    """Read and measure each manifest; a failure is printed with its seed."""
    count, first = (int(text) for text in (*arguments, *("10000", "0")[len(arguments) :]))
    read, refused, failed, slowest = 0, 0, list[int](), (0.0, 0)
    with tempfile.TemporaryDirectory(prefix="tonmeister-fuzz-") as place:
        base = folder(Path(place))
        for seed in range(first, first + count):
            manifest = mutated_form(seed, base) if seed % 2 else base / "manifest.csv"
            if not seed % 2:
                manifest.write_bytes(mutated(seed))
            start = time.perf_counter()
            try:
                measure_dataset(read_dataset(manifest), NOTHING_DECODED)
                read += 1
            except (InputError, UsageError):
                refused += 1
            except Exception:  # what is looked for: any other error is a defect
                failed.append(seed)
                print(seed, traceback.format_exc(limit=-3))
            slowest = max(slowest, (time.perf_counter() - start, seed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"read": read, "refused": refused, "failed": failed, "slowest_seconds": slowest[0], "peak_mb": peak}
    print(found)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "fuzz_manifests.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
