"""Scores the script review on the labelled development projects; the scripts themselves are read where they were laid.

    python -m benchmarks.review PROJECTS [--unit NAME] [--check ID] [--state missing]

PROJECTS holds a folder for each unit of `review/INDEX.tsv`, with the files named there. Precision and recall are
those of `score.py` beside the labels: of "missing", checks that are advisory left out; not applicable and undecidable
count as false alarms when they are asserted. With `--unit` or `--check` every disagreement is listed instead.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expert.consultation.review import CheckState, Review, review_script
from knowledge.loader import load_knowledge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path)
    parser.add_argument("--unit", default="")
    parser.add_argument("--check", default="")
    options = parser.parse_args()
    labels = Path(os.environ["TONMEISTER_TEST_DATA"]) / "review"
    units = [json.loads(line) for line in (labels / "labels.jsonl").read_text("utf-8").splitlines()]
    knowledge = load_knowledge()
    predictions = []
    for unit in units:
        if options.unit not in unit["unit"]:
            continue
        review = review_script(knowledge, options.projects / unit["dir"], entry=_entry(unit["path"]))
        rows = list(_rows(unit, review))
        predictions += rows
        if options.unit or options.check:
            _disagreements(unit, rows, options.check)
    if not (options.unit or options.check):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
            file.writelines(json.dumps(row) + "\n" for row in predictions)
        subprocess.run([sys.executable, str(labels / "score.py"), file.name, "--per-check"], check=True)
        Path(file.name).unlink()


def _entry(path: str) -> str:
    return path.replace(".flat.py", ".ipynb")


def _rows(unit: dict[str, Any], review: Review) -> Iterator[dict[str, Any]]:
    for check in review.checks:
        if check.id in unit["checks"]:
            lines = _lines(check)
            row = {"state": check.state, "lines": lines, "why": check.why, "rule": check.rule}
            yield {"unit": unit["unit"], "check": check.id, **row}


def _lines(check: CheckState) -> list[str]:
    return [
        f"{item.path.replace('.ipynb', '.flat.py')}:{item.line}-{item.end_line or item.line}"
        for item in check.evidence
        if item.path and item.line
    ]


def _disagreements(unit: dict[str, Any], rows: list[dict[str, Any]], only: str) -> None:
    for row in rows:
        truth = unit["checks"][row["check"]]
        if only in row["check"] and truth["state"] != row["state"]:
            told = f"{truth['state']}{' HARD' if truth.get('hard') else ''} {truth.get('via', '')} {truth['lines']}"
            print(f"{unit['unit']:22s} {row['check']:26s} truth {told} {truth['note']}")
            print(f"{'':49s} said  {row['state']} {row['lines'][:4]} {row['rule']} {row['why'][:2]}")


if __name__ == "__main__":
    main()
