"""Counts the files that need another decoder than the one the trainer uses; judges nothing."""

from __future__ import annotations

from knowledge.records import Measured

from .clips import Scan
from .counting import counted, unknown
from .records import Dataset, Row

_NAME = "dataset.second_decoder_files"


def measure_decoders(dataset: Dataset, scan: Scan) -> Measured:
    """Return how many files only the second decoder could read, each with its decoder."""
    if not scan.clips:
        return Measured((), unknown(_NAME, "no clip was decoded"))
    decoders = {clip.file: clip.decoder for clip in scan.clips.values() if clip.decoder}
    rows: dict[object, Row] = {}
    for row in dataset.rows if decoders else ():
        if row.file in decoders:
            rows.setdefault(row.file, row)
    files = len({region.file for region in scan.clips})
    say = "libsndfile cannot decode it; decoded by"
    fact = counted(_NAME, list(rows.values()), files, lambda row: f"{say} {decoders[row.file]}")  # type: ignore[index]
    return Measured((fact,))
