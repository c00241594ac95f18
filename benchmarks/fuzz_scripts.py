"""A thousand broken, mutated and random Python files and projects: counts tracebacks, and the slowest review.

    python -m benchmarks.fuzz_scripts [HOW MANY] [FIRST SEED]

Each seed makes one project: a training script with characters, lines or expressions mixed up, random tokens, random
bytes, or one of the hostile kinds of `tests/expert/hostile_scripts.py` (nested a thousand deep, ten megabytes, star
imports in a circle, values that double sixty times, links in a circle, escapes in names, weird encodings). Of each,
every form of the report is written, and of each third every patch is tried. `slowest_seconds` is processor time.
A run that begins where the last one ended adds its figures to those.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from expert.consultation.reviewing import ReviewRequest, fixes_of, review_project
from expert.report.annotations import github_annotations
from expert.report.html import render_html
from expert.report.review import review_document, review_record
from expert.report.sarif import sarif_record
from expert.report.text import render_text
from knowledge.errors import TonmeisterError
from knowledge.loader import load_knowledge
from tests.expert.hostile_scripts import write_project

_ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x9b\u202e]")
"""Characters with which a name could take over a terminal."""


def review_everything(root: Path, *, patches: bool = True) -> int:
    """Review a project in every form, patches included unless told; return how many findings there are."""
    reviewed = review_project(load_knowledge(), ReviewRequest(root))
    report = reviewed.report
    document = review_document(report, everything=True)
    printed = [
        render_text(document), render_html(document), github_annotations(report, everything=True),
        json.dumps(review_record(report)), json.dumps(sarif_record(report, "0")),
    ]  # fmt: skip
    for text in printed:
        text.encode()  # half a surrogate pair in a file's name cannot be printed
        assert not _ESCAPES.search(text), "an escape for the terminal went through"
    if patches:
        fixes_of(reviewed, unsafe=True)
    return len(report.findings)


def main(arguments: list[str]) -> None:
    """Review each project; a failure is printed with its seed."""
    count, first = (int(text) for text in (*arguments, *("1000", "0")[len(arguments) :]))
    read, refused, findings, failed, slowest = 0, 0, 0, list[int](), (0.0, 0)
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory(prefix="tonmeister-fuzz-") as folder:
            write_project(seed, Path(folder))
            start = time.process_time()
            try:
                findings += review_everything(Path(folder), patches=seed % 3 == 0)
                read += 1
            except TonmeisterError:
                refused += 1
            except Exception:  # what is looked for: any other error is a defect
                failed.append(seed)
                print(seed, traceback.format_exc(limit=-4))
            if seed % 100 == 99:
                print(seed + 1, "projects,", len(failed), "failed, slowest", slowest, flush=True)
            slowest = max(slowest, (time.process_time() - start, seed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {
        "read": read, "refused": refused, "failed": failed, "findings": findings,
        "slowest_seconds": round(slowest[0], 2), "slowest_seed": slowest[1], "peak_mb": round(peak),
    }  # fmt: skip
    print(found)
    results = Path(__file__).parent / "results" / "fuzz_scripts.json"
    results.parent.mkdir(exist_ok=True)
    before = json.loads(results.read_text()) if first and results.is_file() else {}
    together = _together(before, found) if before.get("seeds", [0, -1])[1] == first else found
    together["seeds"] = [together.get("seeds", [first])[0], first + count]
    results.write_text(json.dumps(together, indent=1) + "\n")


def _together(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a slice with those of the slices before it, which ended where this one began."""
    slower = max((before, found), key=lambda each: each["slowest_seconds"])
    added = {name: before[name] + found[name] for name in ("read", "refused", "failed", "findings")}
    slowest = {name: slower[name] for name in ("slowest_seconds", "slowest_seed")}
    return {"seeds": [before["seeds"][0], 0], **added, **slowest, "peak_mb": max(before["peak_mb"], found["peak_mb"])}


if __name__ == "__main__":
    main(sys.argv[1:])
