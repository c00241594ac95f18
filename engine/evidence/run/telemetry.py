"""Measures what the GPU did meanwhile: load, memory, throttling; says nothing of the training itself."""

from __future__ import annotations

import numpy as np

from knowledge.records import Evidence, Measured

from .measuring import known, unknown
from .series import Floats, RunSeries

_LOADED_SHARE = 0.2
"""Samples with less of the peak memory are from before or after the training (diagnosis.md, section 4)."""
_THROTTLED = 0x4 | 0x8 | 0x20 | 0x40 | 0x80
"""NVML's clocks event reasons that slow a GPU down: power cap, hardware, thermal by software and hardware, brake."""
_NAMES = ("run.gpu_samples", "run.gpu_utilisation_high", "run.gpu_utilisation_low", "run.gpu_utilisation_median")


def telemetry(run: RunSeries) -> Measured:
    """Measure the load of the GPU over the samples in which the training held memory."""
    load = run.get("gpu/utilisation")
    if load is None:
        names = (*_NAMES, "run.gpu_memory_peak_share", "run.gpu_throttled_share")
        return unknown("no GPU telemetry was recorded", *names)
    loaded = load.take(np.flatnonzero(_loaded(run, len(load))))
    low, median, high = (float(value) for value in np.percentile(loaded.y, (5, 50, 95)))
    share = f"{len(loaded)} of {len(load)} samples are under load"
    text = f"{share}: 5 % below {low:.0f} %, median {median:.0f} %, 5 % above {high:.0f} % utilisation"
    evidence = [Evidence(text, path=str(run.source))]
    values = (len(loaded), high, low, median)
    measured = Measured()
    for name, value in zip(_NAMES, values, strict=True):
        measured += known(name, value, n=len(loaded), evidence=evidence)
    return measured + _memory(run) + _throttling(run, len(load))


def _loaded(run: RunSeries, samples: int) -> np.ndarray:
    used = run.get("gpu/memory_used")
    if used is None or len(used) != samples or used.y.max() <= 0:
        return np.ones(samples, dtype=bool)
    loaded: np.ndarray = used.y > _LOADED_SHARE * used.y.max()
    return loaded


def _memory(run: RunSeries) -> Measured:
    used, total = run.get("gpu/memory_used"), run.get("gpu/memory_total")
    if used is None or total is None or total.y.max() <= 0:
        return unknown("the telemetry does not tell how much memory there is", "run.gpu_memory_peak_share")
    peak: Floats = used.y.max() / total.y.max()
    text = f"at most {used.y.max():.0f} of {total.y.max():.0f} were used"
    return known("run.gpu_memory_peak_share", float(peak), n=len(used), evidence=[Evidence(text)])


def _throttling(run: RunSeries, samples: int) -> Measured:
    reasons = run.get("gpu/throttle")
    if reasons is None or len(reasons) != samples:
        return unknown("the telemetry holds no clocks event reasons", "run.gpu_throttled_share")
    active = (reasons.y[_loaded(run, samples)].astype(np.int64) & _THROTTLED) != 0
    text = f"{int(active.sum())} of {len(active)} samples under load were slowed down"
    return known("run.gpu_throttled_share", float(active.mean()), n=len(active), evidence=[Evidence(text)])
