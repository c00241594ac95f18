"""Facts about rows whose bounds and lengths do not agree with their files; decides no tolerance of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from knowledge.records import Measured

from .clips import Scan
from .counting import counted, measured, unknown, where
from .records import Dataset, Row

BOUNDS = "dataset.segments_past_end dataset.duration_mismatches"
_NOTHING_STATED = "the manifest states no ends or lengths, so none can be wrong"
Floats = npt.NDArray[np.floating]


def measure_bounds(dataset: Dataset, scan: Scan, tolerance_seconds: float | None) -> Measured:
    """Return the rows whose part ends after the file does, and those that state another length than the file has.

    A row that says where it begins is a part of its file. One that only says how long it is speaks of the whole file.
    """
    columns = dataset.columns
    if not (columns.stop or columns.duration):
        return Measured(tuple(measured(name, 0, len(dataset), (_NOTHING_STATED,)) for name in BOUNDS.split()))
    if not scan.clips or tolerance_seconds is None:
        reason = "no tolerance of lengths was given" if scan.clips else "no audio was read"
        return Measured(unknown=unknown(BOUNDS, reason))
    begin = np.nan_to_num(dataset.numbers("start"), nan=0.0)
    length = dataset.numbers("duration")
    stop = dataset.numbers("stop")
    end = np.where(np.isfinite(stop), stop, begin + length)
    held = _file_seconds(dataset, scan)
    part = np.isfinite(stop) | (np.full(len(dataset), columns.start is not None))
    with np.errstate(invalid="ignore"):
        past = part & (end - held > tolerance_seconds)
        other = ~part & (np.abs(length - held) > tolerance_seconds)

    def say_end(row: Row) -> str:
        return f"ends at {end[row.place]:.2f} s, its file at {held[row.place]:.2f} s"

    def say_length(row: Row) -> str:
        return f"stated {length[row.place]:.2f} s, the file has {held[row.place]:.2f} s"

    n = int((np.isfinite(end) & np.isfinite(held)).sum())
    return Measured(
        (
            counted(dataset, "dataset.segments_past_end", where(past), n, say_end),
            counted(dataset, "dataset.duration_mismatches", where(other), n, say_length),
        )
    )


def _file_seconds(dataset: Dataset, scan: Scan) -> Floats:
    """Return the length of the whole file of each row as its header has it, `(rows,)`; NaN where that is unknown."""
    seconds = []
    for region in dataset.regions:
        clip = scan.clips.get(region)
        known = clip is not None and clip.sample_rate_hz > 0 and clip.file_frames > 0
        seconds.append(clip.file_frames / clip.sample_rate_hz if clip is not None and known else np.nan)
    found: Floats = np.array([*seconds, np.nan])[dataset.region_codes]
    return found
