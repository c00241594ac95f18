"""The gradients of the first batches: tensors that get none, and the batch of the largest."""

from __future__ import annotations

import itertools
import math
import statistics

import torch

from engine.separating import Outcome

from ..census import silent_tensors
from ..nan_locator import locate
from .bench import Bench, walk
from .rate_range import endless

_BATCHES = 10
_NAMED = 3


def gradient_census(bench: Bench) -> Outcome:
    """Take the first steps of the plan and look at every gradient before it is used."""
    job = bench.job({"training.accumulation": 1})
    parameters = {name: one for name, one in job.model.named_parameters() if one.requires_grad}
    silent, norms, by_tensor = set(parameters), [], dict.fromkeys(parameters, 0.0)
    batches, bad = [], 0
    for items in itertools.islice(endless(job), _BATCHES):
        (loss,) = walk(job, iter([items]), [1.0], bench.stop)
        if not math.isfinite(loss):
            found = locate(job, [(items, job.source.training_batch(items, 0))])
            bad += len(found.clips) if found.alone else 0
            break
        silent &= set(silent_tensors(job.model))
        sizes = {name: float(one.grad.norm()) for name, one in parameters.items() if one.grad is not None}
        by_tensor |= {name: max(by_tensor[name], size) for name, size in sizes.items()}
        norms.append(float(torch.tensor(list(sizes.values())).norm()))
        batches.append(items)
    facts: dict[str, float | int] = {"test.gradient_silent": len(silent), "test.gradient_nonfinite_clips": bad}
    shown = [f"{len(silent)} of {len(parameters)} tensors got no gradient in {len(norms)} steps"]
    shown += [f"without any: {', '.join(sorted(silent)[:_NAMED])}"] if silent else []
    if norms and statistics.median(norms) > 0:
        largest = max(range(len(norms)), key=norms.__getitem__)
        facts["test.gradient_largest_over_median"] = norms[largest] / statistics.median(norms)
        named = ", ".join(item.path.rsplit("/", 1)[-1] for item in batches[largest][:_NAMED])
        shown.append(f"median norm {statistics.median(norms):.3g}, largest {norms[largest]:.3g} on {named} ...")
    if bad:
        shown.append(f"{bad} clips give a loss that is not a number by themselves")
    gone = {} if norms else {"test.gradient_largest_over_median": "no step had a loss that is a number"}
    return Outcome("gradient-census", dict(facts), tuple(shown), gone, sum(map(len, batches)) or None)
