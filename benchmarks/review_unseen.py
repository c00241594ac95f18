"""Scores the script review on public projects that its rules were not written from; neither they nor labels are kept.

    python -m benchmarks.review_unseen LABELS PROJECTS [--repo NAME] [--record SET]

LABELS holds a line for each project: `repo`, `entry`, and `checks` with the state that a person gave each one before
seeing what the review says. PROJECTS holds a folder for each, named `owner+name`. Precision and recall are of
"missing"; what is not applicable or undecidable counts as a false alarm when it is asserted. `--record` writes the
figures under the name of the set, with the commits that `commits.tsv` beside the labels names, to
`benchmarks/results/review_unseen.json`: `first` are those before anything was mended by what was learnt here. Checks
that are advisory are left out. Where the labels have `lines`, `location` counts the right findings that point within
three lines of one of them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from expert.consultation.review import CheckState, review_script
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge

RESULT = Path(__file__).parent / "results" / "review_unseen.json"
NEAR = 3
"""Lines: as far from its cause as a person still sees it."""
_HELD = ("not-applicable", "undecidable")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("projects", type=Path)
    parser.add_argument("--repo", default="")
    parser.add_argument("--record", default="", metavar="SET")
    options = parser.parse_args()
    knowledge = load_knowledge()
    units = [json.loads(line) for line in options.labels.read_text("utf-8").splitlines()]
    pairs: Counter[tuple[str, str]] = Counter()
    hits: list[bool] = []
    for unit in units:
        if options.repo in unit["repo"]:
            more, where = _compared(knowledge, unit, options.projects)
            pairs, hits = pairs + more, hits + where
    figures = _figures(pairs) | ({"location": [sum(hits), len(hits)]} if hits else {})
    print(json.dumps(figures, indent=1))
    if options.record:
        _record(options.record, figures, units, options.labels.parent / "commits.tsv")


def _compared(
    knowledge: Knowledge, unit: dict[str, Any], projects: Path
) -> tuple[Counter[tuple[str, str]], list[bool]]:
    """Count how often each true state met each state of the review, and whether right findings point to the place."""
    folder = projects / unit["repo"].replace("/", "+")
    states = {each.id: each for each in review_script(knowledge, folder, entry=unit["entry"]).checks}
    counted = {check: truth for check, truth in unit["checks"].items() if not knowledge.reviews[check].advisory}
    print(unit["repo"], unit["entry"])
    for check, truth in counted.items():
        if states[check].state != truth:
            _show(check, truth, states[check])
    lines = unit.get("lines", {})
    hits = [
        _points_to(states[check], lines[check])
        for check, truth in counted.items()
        if truth == states[check].state == "missing" and lines.get(check)
    ]
    return Counter((truth, states[check].state) for check, truth in counted.items()), hits


def _points_to(said: CheckState, labelled: list[str]) -> bool:
    """Return whether some evidence stands within three lines of a labelled `path:line`."""
    places = [(path, int(line)) for path, _, line in (each.rpartition(":") for each in labelled)]
    return any(
        item.path == path and (item.line or 0) - NEAR <= line <= max(item.end_line or 0, item.line or 0) + NEAR
        for item in said.evidence
        for path, line in places
    )


def _show(check: str, truth: str, said: CheckState) -> None:
    where = [f"{item.path}:{item.line}" for item in said.evidence[:3]]
    print(f"  {check:26s} truth {truth:15s} said {said.state:15s} {where} {said.why[:1]}")


def _figures(pairs: Counter[tuple[str, str]]) -> dict[str, Any]:
    right = pairs["missing", "missing"]
    said = sum(count for (_, state), count in pairs.items() if state == "missing")
    true = sum(count for (truth, _), count in pairs.items() if truth == "missing")
    held = sum(count for (truth, _), count in pairs.items() if truth in _HELD)
    asserted = sum(count for (truth, state), count in pairs.items() if truth in _HELD and state == "missing")
    praised = sum(count for (_, state), count in pairs.items() if state == "present")
    return {
        "labels": sum(pairs.values()),
        "missing": true,
        "precision": round(right / max(said, 1), 3),
        "recall": round(right / max(true, 1), 3),
        "asserted_where_undecidable_or_not_applicable": [asserted, held],
        "present_precision": round(pairs["present", "present"] / max(praised, 1), 3),
        "states": {f"{truth} / {said}": count for (truth, said), count in sorted(pairs.items())},
    }


def _record(name: str, figures: dict[str, Any], units: list[dict[str, Any]], commits: Path) -> None:
    named = dict(line.split("\t") for line in commits.read_text("utf-8").splitlines() if line)
    projects = [{"repo": unit["repo"], "commit": named[unit["repo"]], "entry": unit["entry"]} for unit in units]
    sets = json.loads(RESULT.read_text("utf-8")) if RESULT.is_file() else {}
    sets[name] = {"first": figures, **sets.get(name, {}), "now": figures, "projects": projects}
    RESULT.write_text(json.dumps(sets, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
