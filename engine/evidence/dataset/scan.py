"""Scans a data set: decodes and measures every clip once, in child processes, resumably; judges nothing."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, cast

from .batch import Part
from .clips import Clip, Progress, Scan
from .cluster import run_on_cluster
from .collection import no_collection
from .forked import forkable
from .measure_table import MeasureTable
from .records import Region
from .scan_cache import ScanCache, stamp_of
from .shared_rows import Placed, SharedRows
from .workers import Crew

T = TypeVar("T")
_REGION_OF = operator.attrgetter("region")
_LOOKUP = 500
"""Regions that are looked up in the cache at a time: the children begin with the first that are not known."""
_CHUNK_CLIPS = 128
_CHUNK_BYTES = 4 << 20
_SAMPLED = 32
"""Files whose size is asked for, to tell how long a scan will take."""
_CHUNKS_PER_FORK, _CHUNKS_PER_START = 4, 16
"""A forked child costs a hundredth of a second, one that is started an eighth, a chunk takes a twentieth."""


@no_collection()
def scan_clips(
    regions: Iterable[Region],
    progress: Progress | None = None,
    *,
    workers: int = 0,
    cache: Path | None = None,
    cluster: str = "",
    meanwhile: Callable[[], object] | None = None,
) -> Scan:
    """Decode and measure every region.

    Args:
        regions: what to decode; doubles count once.
        progress: called with (done, total) in the calling thread; an error that it raises ends the scan.
        workers: child processes; 0: one for every processor, as far as there is work for it.
        cache: folder that keeps what was measured, so that a second scan goes on; None: nothing is kept.
        cluster: address of a Ray cluster that decodes instead of this machine's processors; empty: none.
        meanwhile: called once in the calling thread, while the children work; with one worker before they begin.

    Raises:
        InputError: the cache folder cannot be used.
        UsageError: there is no such cluster.
    """
    sheet = _Sheet(regions, progress)
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(ScanCache(cache)) if cache is not None else None
        do = meanwhile or (lambda: None)
        if cluster or workers == 1:  # whoever asks for one process wants no second one to be busy
            do()
            do = lambda: None  # noqa: E731
        if cluster:
            _on_cluster(sheet, kept, cluster)
        else:
            _here(sheet, kept, workers or _workers(sheet.regions), do)
    return sheet.scan()


class _Sheet:
    """What is known of the regions of a scan by now."""

    def __init__(self, regions: Iterable[Region], progress: Progress | None) -> None:
        self._clips: dict[Region, Clip | None] = dict.fromkeys(regions)
        self.regions = tuple(self._clips)
        self._progress = progress
        self.rows = _rows(len(self.regions))
        self._table = MeasureTable(len(self.regions), self.rows)
        self._done = 0

    def put(self, places: Sequence[int], part: Part) -> None:
        """Write down what was found of some regions."""
        self._clips.update(zip(map(_REGION_OF, part.clips), part.clips, strict=True))
        tables = part.profiles, part.cepstra, part.outlines
        if not isinstance(part, Placed):
            self._table.put(places, part.measures, *tables)
        elif not self._table.took(places, part.names, *tables):  # copied, as they lie where they are put
            copies = {name: values.copy() for name, values in part.measures.items()}
            self._table.put(places, copies, part.profiles.copy(), part.cepstra.copy(), part.outlines)
        self._done += len(places)
        if self._progress is not None:
            self._progress(self._done, len(self.regions))

    def scan(self) -> Scan:
        """Return all of it, once nothing is left."""
        clips, table = cast("dict[Region, Clip]", self._clips), self._table
        table.complete()
        return Scan(clips, table.measures, table.profiles, table.cepstra, table.outlines)


def _rows(clips: int) -> SharedRows | None:
    """Return memory for the numbers of all clips; None where no child is forked that could write to it."""
    if not forkable():
        return None
    try:
        return SharedRows(clips)
    except (OSError, OverflowError):
        return None


def _here(sheet: _Sheet, kept: ScanCache | None, workers: int, meanwhile: Callable[[], object]) -> None:
    """Decode what is not known by children of this process, which begin while the rest is still looked up."""
    keys: dict[int, bytes] = {}

    def put(places: list[int], part: Part) -> None:
        if kept is not None:
            kept.keep(part, [keys.get(place) for place in places])
        sheet.put(places, part)

    with Crew(sheet.regions, workers, sheet.rows) as crew:
        for places, expected in _unknown(sheet, kept, keys):
            crew.add(places, expected)
            for done in crew.ready():
                put(*done)
        meanwhile()
        for done in crew.rest():
            put(*done)


def _unknown(sheet: _Sheet, kept: ScanCache | None, keys: dict[int, bytes]) -> Iterator[tuple[Sequence[int], int]]:
    """Yield what is not in the cache, and how many regions are not yet looked up; what is in it is put down."""
    count = len(sheet.regions)
    if kept is None:
        yield range(count), 0
        return
    for start in range(0, count, _LOOKUP):
        block = range(start, min(start + _LOOKUP, count))
        for place in block:
            if (stamp := stamp_of(sheet.regions[place].path)) is not None:
                keys[place] = kept.key(sheet.regions[place], stamp)
        known: set[int] = set()
        for places, part in kept.find(sheet.regions, {keys[place]: place for place in block if place in keys}):
            sheet.put(places, part)
            known.update(places)
        yield [place for place in block if place not in known], count - block.stop


def _on_cluster(sheet: _Sheet, kept: ScanCache | None, address: str) -> None:
    keys: dict[int, bytes] = {}
    left = [place for places, _ in _unknown(sheet, kept, keys) for place in places]
    place_of = {sheet.regions[place]: place for place in left}
    chunks = [[sheet.regions[place] for place in part] for part in shards(left, -(-len(left) // _CHUNK_CLIPS))]
    with contextlib.closing(run_on_cluster(chunks, address)) as parts:
        for part in parts:
            places = [place_of[clip.region] for clip in part.clips]
            if kept is not None:
                kept.keep(part, [keys.get(place) for place in places])
            sheet.put(places, part)


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _workers(regions: Sequence[Region]) -> int:
    """Return how many children are worth their start: each should have a few chunks to do."""
    asked = regions[:: max(1, len(regions) // _SAMPLED)]
    sizes = [stamp.size for region in asked if (stamp := stamp_of(region.path)) is not None]
    large = sum(sizes) / max(1, len(sizes)) * len(regions) / _CHUNK_BYTES
    chunks = int(max(len(regions) / _CHUNK_CLIPS, large))
    return min(processors(), max(1, chunks // (_CHUNKS_PER_FORK if forkable() else _CHUNKS_PER_START)))


def shards(regions: Sequence[T], count: int) -> list[list[T]]:
    """Cut regions into at most `count` runs of about the same length; the segments of a file stay in order."""
    size = max(1, -(-len(regions) // max(1, count)))
    return [list(regions[start : start + size]) for start in range(0, len(regions), size)]
