"""A thousand broken, mutated and random Python files and projects: counts tracebacks, and the slowest review.

    python -m benchmarks.fuzz_scripts [HOW MANY] [FIRST SEED]

Each seed makes one project: a mutated training script, random tokens, random bytes, or one of the hostile kinds
(brackets nested a thousand deep, ten megabytes, star imports in a circle, null bytes, a notebook that is none).
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from expert.consultation.reviewing import ReviewRequest, fixes_of, review_project
from expert.report.annotations import github_annotations
from expert.report.review import review_document, review_record
from expert.report.sarif import sarif_record
from expert.report.text import render_text
from knowledge.errors import TonmeisterError
from knowledge.loader import load_knowledge
from tests.expert.hostile_scripts import write_project


def review_everything(root: Path) -> int:
    """Review a project in every form, patches included; return how many findings there are."""
    reviewed = review_project(load_knowledge(), ReviewRequest(root))
    report = reviewed.report
    render_text(review_document(report, everything=True))
    json.dumps(review_record(report))
    json.dumps(sarif_record(report, "0"))
    github_annotations(report, everything=True)
    fixes_of(reviewed, unsafe=True)
    return len(report.findings)


def main(arguments: list[str]) -> None:
    """Review each project; a failure is printed with its seed."""
    count, first = (int(text) for text in (*arguments, *("1000", "0")[len(arguments) :]))
    read, refused, findings, failed, slowest = 0, 0, 0, list[int](), (0.0, 0)
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory(prefix="tonmeister-fuzz-") as folder:
            write_project(seed, Path(folder))
            start = time.perf_counter()
            try:
                findings += review_everything(Path(folder))
                read += 1
            except TonmeisterError:
                refused += 1
            except Exception:  # what is looked for: any other error is a defect
                failed.append(seed)
                print(seed, traceback.format_exc(limit=-4))
            slowest = max(slowest, (time.perf_counter() - start, seed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {
        "read": read, "refused": refused, "failed": failed, "findings": findings,
        "slowest_seconds": round(slowest[0], 2), "slowest_seed": slowest[1], "peak_mb": round(peak),
    }  # fmt: skip
    print(found)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "fuzz_scripts.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
