"""How long the loader takes alone, and the steps alone; which of them the other waits for."""

from __future__ import annotations

import itertools
import statistics
import time

import torch

from engine.separating import Outcome

from .bench import Bench, walk
from .rate_range import endless

_BATCHES = 12
_WARM = 2
"""Batches before the clock counts: the first ones fill caches."""


def step_timing(bench: Bench) -> Outcome:
    """Time batch after batch without a step, then step after step on batches that are ready."""
    job = bench.job({"training.accumulation": 1})
    chosen = list(itertools.islice(endless(job), _BATCHES))
    loading = []
    for items in chosen:
        before = time.perf_counter()
        job.source.training_batch(items, 1)
        loading.append(time.perf_counter() - before)
    computing = []
    for items in chosen:
        before = time.perf_counter()
        walk(job, iter([items]), [1.0], bench.stop)
        if job.device.type == "cuda":
            torch.cuda.synchronize()
        computing.append(time.perf_counter() - before)
    load = statistics.median(loading[_WARM:] or loading)
    # A step of `walk` reads its batch as well.
    compute = max(statistics.median(computing[_WARM:] or computing) - load, 1e-9)
    waited = load / max(job.plan.compute.workers, 1)
    facts = {
        "test.loader_seconds": load,
        "test.compute_seconds": compute,
        "test.loader_share": waited / (waited + compute),
    }
    text = f"a batch takes {1000 * load:.2f} ms to read and {1000 * compute:.2f} ms to learn from; workers: "
    return Outcome("step-timing", dict(facts), (f"{text}{job.plan.compute.workers}",), {}, sum(map(len, chosen)))
