"""How often a changed label distribution of test is found, and how often a sound split alarms: labels alone, no audio.

    python -m benchmarks.drift [--sets FOLDER] [--seeds 30] [--only a,b]

Splits the manifests of two shared sets, and of a FOLDER of further sets (see audit_unseen), in five ways: by label with
the shared planter (`none`), then thinned as it plants a drift (`drift`, after a rare class and before groups on both
sides, as with all faults; `thinned` alone), and at random by clip or by group. The rules judge. Prints the shares of
findings by each rule, and of warnings, and keeps them in benchmarks/results/drift.json.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import random
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import planted
from engine.plan import write_atomically
from expert.consultation.audit import audit_dataset
from knowledge.loader import load_knowledge

RESULT = Path(__file__).parent / "results" / "drift.json"
WAYS = ("drift", "thinned", "none", "by-clip", "by-group")
_SPLITS, _SHARES = ("train", "val", "test"), (0.7, 0.15, 0.15)


@dataclass
class Clip:
    """A row, as the planter's split expects it."""

    src: str
    row: dict[str, str]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--only", default="", help="names of sets; default: all")
    parser.add_argument("--shared", type=Path, default=planted.SHARED)
    given = parser.parse_args()
    audio = given.shared / "data/audio"
    sources = {name: (audio / name / "manifest.csv", *planted.COLUMNS[name]) for name in ("fsdd", "esc10")}
    for path in sorted(given.sets.glob("*/manifest.csv")) if given.sets else ():
        sources[path.parent.name] = (path, "label", "group")
    sources = {name: sources[name] for name in (given.only.split(",") if given.only else sources)}
    kept = json.loads(RESULT.read_text("utf-8")) if RESULT.is_file() else {}
    for name, source in sources.items():
        for way in WAYS:
            said = Counter(
                told for seed in range(1, given.seeds + 1) for told in one(name, source, way, seed, given.shared)
            )
            shares = {told: round(count / given.seeds, 3) for told, count in sorted(said.items())}
            print(f"{name:12s} {way:9s}", shares, flush=True)
            kept.setdefault(name, {"seeds": given.seeds})[way] = shares
    write_atomically(RESULT, json.dumps(kept, indent=1) + "\n")


def one(name: str, source: tuple[Path, str, str], way: str, seed: int, shared: Path) -> set[str]:
    """Return the rules that report a drift for one split of one set, and "warning" if one is more than a note."""
    clips = divided(source, way, random.Random(seed), planter(shared), planted.LIMITS.get(name, 0))
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.csv"
        with manifest.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label", "group", "split"])
            writer.writerows([clip.src, clip.row["label"], clip.row["group"], clip.row["split"]] for clip in clips)
        group = "group" if any(clip.row["group"] for clip in clips) else ""
        audit = audit_dataset(load_knowledge(), manifest, label="label", group=group, split="split", decode=False)
    found = [finding for finding in audit.session.findings if finding.id == "label-drift"]
    warned = {"warning"} if any(finding.severity != "note" for finding in found) else set()
    return {finding.rule for finding in found} | warned


def planter(shared: Path) -> Any:
    """Return the shared planter as a module."""
    spec = importlib.util.spec_from_file_location("plant", shared / "tools/plant.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def divided(source: tuple[Path, str, str], way: str, rng: random.Random, plant: Any, limit: int) -> list[Clip]:
    """Return the rows with a split, those that the planter would take away left out."""
    clips = read(source, limit, rng)
    if way == "by-clip":
        for clip in clips:
            clip.row["split"] = rng.choices(_SPLITS, _SHARES)[0]
        return clips
    if way == "by-group":
        of: dict[str, str] = {}
        for clip in clips:
            clip.row["split"] = of.setdefault(clip.row["group"] or clip.src, rng.choices(_SPLITS, _SHARES)[0])
        return clips
    plant.base_split(clips, "group", "label", False, rng)
    classes = sorted({clip.row["label"] for clip in clips})
    rng.shuffle(classes)
    if way == "drift":
        rare = classes.pop()
        clips = thinned(clips, lambda clip: clip.row["label"] == rare, 0.08, 3, rng)
    if way != "none":
        some = set(classes[: max(1, len(classes) // 3)])
        clips = thinned(clips, lambda clip: clip.row["split"] == "test" and clip.row["label"] in some, 0.2, 1, rng)
    if way == "drift":
        overlap(clips, rng)
    return clips


def read(source: tuple[Path, str, str], limit: int, rng: random.Random) -> list[Clip]:
    """Return the rows of a manifest, of a large set as many of each class as the planter takes."""
    path, label, group = source
    by: dict[str, list[Clip]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        by[row[label]].append(Clip(row["path"], {"label": row[label], "group": row.get(group, "")}))
    kept = []
    for name in sorted(by):
        rng.shuffle(by[name])
        kept += by[name][: max(8, round(limit * len(by[name]) / len(rows)))] if limit else by[name]
    return kept


def thinned(clips: list[Clip], which: Any, share: float, least: int, rng: random.Random) -> list[Clip]:
    """Return the clips with a share of some kept, at least so many."""
    some = [clip for clip in clips if which(clip)]
    rng.shuffle(some)
    gone = {id(clip) for clip in some[max(least, round(share * len(some))) :]}
    return [clip for clip in clips if id(clip) not in gone]


def overlap(clips: list[Clip], rng: random.Random) -> None:
    """Move a quarter of the clips of a fifth of the training groups to test."""
    groups = sorted({clip.row["group"] for clip in clips if clip.row["split"] == "train" and clip.row["group"]})
    rng.shuffle(groups)
    for group in groups[: max(1, len(groups) // 5)]:
        members = [clip for clip in clips if clip.row["group"] == group]
        if len(members) >= 2:
            rng.shuffle(members)
            for clip in members[: max(1, len(members) // 4)]:
                clip.row["split"] = "test"


if __name__ == "__main__":
    main()
