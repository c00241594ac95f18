"""The three headline failures of S000 planted into one plan and manifest on FSDD: does the loop find and repair them?

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.headline

No clipping, a validation split that shares every speaker with training, and five epochs; the loop is told nothing.
About five minutes on two cores.
"""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

from benchmarks.data import data_folder, experts_plan, keep
from engine.plan import patched, plan_yaml, read_plan, write_atomically
from expert.consultation.improve import Budget, run_loop
from expert.consultation.loop import loop_record
from knowledge.loader import load_knowledge

_SOUGHT = ("group-overlap", "train.grad_clip", "train.epochs_15")


def main() -> None:
    """Plant the failures, run the loop, and keep what it found and gained."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = leaking_manifest(folder)
        plan = experts_plan(manifest, {"task.domain": "clean-speech"})
        planted = {
            "training.clip_norm": 0.0,
            "training.epochs": 5,
            "data.split_column": "split",
            "data.protocol": "given-split",
        }
        write_atomically(folder / "plan.yaml", plan_yaml(patched(plan, planted)))
        result = run_loop(read_plan(folder / "plan.yaml"), folder / "loop", load_knowledge(), Budget(rounds=5))
        record = json.loads(json.dumps(loop_record(result)).replace(f"{folder}/", ""))
    found = {finding.id for report in result.reports for finding in report.findings}
    changed = {change.finding.id for report in result.reports for change in report.round.changes}
    keep(
        "headline",
        {
            "planted": planted,
            "found": {name: name in found for name in _SOUGHT},
            "repaired": {name: name in changed for name in _SOUGHT},
            **record,
        },
    )


def leaking_manifest(folder: Path) -> Path:
    """Write FSDD with takes 0 to 4 as test and 5 to 9 as validation: every speaker stands on all sides."""
    source = data_folder("fsdd")
    rows = list(csv.DictReader((source / "manifest.csv").open(encoding="utf-8")))
    path = folder / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "speaker", "split"])
        for row in rows:
            split = "test" if int(row["take"]) < 5 else "val" if int(row["take"]) < 10 else "train"
            writer.writerow([source / row["path"], row["label"], row["speaker"], split])
    return path


if __name__ == "__main__":
    main()
