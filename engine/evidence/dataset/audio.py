"""Facts about what was decoded: hours, sample rates, channels, clip lengths."""

from __future__ import annotations

from collections import Counter

import numpy as np

from knowledge.records import Evidence, Fact, Measured

from .clips import Clip, Scan
from .coded import quantiles
from .counting import counted, unknown
from .records import Dataset, Row

_NAMES = (
    "dataset.sample_rate_hz dataset.sample_rates dataset.channels_max dataset.duration_min_seconds "
    "dataset.duration_median_seconds dataset.duration_p95_seconds dataset.duration_max_seconds"
)


def measure_audio(dataset: Dataset, scan: Scan) -> Measured:
    """Return format and duration facts over every different clip that could be decoded."""
    if dataset.region_count and not scan.clips:
        return Measured(unknown=unknown(f"dataset.hours {_NAMES}", "no audio was read"))
    codes, places = np.unique(dataset.region_codes, return_index=True)
    first = dict(zip(codes.tolist(), places.tolist(), strict=True))
    clips = [(number, scan.clips.get(region)) for number, region in enumerate(dataset.regions)]
    heard = [(first[number], clip) for number, clip in clips if clip is not None and clip.frames]
    seconds = np.array([clip.duration_seconds for _, clip in heard])
    hours = Fact("dataset.hours", float(seconds.sum()) / 3600, "audit", n=len(heard))
    if not heard:
        return Measured((hours,), unknown(_NAMES, "no clip could be decoded"))
    return Measured((hours, *_formats(dataset, heard), *_durations(dataset, heard, seconds)))


def _formats(dataset: Dataset, heard: list[tuple[int, Clip]]) -> tuple[Fact, ...]:
    clip_of = dict(heard)
    rates = Counter(clip.sample_rate_hz for _, clip in heard)
    usual = max(rates, key=lambda rate: (rates[rate], rate))
    others = [place for place, clip in heard if clip.sample_rate_hz != usual]
    several = [place for place, clip in heard if clip.channels > 1]
    n = len(heard)
    counts = tuple(Evidence(f"{rates[rate]} of {n} clips at {rate} Hz", n=rates[rate]) for rate in sorted(rates))
    most_channels = max(clip.channels for _, clip in heard)

    def rate(row: Row) -> str:
        return f"{clip_of[row.place].sample_rate_hz} Hz"

    def channels(row: Row) -> str:
        return f"{clip_of[row.place].channels} channels"

    return (
        Fact("dataset.sample_rate_hz", usual, "audit", n=rates[usual], evidence=counts),
        counted(dataset, "dataset.sample_rates", others, n, rate, len(rates)),
        counted(dataset, "dataset.channels_max", several, n, channels, most_channels),
    )


def _durations(dataset: Dataset, heard: list[tuple[int, Clip]], seconds: np.ndarray) -> tuple[Fact, ...]:
    n = len(heard)

    def extreme(name: str, number: int) -> Fact:
        place, clip = heard[number]
        value, row = clip.duration_seconds, dataset.row(place)
        evidence = Evidence(f"{value:.3f} s", path=row.name, line=row.line or None, value=value)
        return Fact(name, value, "audit", n=n, evidence=(evidence,))

    median, p95 = (float(value) for value in quantiles(seconds, (0.5, 0.95)))
    return (
        extreme("dataset.duration_min_seconds", int(seconds.argmin())),
        Fact("dataset.duration_median_seconds", median, "audit", n=n),
        Fact("dataset.duration_p95_seconds", p95, "audit", n=n),
        extreme("dataset.duration_max_seconds", int(seconds.argmax())),
    )
