"""Facts about what was decoded: hours, sample rates, channels, clip lengths."""

from __future__ import annotations

from collections import Counter

import numpy as np

from knowledge.records import Evidence, Fact, Measured

from .clips import Clip, Scan
from .counting import counted, unknown
from .records import Dataset, Row

_NAMES = (
    "dataset.sample_rate_hz dataset.sample_rates dataset.channels_max dataset.duration_min_seconds "
    "dataset.duration_median_seconds dataset.duration_p95_seconds dataset.duration_max_seconds"
)


def measure_audio(dataset: Dataset, scan: Scan) -> Measured:
    """Return format and duration facts over every different clip that could be decoded."""
    rows = {row.region: row for row in reversed(dataset.rows) if row.region is not None}
    heard = [(rows[region], clip) for region, clip in scan.clips.items() if clip.frames]
    seconds = np.array([clip.duration_seconds for _, clip in heard])
    hours = Fact("dataset.hours", float(seconds.sum()) / 3600, "audit", n=len(heard))
    if not heard:
        return Measured((hours,), unknown(_NAMES, "no clip could be decoded"))
    return Measured((hours, *_formats(heard), *_durations(heard, seconds)))


def _formats(heard: list[tuple[Row, Clip]]) -> tuple[Fact, ...]:
    rates = Counter(clip.sample_rate_hz for _, clip in heard)
    usual = max(rates, key=lambda rate: (rates[rate], rate))
    others = [row for row, clip in heard if clip.sample_rate_hz != usual]
    rate_of = {row.path: clip.sample_rate_hz for row, clip in heard}
    several = [row for row, clip in heard if clip.channels > 1]
    channels_of = {row.path: clip.channels for row, clip in heard}
    n = len(heard)
    counts = tuple(Evidence(f"{rates[rate]} of {n} clips at {rate} Hz", n=rates[rate]) for rate in sorted(rates))
    most_channels = max(channels_of.values())
    return (
        Fact("dataset.sample_rate_hz", usual, "audit", n=rates[usual], evidence=counts),
        counted("dataset.sample_rates", others, n, lambda row: f"{rate_of[row.path]} Hz", len(rates)),
        counted("dataset.channels_max", several, n, lambda row: f"{channels_of[row.path]} channels", most_channels),
    )


def _durations(heard: list[tuple[Row, Clip]], seconds: np.ndarray) -> tuple[Fact, ...]:
    n = len(heard)

    def extreme(name: str, place: int) -> Fact:
        row, clip = heard[place]
        value = clip.duration_seconds
        evidence = Evidence(f"{value:.3f} s", path=row.path, line=row.line or None, value=value)
        return Fact(name, value, "audit", n=n, evidence=(evidence,))

    median, p95 = (float(value) for value in np.percentile(seconds, (50, 95)))
    return (
        extreme("dataset.duration_min_seconds", int(seconds.argmin())),
        Fact("dataset.duration_median_seconds", median, "audit", n=n),
        Fact("dataset.duration_p95_seconds", p95, "audit", n=n),
        extreme("dataset.duration_max_seconds", int(seconds.argmax())),
    )
