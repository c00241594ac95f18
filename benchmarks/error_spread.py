"""Where do errors lie when labels are right, when four in ten are wrong, and when they are dealt anew?

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.error_spread

Runs the separating test `error-spread` on parts of FSDD and ESC-10, three seeds. Two minutes on one core.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import keep
from benchmarks.planted_causes import unrelated_labels, wrong_labels
from benchmarks.planted_corpora import CORPORA, healthy_plan, write_manifest
from engine.plan import plan_yaml, write_atomically
from engine.separating import read_outcomes

_LABELS = {"as published": None, "four in ten wrong": wrong_labels, "dealt anew": unrelated_labels}
_SEEDS = (0, 1, 2)


def main() -> None:
    """Measure and keep the figures."""
    import torch

    torch.set_num_threads(1)
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for corpus in ("digits", "scenes"):
        for name, change in _LABELS.items():
            rows = [_measured(corpus, change, seed) for seed in _SEEDS]
            found.setdefault(corpus, {})[name] = rows
            print(corpus, name, [round(row.get("test.error_rank", float("nan")), 3) for row in rows], file=sys.stderr)
    keep("error_spread", found)


def _measured(corpus: str, change: Any, seed: int) -> dict[str, Any]:
    from engine.training.separating.running import run_test
    from engine.training.stopping import Stop

    with tempfile.TemporaryDirectory() as name:
        folder, clips = Path(name), CORPORA[corpus](seed)
        if change is not None:
            clips = change(clips, np.random.default_rng(seed), folder)
        plan = healthy_plan(corpus, write_manifest(folder / "manifest.csv", clips), seed)
        write_atomically(folder / "run" / "plan.yaml", plan_yaml(plan))
        run_test(folder / "run", "error-spread", Stop())
        return dict(read_outcomes(folder / "run")[0].facts)


if __name__ == "__main__":
    main()
