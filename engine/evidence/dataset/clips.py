"""What decoding a data set brings: a record a clip and measures side by side; opens no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .measure_table import MeasureTable
from .records import Region, Row

Progress = Callable[[int, int], None]
"""Called with (done, total)."""
Measures = npt.NDArray[np.floating]


class Clip(NamedTuple):
    """What one region holds.

    A tuple with names, because one is made of every clip by the child that decodes it and by the parent: a tenth of
    what a dataclass that cannot be changed takes.
    """

    region: Region
    byte_hash: str = ""
    """Tells the bytes of the file, and the bounds of the region where it is a part; empty when it could not be read.

    A digest to compare by (`content_hash.py`): of a plain WAV it is made of its header and its sample hash.
    """
    sample_hash: str = ""
    """Digest of rate, channels and samples rounded to 16 bits; empty for silence and for what was not decoded."""
    unreadable: str = ""
    """Why it cannot be decoded, naming every decoder tried; empty when it can."""
    truncated: str = ""
    """What shows that the end is missing; empty when nothing does."""
    sample_rate_hz: int = 0
    channels: int = 0
    frames: int = 0
    complete: bool = True
    """Whether the decoder came to the end without an error."""
    subtype: str = ""
    """How the file stores samples, in the words of libsndfile: `PCM_16`, `VORBIS`."""
    container: str = ""
    """`WAV`, `FLAC`, `OGG`, `MP3` and so on, by the content and not by the name."""
    decoder: str = ""
    """The decoder that read it, where that is not libsndfile."""
    file_frames: int = 0
    """Length of the whole file as its header declares it; 0 when unknown."""

    @property
    def file(self) -> Path:
        """The file that holds it."""
        return self.region.file

    @property
    def duration_seconds(self) -> float:
        """Length of what was decoded."""
        return self.frames / self.sample_rate_hz if self.sample_rate_hz else 0.0

    @property
    def usable(self) -> bool:
        """Whether a trainer can load it: decodable to the end by libsndfile, and not without samples."""
        return not self.unreadable and self.complete and not self.decoder


@dataclass(frozen=True)
class Scan:
    """What decoding a data set brought: a record a clip, and measures of all clips side by side."""

    clips: Mapping[Region, Clip]
    measures: Mapping[str, Measures] = field(default_factory=dict)
    """By name in the vocabulary (`clip.peak`), `(clips,)` in the order of `clips`; NaN where it is unknown."""
    profiles: Measures = field(default_factory=lambda: np.empty((0, 0)))
    """`(clips, bands)`: the level-free band profile that near duplicates are searched by; NaN where unknown."""
    cepstra: Measures = field(default_factory=lambda: np.empty((0, 0)))
    """`(clips, 2 x coefficients)`: mean and spread of the cepstrum, for probes; NaN where unknown."""
    outlines: Sequence[bytes] = ()
    """`(clips,)`: how the bands of each clip rise and fall, by which pairs are screened; empty where unknown."""

    def of(self, row: Row) -> Clip | None:
        """Return the clip of a row; None when the row names no file, or nothing was decoded."""
        return None if row.region is None else self.clips.get(row.region)


NOTHING_DECODED = Scan({})
"""Stands for the audio in an audit that reads the manifest only."""


def merge_scans(scans: Iterable[Scan]) -> Scan:
    """Put the scans of disjoint shards one after the other; a measure that a shard lacks is NaN there."""
    parts = [scan for scan in scans if scan.clips]
    clips = {region: clip for scan in parts for region, clip in scan.clips.items()}
    table, start = MeasureTable(len(clips)), 0
    for scan in parts:
        places = np.arange(start, start + len(scan.clips))
        table.put(places, scan.measures, scan.profiles, scan.cepstra, scan.outlines)
        start += len(scan.clips)
    return Scan(clips, table.measures, table.profiles, table.cepstra, table.outlines)
