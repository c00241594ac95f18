"""Gathers what probes read: one row a clip, its label, its groups, its content-free conditions; judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..clips import Clip, Scan
from ..labels import strata
from ..leaks import group_key
from ..records import Dataset, Row

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]

MOST_CLIPS = 20_000
"""Probes of more clips than this cost more than they tell; a random part is taken, and `n` says so."""
_SEED = 20260301
MEASURED = (
    "lead_seconds", "tail_seconds", "hiss_dbfs", "floor_dbfs", "offset", "bandwidth_hz", "edge_share", "level_dbfs",
)  # fmt: skip
"""Measures of a clip that the recorder and its settings decide more than what is said or heard."""


@dataclass(frozen=True, eq=False)
class Probed:
    """The labelled clips that could be decoded, each once."""

    rows: tuple[Row, ...]
    codes: Integers
    """`(rows,)`: number of the class, or of the fifth of the scores."""
    names: tuple[str, ...]
    """Name of each number."""
    groups: Integers
    """`(rows,)`: number of the speaker, recording and so on; a row without one has a number of its own."""
    grouped: bool
    """Whether there is a group column."""
    copies: Integers
    """`(rows,)`: exact copies share a number."""
    units: Integers
    """`(rows,)`: clips that must not be parted share a number: one group, or copies of one another."""
    formats: Mapping[str, tuple[str, ...]]
    """What the file states: container, sample rate, channels, bits; `(rows,)` each."""
    conditions: Mapping[str, Floats]
    """`MEASURED`, as far as the scan holds them; `(rows,)` each, NaN where unknown."""
    cepstra: Floats
    """`(rows, 2 x coefficients)`; without columns when the scan holds none."""

    @property
    def scores(self) -> Floats:
        """`(rows,)`: the labels as numbers, NaN where they are none."""
        return np.array([np.nan if row.score is None else row.score for row in self.rows], dtype=float)


def gather(dataset: Dataset, scan: Scan, copies: Integers, units: Integers) -> Probed:
    """Return the labelled, decodable clips of a data set."""
    places = {region: place for place, region in enumerate(scan.clips)}
    clips = list(scan.clips.values())
    named, first = np.unique(dataset.region_codes, return_index=True)
    rows = zip(named.tolist(), first.tolist(), strict=True)
    found = [(place, places.get(dataset.regions[region], -1)) for region, place in rows if region >= 0]
    kept = sorted((place, clip) for place, clip in found if clip >= 0)  # place among the rows, place among the clips
    codes = strata(dataset)
    kept = [(place, clip) for place, clip in kept if codes[place] >= 0 and clips[clip].frames and clips[clip].usable]
    if len(kept) > MOST_CLIPS:
        chosen = np.random.default_rng(_SEED).choice(len(kept), MOST_CLIPS, replace=False)
        kept = [kept[place] for place in np.sort(chosen)]
    return _probed(dataset, scan, kept, codes, np.column_stack((copies, units)))


def _probed(dataset: Dataset, scan: Scan, kept: Sequence[tuple[int, int]], codes: Integers, linked: Integers) -> Probed:
    of_rows = np.array([place for place, _ in kept], dtype=np.int64)
    of_clips = np.array([clip for _, clip in kept], dtype=np.int64)
    rows = tuple(dataset.row(place) for place, _ in kept)
    used, own = np.unique(codes[of_rows], return_inverse=True)
    clips = list(scan.clips.values())
    bits = scan.measures.get("clip.effective_bits", np.full(len(clips), np.nan))
    cepstra = scan.cepstra[of_clips] if scan.cepstra.size else np.empty((len(rows), 0))
    return Probed(
        rows,
        own.astype(np.int64),
        tuple(
            _name(dataset, [row for row, code in zip(rows, own, strict=True) if code == k]) for k in range(len(used))
        ),
        _group_numbers(rows),
        dataset.columns.group is not None,
        linked[of_rows, 0],
        linked[of_rows, 1],
        _formats([clips[clip] for clip in of_clips], bits[of_clips]),
        {name: scan.measures[f"clip.{name}"][of_clips] for name in MEASURED if f"clip.{name}" in scan.measures},
        np.asarray(cepstra, dtype=float),
    )


def _name(dataset: Dataset, rows: Sequence[Row]) -> str:
    if dataset.task != "regression":
        return f"class {rows[0].label}"
    scores = [row.score for row in rows if row.score is not None]
    return f"scores {min(scores):g} to {max(scores):g}"


def _group_numbers(rows: Sequence[Row]) -> Integers:
    keys = [group_key(row) or f"\0{place}" for place, row in enumerate(rows)]
    return np.unique(keys, return_inverse=True)[1].astype(np.int64) if keys else np.empty(0, np.int64)


def _formats(clips: Sequence[Clip], bits: Floats) -> dict[str, tuple[str, ...]]:
    return {
        "container": tuple(clip.container or clip.file.suffix.casefold().lstrip(".") for clip in clips),
        "coding": tuple(clip.subtype or "unknown" for clip in clips),
        "sample rate": tuple(f"{clip.sample_rate_hz} Hz" for clip in clips),
        "channels": tuple(f"{clip.channels}" for clip in clips),
        "bits": tuple(
            "unknown" if np.isnan(used) else "16" if used > 12 else "8 to 12" if used > 8 else "8" for used in bits
        ),
    }
