"""Measures what the GPU did meanwhile: load, memory, throttling; says nothing of the training itself."""

from __future__ import annotations

import numpy as np

from knowledge.records import Evidence, Measured

from .limits import Limits, package_limits
from .measuring import known, unknown
from .series import Floats, RunSeries, Series
from .statistics import kendall

_THROTTLED = 0x4 | 0x8 | 0x20 | 0x40 | 0x80
"""NVML's clocks event reasons that slow a GPU down: power cap, hardware, thermal by software and hardware, brake."""
_HEAT, _POWER = 0x20 | 0x40, 0x4 | 0x80
"""Those of them that are of heat, and of the power supply; 0x8 may be either."""
_NAMES = ("run.gpu_samples", "run.gpu_utilisation_high", "run.gpu_utilisation_low", "run.gpu_utilisation_median")


def telemetry(run: RunSeries, limits: Limits | None = None) -> Measured:
    """Measure the load of the GPU over the samples in which the training held memory."""
    least = (limits or package_limits()).gpu_loaded
    load = run.get("gpu/utilisation")
    recorded = known("run.has_gpu_telemetry", load is not None or _any_of_gpu(run))
    return recorded + _load(run, load, least) + _waiting(run)


def _any_of_gpu(run: RunSeries) -> bool:
    return any(one.split == "gpu" and len(one) for one in run.series)


def _load(run: RunSeries, load: Series | None, least: float) -> Measured:
    if load is None:
        names = (*_NAMES, "run.gpu_memory_peak_share", *_SLOWED, "run.gpu_temperature_high_c", *_GROWTH)
        return unknown("no GPU telemetry was recorded", *names)
    loaded = load.take(np.flatnonzero(_loaded(run, len(load), least)))
    if not len(loaded):
        every = (*_NAMES, "run.gpu_memory_peak_share", *_SLOWED, "run.gpu_temperature_high_c", *_GROWTH)
        return unknown("no sample of the GPU telemetry is under load", *every)
    low, median, high = (float(value) for value in np.percentile(loaded.y, (5, 50, 95)))
    share = f"{len(loaded)} of {len(load)} samples are under load"
    text = f"{share}: 5 % below {low:.0f} %, median {median:.0f} %, 5 % above {high:.0f} % utilisation"
    evidence = [Evidence(text, path=str(run.source))]
    values = (len(loaded), high, low, median)
    measured = Measured()
    for name, value in zip(_NAMES, values, strict=True):
        measured += known(name, value, n=len(loaded), evidence=evidence)
    measured += _memory(run) + _growth(run)
    return measured + _throttling(run, len(load), least) + _temperature(run, len(load), least)


def _loaded(run: RunSeries, samples: int, least: float) -> np.ndarray:
    used = run.get("gpu/memory_used")
    if used is None or len(used) != samples or used.y.max() <= 0:
        return np.ones(samples, dtype=bool)
    loaded: np.ndarray = used.y >= least * used.y.max()
    return loaded


def _memory(run: RunSeries) -> Measured:
    used, total = run.get("gpu/memory_used"), run.get("gpu/memory_total")
    if used is None or total is None or total.y.max() <= 0:
        return unknown("the telemetry does not tell how much memory there is", "run.gpu_memory_peak_share")
    peak: Floats = used.y.max() / total.y.max()
    text = f"at most {used.y.max():.0f} of {total.y.max():.0f} were used"
    return known("run.gpu_memory_peak_share", float(peak), n=len(used), evidence=[Evidence(text)])


_GROWTH = ("run.memory_growth_share", "run.memory_growth_steadiness")


def _growth(run: RunSeries) -> Measured:
    """How much, and how steadily, the memory in use rises once the run is warm."""
    used = run.get("gpu/memory_used")
    if used is None:
        return unknown("the telemetry does not tell how much memory is in use", *_GROWTH)
    later = used.y[int(_WARM * len(used)) :]
    third = max(len(later) // 3, 1)
    start, end = float(np.median(later[:third])), float(np.median(later[-third:]))
    if start <= 0 or len(later) < 3:
        return unknown("no memory was in use", *_GROWTH)
    evidence = [Evidence(f"{start:.2f} in use in the first third of the warm run, {end:.2f} in the last")]
    steady = kendall(np.arange(len(later), dtype=np.float64), later)
    grown = known(_GROWTH[0], end / start - 1, n=len(later), evidence=evidence)
    return grown + known(_GROWTH[1], steady, n=len(later), evidence=evidence)


_SLOWED = ("run.gpu_throttled_share", "run.gpu_heat_share", "run.gpu_power_share")


def _throttling(run: RunSeries, samples: int, least: float) -> Measured:
    reasons = run.get("gpu/throttle")
    if reasons is None or len(reasons) != samples:
        return unknown("the telemetry holds no clocks event reasons", *_SLOWED)
    under_load = reasons.y[_loaded(run, samples, least)].astype(np.int64)
    measured = Measured()
    for name, bits in zip(_SLOWED, (_THROTTLED, _HEAT, _POWER), strict=True):
        active = (under_load & bits) != 0
        text = f"{int(active.sum())} of {len(active)} samples under load were slowed down{_BY[name]}"
        measured += known(name, float(active.mean()), n=len(active), evidence=[Evidence(text)])
    return measured


_BY = dict(zip(_SLOWED, ("", " by heat", " by the power supply"), strict=True))


def _temperature(run: RunSeries, samples: int, least: float) -> Measured:
    heat = run.get("gpu/temperature")
    if heat is None or len(heat) != samples:
        return unknown("the telemetry holds no temperature", "run.gpu_temperature_high_c")
    high = float(np.percentile(heat.y[_loaded(run, samples, least)], 95))
    text = f"5 % of the samples under load are above {high:.0f} C"
    return known("run.gpu_temperature_high_c", high, n=len(heat), evidence=[Evidence(text)])


_WAITS = ("run.data_wait_share", "run.data_wait_seconds", "run.data_wait_total_seconds")
_WARM = 0.1
"""Share of the steps at the start that do not count: caches fill and kernels compile."""


def _waiting(run: RunSeries) -> Measured:
    """How much of a step's time goes by until its batch is there."""
    waits, steps = run.get("time/data_wait"), run.get("time/step")
    if waits is None or steps is None or len(waits) != len(steps):
        return unknown("the log does not say how long a step waits for its batch", *_WAITS)
    first = int(_WARM * len(steps))
    total, waited = steps.y[first:], waits.y[first:]
    share = float(np.median(np.divide(waited, total, out=np.zeros_like(total), where=total > 0)))
    text = f"median over {len(total)} steps: {1000 * np.median(waited):.1f} of {1000 * np.median(total):.1f} ms"
    evidence = [Evidence(text)]
    measured = known(_WAITS[0], min(share, 1.0), n=len(total), evidence=evidence)
    measured += known(_WAITS[1], float(np.median(waited)), n=len(total), evidence=evidence)
    together = [Evidence(f"{waits.y.sum():.1f} of {steps.y.sum():.1f} s went by waiting")]
    return measured + known(_WAITS[2], float(waits.y.sum()), n=len(total), evidence=together)
