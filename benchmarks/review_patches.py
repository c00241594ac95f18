"""Patches on real projects: how many findings get one, and whether each holds what is promised of it.

    python -m benchmarks.review_patches PROJECTS

PROJECTS holds a folder for each unit of `review/INDEX.tsv`; each is copied, never written to. A patch that is
offered parses, only its file differs, its check is present afterwards, and a second run offers nothing.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from engine.evidence.script.sources import Source, parse_notebook
from expert.consultation.reviewing import ReviewRequest, fixes_of, review_project
from expert.reviewing.fixes import apply_fixes, texts_of
from knowledge.loader import load_knowledge


def main(projects: Path) -> None:
    """Patch a copy of each project and count."""
    labels = Path(os.environ["TONMEISTER_TEST_DATA"]) / "review" / "labels.jsonl"
    units = [json.loads(line) for line in labels.read_text("utf-8").splitlines()]
    offered: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    wrong: list[str] = []
    for unit in units:
        if (projects / unit["dir"]).is_dir():
            with tempfile.TemporaryDirectory(prefix="tonmeister-patches-") as folder:
                copy = Path(folder) / "project"
                shutil.copytree(projects / unit["dir"], copy, symlinks=True)
                wrong += _patched(copy, unit, offered, wanted)
    found = {"units": len(units), "findings_with_a_patch_by_name": dict(sorted(wanted.items())),
             "patches_offered": dict(sorted(offered.items())), "wrong": wrong}  # fmt: skip
    print(json.dumps(found, indent=1))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "review_patches.json").write_text(json.dumps(found, indent=1) + "\n")


def _code(notebook: str) -> str:
    read = parse_notebook(notebook, "x.ipynb")
    assert isinstance(read, Source), "a notebook that was patched is none any more"
    return read.text


def _patched(copy: Path, unit: dict[str, Any], offered: Counter[str], wanted: Counter[str]) -> list[str]:
    knowledge = load_knowledge()
    request = ReviewRequest(copy, entry=unit["path"].replace(".flat.py", ".ipynb"))
    reviewed = review_project(knowledge, request)
    wanted.update(each.id for each in reviewed.report.findings if each.fix and each.fix.applicability != "display")
    fixes = fixes_of(reviewed, unsafe=True)
    offered.update(fix.finding.id for fix in fixes)
    apply_fixes(copy, fixes)
    wrong = []
    for path, (_, after) in texts_of(fixes).items():
        ast.parse(after if path.endswith(".py") else _code(after))
        if (copy / path).read_text("utf-8") != after.replace("\r\n", "\n"):
            wrong.append(f"{unit['unit']}: {path} is not what was offered")
    again = review_project(knowledge, request)
    states = {row.id: row.state for row in again.report.checks}
    wrong += [f"{unit['unit']}: {fix.finding.id} {states[fix.finding.id]}" for fix in fixes
              if states[fix.finding.id] != "present"]  # fmt: skip
    wrong += [f"{unit['unit']}: {fix.finding.id} is offered again" for fix in fixes_of(again, unsafe=True)]
    return wrong


if __name__ == "__main__":
    main(Path(sys.argv[1]))
