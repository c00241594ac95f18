"""How many planted near duplicates the audit finds, and how many pairs it names that are none.

    python -m benchmarks.near_duplicates [SHARED] [--seeds 1,2,3,4,5]

SHARED holds data/audio and tools/plant.py (default: the folder above TONMEISTER_TEST_DATA). Each of gain, codec, trim,
resampling, noise and padding is planted into the three sets, beside exact copies and silence. A copy counts as found
when it stands in one group with its original; a pair is false when nothing planted connects its clips.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.data import keep
from benchmarks.planted import plant
from engine.evidence.dataset import NearPair, Region, Scan, find_near, read_dataset, scan_clips
from engine.evidence.dataset.near_copies import near_groups
from expert.consultation.standards import Standards
from knowledge.loader import load_knowledge

SETS = {"fsdd": ("label", "speaker", 12), "esc10": ("label", "group", 6), "speechocean762": ("score", "speaker", 8)}
"""Target, group column, and copies of each kind."""
KINDS = ("gain", "codec", "trim", "rate", "noise", "pad")


def main() -> None:
    """Print and keep a row a set, and the recall of each kind."""
    words = sys.argv[1:]
    seeds = [1, 2, 3, 4, 5]
    if "--seeds" in words:
        place = words.index("--seeds")
        seeds = [int(seed) for seed in words[place + 1].split(",")]
        del words[place : place + 2]
    shared = Path(words[0]) if words else Path(os.environ["TONMEISTER_TEST_DATA"]).parent
    with tempfile.TemporaryDirectory() as name:
        rows = [_row(shared, Path(name), each, seed) for each in SETS for seed in seeds]
    kinds = {
        kind: [sum(row["found"][kind] for row in rows), sum(row["planted"][kind] for row in rows)] for kind in KINDS
    }
    pairs, false = sum(row["pairs"] for row in rows), sum(len(row["false"]) for row in rows)
    found, planted = sum(each[0] for each in kinds.values()), sum(each[1] for each in kinds.values())
    for row in rows:
        counts = f"{sum(row['found'].values())}/{sum(row['planted'].values())}"
        print(
            f"{row['set']:16}{row['seed']:4}{row['clips']:6} clips  found {counts:8} false {len(row['false']):3} of "
            f"{row['pairs']:4} pairs  most alike other {row['highest_other']:.3f}  {row['cpu_seconds']:6.2f} cpu-s"
        )
    print("  ".join(f"{kind} {got}/{of}" for kind, (got, of) in kinds.items()))
    recall, precision = found / planted, 1 - false / max(1, pairs)
    print(f"recall {recall:.4f}, precision {precision:.4f}")
    keep("near_duplicates", {"recall": recall, "precision": precision, "kinds": kinds, "rows": rows})


def _row(shared: Path, folder: Path, name: str, seed: int) -> dict[str, Any]:
    target, group, count = SETS[name]
    manifest = shared / "data" / "audio" / name / "manifest.csv"
    limit = 1200 if name == "fsdd" else 0
    return row(manifest, folder / f"{name}-{seed}", seed, count, shared, columns=(target, group), limit=limit)


def row(
    manifest: Path,
    out: Path,
    seed: int,
    count: int,
    shared: Path,
    columns: tuple[str, str] = ("label", "group"),
    limit: int = 0,
) -> dict[str, Any]:
    """Plant `count` near copies of each kind into the clips of a manifest, and return what the audit made of them."""
    faults = ",".join([*(f"near_{kind}={count}" for kind in KINDS), "exact_dup=5,pcm_dup=5,silent=5,near_silent=5"])
    plant(manifest, out, columns, seed, faults, shared, limit)
    truth = json.loads((out / "truth.json").read_text())
    dataset = read_dataset(out / "manifest.csv")
    scan = scan_clips(dataset.regions)
    limits = Standards.of(load_knowledge(), dataset).near
    began = time.process_time()
    pairs = find_near(scan, plain=limits.plain)
    spent = time.process_time() - began
    copies, _ = limits.divided(pairs)
    name = manifest.parent.name
    return {"set": name, "seed": seed, "cpu_seconds": spent, **_judged(out.resolve(), scan, truth, pairs, copies)}


def _judged(
    folder: Path, scan: Scan, truth: dict[str, Any], pairs: Iterable[NearPair], copies: tuple[NearPair, ...]
) -> dict[str, Any]:
    regions = {region.file.resolve(): region for region in scan.clips}
    same: dict[str, Region] = {}
    exact = [
        NearPair(same.setdefault(clip.sample_hash, region), region, 1.0, "exact")
        for region, clip in scan.clips.items()
        if clip.sample_hash
    ]
    planted = [
        NearPair(
            regions[(folder / fault["paths"][0]).resolve()],
            regions[(folder / fault["paths"][1]).resolve()],
            1.0,
            fault["fault"],
        )
        for fault in truth["faults"]
        if fault["scope"] == "new"
    ]
    wanted = [pair for pair in planted if pair.transform.startswith("near_")]
    found, true = near_groups([*exact, *copies]), near_groups([*exact, *planted])
    strange = [pair for pair in pairs if not _together(pair, true)]
    met = [pair for pair in wanted if _together(pair, found)]
    return {
        "clips": len(scan.clips),
        "pairs": len(copies),
        "planted": {kind: sum(pair.transform == f"near_{kind}" for pair in wanted) for kind in KINDS},
        "found": {kind: sum(pair.transform == f"near_{kind}" for pair in met) for kind in KINDS},
        "missed": [f"{_name(pair)} {pair.transform}" for pair in wanted if pair not in met],
        "false": [f"{_name(pair)} {pair.similarity:.3f}" for pair in strange if pair in copies],
        "highest_other": max((pair.similarity for pair in strange), default=0.0),
    }


def _together(pair: NearPair, groups: dict[Region, int]) -> bool:
    return pair.first in groups and groups[pair.first] == groups.get(pair.second)


def _name(pair: NearPair) -> str:
    return f"{pair.first.file.name} {pair.second.file.name}"


if __name__ == "__main__":
    main()
