"""Gathers what probes read: one row a clip, its label, its groups, its content-free conditions; judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..clips import Clip, Scan
from ..labels import strata
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

    dataset: Dataset
    places: Integers
    """`(rows,)`: which row of the data set each is."""
    codes: Integers
    """`(rows,)`: number of the class, or of the fifth of the scores."""
    names: tuple[str, ...]
    """Name of each number."""
    scores: Floats
    """`(rows,)`: the labels as numbers, NaN where they are none."""
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

    def __len__(self) -> int:
        return len(self.places)

    def row(self, number: int) -> Row:
        """Return the row of the data set that one of these rows is."""
        return self.dataset.row(int(self.places[number]))


def gather(dataset: Dataset, scan: Scan, copies: Integers, units: Integers, *, by_text: bool = False) -> Probed:
    """Return the labelled, decodable clips of a data set, the first row of each; or those whose text is known.

    What is said then stands for the label; it has no name.
    """
    clips = list(scan.clips.values())
    places = {region: place for place, region in enumerate(scan.clips)}
    of_region = np.array([places.get(region, -1) for region in dataset.regions] + [-1], dtype=np.int64)
    clip_of = of_region[dataset.region_codes]
    usable = np.array([bool(clip.frames) and clip.usable for clip in clips] + [False])
    codes = dataset.texts.codes if by_text else strata(dataset)
    candidates = np.flatnonzero((codes >= 0) & usable[clip_of])
    kept = candidates[np.sort(np.unique(clip_of[candidates], return_index=True)[1])]
    if len(kept) > MOST_CLIPS:
        kept = np.sort(np.random.default_rng(_SEED).choice(kept, MOST_CLIPS, replace=False))
    own = np.unique(codes[kept], return_inverse=True)[1].astype(np.int64)
    names = () if by_text else _names(dataset, kept, own)
    return _probed(dataset, scan, kept, clip_of[kept], own, names, copies[kept], units[kept])


def _names(dataset: Dataset, kept: Integers, codes: Integers) -> tuple[str, ...]:
    firsts = np.unique(codes, return_index=True)[1]
    if dataset.task == "regression":
        fifths = [dataset.scores[kept][codes == code] for code in range(len(firsts))]
        return tuple(f"scores {fifth.min():g} to {fifth.max():g}" for fifth in fifths)
    return tuple(f"class {dataset.row(int(place)).label}" for place in kept[firsts])


def _probed(
    dataset: Dataset,
    scan: Scan,
    kept: Integers,
    of_clips: Integers,
    codes: Integers,
    names: tuple[str, ...],
    copies: Integers,
    units: Integers,
) -> Probed:
    clips = list(scan.clips.values())
    bits = scan.measures.get("clip.effective_bits", np.full(len(clips), np.nan))
    return Probed(
        dataset,
        kept,
        codes,
        names,
        dataset.scores[kept],
        _group_numbers(dataset, kept),
        dataset.columns.group is not None,
        copies,
        units,
        _formats([clips[clip] for clip in of_clips], bits[of_clips]),
        {name: scan.measures[f"clip.{name}"][of_clips] for name in MEASURED if f"clip.{name}" in scan.measures},
        np.asarray(scan.cepstra[of_clips] if scan.cepstra.size else np.empty((len(kept), 0)), dtype=float),
    )


def _group_numbers(dataset: Dataset, kept: Integers) -> Integers:
    """Return the number of each group; a row without one is a group of its own."""
    if dataset.columns.group is None:
        return np.arange(len(kept))
    codes = dataset.groups.codes[kept]
    alone = codes < 0
    numbers = np.where(alone, codes.max(initial=-1) + 1 + np.cumsum(alone), codes)
    return np.asarray(np.unique(numbers, return_inverse=True)[1], dtype=np.int64)


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
