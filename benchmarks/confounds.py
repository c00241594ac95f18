"""Are planted confounds found, and are their controls quiet? `python -m benchmarks.confounds [--seeds 1 2 ...]`.

Each leak is planted alone (shared/tools/plant.py), with the number of clips that the audit would have in practice; the
control is the same set without a fault. Prints a line a set; writes benchmarks/results/confounds.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.evidence.dataset import measure_dataset, read_dataset, scan_clips
from expert.chaining import consult
from expert.consultation.standards import Standards
from knowledge.loader import load_knowledge

SETS = {"fsdd": ("label", "speaker", 900), "esc10": ("label", "group", 0), "speechocean762": ("score", "speaker", 0)}
LEAKS = ("none", "condition_leak", "format_leak", "silence_leak", "all")
RESULT = Path(__file__).parent / "results" / "confounds.json"
FAMILIES = ("format", "padding", "floor", "offset")


def planted(shared: Path, cache: Path, name: str, faults: str, seed: int) -> Path:
    """Return the folder of a planted set; made once."""
    label, group, limit = SETS[name]
    folder = cache / f"{name}-{seed}-{faults.replace('=', '-')}"
    if not (folder / "truth.json").exists():
        made = [sys.executable, str(shared / "tools" / "plant.py"), "--target", label, "--group", group]
        source = shared / "data" / "audio" / name / "manifest.csv"
        made += ["--manifest", str(source), "--out", str(folder), "--seed", str(seed), "--faults", faults]
        subprocess.run([*made, "--limit", str(limit)], check=True, stdout=subprocess.DEVNULL)
    return folder


def found(folder: Path) -> dict[str, Any]:
    """Return the confound findings of a set, and the separations that they rest on."""
    dataset = read_dataset(folder / "manifest.csv")
    knowledge = load_knowledge()
    measured = measure_dataset(dataset, scan_clips(dataset.regions), least=Standards.of(knowledge, dataset).minimums)
    session = consult(knowledge, measured.facts, packs=("audit",), unknown=measured.unknown)
    rules = [finding.rule for finding in session.findings if finding.id == "confound"]
    values = {family: measured.get(f"dataset.confound_{family}_separation") for family in FAMILIES}
    wanted = ("condition_label_accuracy", "condition_group_accuracy", "leakage_gain")
    return {"rules": rules, **values, **{name: measured.get(f"dataset.{name}") for name in wanted}}


def main() -> None:
    """Plant, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--cache", type=Path, default=Path("/tmp/planted"))
    options = parser.parse_args()
    shared = Path(os.environ["TONMEISTER_TEST_DATA"]).parent
    table: dict[str, Any] = {}
    for name in SETS:
        for faults in LEAKS if name != "speechocean762" else ("none",):
            for seed in options.seeds:
                line = found(planted(shared, options.cache, name, faults, seed))
                table[f"{name}-{seed}-{faults}"] = line
                numbers = " ".join(f"{key}={value:.2f}" for key, value in line.items() if isinstance(value, float))
                print(f"{name} {faults} seed {seed}: {', '.join(line['rules']) or '-'} | {numbers}", flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
