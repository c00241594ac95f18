"""Scans a data set: decodes and measures every clip once, in child processes, resumably; judges nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .batch import Part
from .clips import Clip, Progress, Scan
from .cluster import run_on_cluster
from .forked import forkable
from .measure_table import MeasureTable
from .records import Region
from .scan_cache import ScanCache, Stamp, stamp_of
from .workers import Chunk, run_chunks

_CHUNK_CLIPS = 128
_CHUNK_BYTES = 4 << 20
"""A chunk takes a part of a second, so that progress moves and an interruption loses little."""
_LAST = 3
"""The last chunks come in quarters, so that no worker waits long for another's last."""
_CHUNKS_PER_FORK, _CHUNKS_PER_START = 4, 16
"""A forked child costs a hundredth of a second, one that is started an eighth, a chunk takes a twentieth."""


def scan_clips(
    regions: Iterable[Region],
    progress: Progress | None = None,
    *,
    workers: int = 0,
    cache: Path | None = None,
    cluster: str = "",
) -> Scan:
    """Decode and measure every region.

    Args:
        regions: what to decode; doubles count once.
        progress: called with (done, total) in the calling thread; an error that it raises ends the scan.
        workers: child processes; 0: one for every processor, as far as there is work for it.
        cache: folder that keeps what was measured, so that a second scan goes on; None: nothing is kept.
        cluster: address of a Ray cluster that decodes instead of this machine's processors; empty: none.

    Raises:
        InputError: the cache folder cannot be used.
        UsageError: there is no such cluster.
    """
    todo = list(dict.fromkeys(regions))
    places = {region: place for place, region in enumerate(todo)}
    stamps = [stamp_of(region.file) for region in todo]
    clips: list[Clip | None] = [None] * len(todo)
    table = MeasureTable(len(todo))
    done = 0

    def put(part: Part) -> None:
        nonlocal done
        rows = [places[clip.region] for clip in part.clips]
        for place, clip in zip(rows, part.clips, strict=True):
            clips[place] = clip
        table.put(rows, part.measures, part.profiles, part.cepstra, part.outlines)
        done += len(rows)
        if progress is not None:
            progress(done, len(todo))

    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(ScanCache(cache)) if cache is not None else None
        for _, part in kept.find(todo, stamps) if kept is not None else ():
            put(part)
        left = [place for place, clip in enumerate(clips) if clip is None]
        chunks = _chunks(todo, stamps, left)
        parts = run_on_cluster(chunks, cluster) if cluster else run_chunks(chunks, workers or _workers(len(chunks)))
        stack.callback(parts.close)
        for part in parts:
            if kept is not None:
                kept.keep(part, [stamps[places[clip.region]] for clip in part.clips])
            put(part)
    scanned = {clip.region: clip for clip in clips if clip is not None}
    return Scan(scanned, table.measures, table.profiles, table.cepstra, table.outlines)


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _workers(chunks: int) -> int:
    """Return how many children are worth their start: each should have a few chunks to do."""
    return min(processors(), max(1, chunks // (_CHUNKS_PER_FORK if forkable() else _CHUNKS_PER_START)))


def shards(regions: Sequence[Region], count: int) -> list[list[Region]]:
    """Cut regions into at most `count` runs of about the same length; the segments of a file stay in order."""
    size = max(1, -(-len(regions) // max(1, count)))
    return [list(regions[start : start + size]) for start in range(0, len(regions), size)]


def _chunks(regions: Sequence[Region], stamps: Sequence[Stamp | None], left: Sequence[int]) -> list[Chunk]:
    chunks: list[Chunk] = []
    held = _CHUNK_BYTES
    for place in left:
        stamp = stamps[place]
        size = 0 if stamp is None else stamp.size
        if held >= _CHUNK_BYTES or len(chunks[-1].regions) >= _CHUNK_CLIPS:
            chunks.append(Chunk([], []))
            held = 0
        chunks[-1].regions.append(regions[place])
        chunks[-1].sizes.append(size)
        held += size
    return [*chunks[:-_LAST], *(part for chunk in chunks[-_LAST:] for part in _quarters(chunk))]


def _quarters(chunk: Chunk) -> list[Chunk]:
    step = -(-len(chunk.regions) // 4)
    starts = range(0, len(chunk.regions), step)
    return [Chunk(chunk.regions[start : start + step], chunk.sizes[start : start + step]) for start in starts]
