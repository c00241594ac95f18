"""How good is the ranking of doubtful labels? `python -m benchmarks.label_suspects [--seeds 1 2 ...]`.

Plants label errors alone, and among all other faults, and prints which share of the planted ones stands among the first
k of the ranking, k being as many as were planted (precision and recall are then equal), and twice as many (recall).
Writes benchmarks/results/label_suspects.json.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from engine.evidence.dataset import read_dataset, scan_clips
from engine.evidence.dataset.leaks import copy_components, leak_components
from engine.evidence.dataset.probes.gather import gather
from engine.evidence.dataset.probes.suspects import doubts_of

from .confounds import planted

PLANTED = {"fsdd": 20, "esc10": 6, "speechocean762": 6}
RESULT = Path(__file__).parent / "results" / "label_suspects.json"


def ranked(folder: Path) -> dict[str, Any]:
    """Return recall among the first k and 2k, for k planted errors that the probe could judge."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    wrong = {path for fault in truth["faults"] if fault["fault"] == "label_error" for path in fault["paths"]}
    dataset = read_dataset(folder / "manifest.csv")
    scan = scan_clips(dataset.regions)
    probed = gather(dataset, scan, copy_components(dataset, scan), leak_components(dataset, scan))
    doubts, _, score = doubts_of(probed, dataset.task)
    order = [probed.row(place).path in wrong for place in np.argsort(-doubts, kind="stable").tolist()]
    k = len(wrong)
    found = {"planted": k, "first_k": sum(order[:k]) / k, "first_2k": sum(order[: 2 * k]) / k}
    chance = k / len(order)
    return {**found, "chance": round(chance, 4), "probe_score": round(score, 3)}


def main() -> None:
    """Plant, rank, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--cache", type=Path, default=Path("/tmp/planted"))
    options = parser.parse_args()
    shared = Path(os.environ["TONMEISTER_TEST_DATA"]).parent
    table: dict[str, Any] = {}
    for name, count in PLANTED.items():
        for faults in (f"label_error={count}", "all"):
            lines = [ranked(planted(shared, options.cache, name, faults, seed)) for seed in options.seeds]
            table[f"{name} {faults}"] = lines
            means = {key: sum(line[key] for line in lines) / len(lines) for key in lines[0]}
            print(f"{name} {faults}: " + ", ".join(f"{key} {value:.2f}" for key, value in means.items()), flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
