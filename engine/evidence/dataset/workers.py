"""Runs chunks of regions in child processes: a file that kills, hangs or starves one is named, the rest goes on.

One thread drives one child. Children are kept between scans: one that cannot be forked costs a quarter of a second.
"""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from .batch import MEASURING, Part
from .child import Child
from .clips import Clip
from .records import Region
from .worker import unpacked


@dataclass(frozen=True)
class Chunk:
    """Regions that one child decodes in one go."""

    regions: list[Region]
    sizes: list[int]
    """Bytes of each file."""


def run_chunks(chunks: Sequence[Chunk], workers: int) -> Generator[Part, None, None]:
    """Yield the part of every chunk as it is done, in any order; leaving the iteration ends the work.

    A chunk that a file broke comes as several parts.
    """
    todo: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
    for chunk in chunks:
        todo.put(chunk)
    done: queue.SimpleQueue[Part | BaseException] = queue.SimpleQueue()
    left = sum(len(chunk.regions) for chunk in chunks)
    # before there are threads: a process that has some cannot be forked
    children = [_take() for _ in range(min(max(1, workers), len(chunks)))]
    drivers = [_Driver(todo, done, child) for child in children]
    for driver in drivers:
        driver.start()
    try:
        while left:
            part = done.get()
            if isinstance(part, BaseException):
                raise part
            left -= len(part.clips)
            yield part
        for driver in drivers:  # nothing is left but to park their children, which the next scan then takes
            driver.join()
    finally:
        for driver in drivers:
            driver.stop()


class _Driver(threading.Thread):
    """Hands chunks to one child until none is left, replacing the child where a file broke it."""

    def __init__(
        self, todo: queue.SimpleQueue[Chunk], done: queue.SimpleQueue[Part | BaseException], child: Child
    ) -> None:
        super().__init__(daemon=True)
        self._todo, self._done = todo, done
        self._stopped = threading.Event()
        self._child: Child | None = child

    def stop(self) -> None:
        """End after a clean chunk, or now by ending the child."""
        self._stopped.set()

    def run(self) -> None:
        try:
            chunk = self._asked()
            while chunk is not None:
                chunk = self._answered(chunk)
        except BaseException as error:  # said in the calling thread
            self._done.put(error)
        if self._child is not None:
            _park(self._child)

    def _asked(self) -> Chunk | None:
        """Hand the next chunk to the child and return it; None where there is no more to do."""
        if self._stopped.is_set():
            return None
        try:
            chunk = self._todo.get_nowait()
        except queue.Empty:
            return None
        self._own().ask(chunk.regions)
        return chunk

    def _own(self) -> Child:
        self._child = self._child or _take()
        return self._child

    def _answered(self, chunk: Chunk) -> Chunk | None:
        """Take the answer to a chunk, and return the next: the child works at it while the answer is read."""
        answer = self._own().answer(chunk.sizes, self._stopped)
        if isinstance(answer, bytes):
            following = self._asked()
            self._done.put(unpacked(answer, chunk.regions))
            return following
        self._around(chunk, *answer)
        return self._asked()

    def _chunk(self, chunk: Chunk) -> None:
        """Decode a chunk, after another child broke on one that it was part of."""
        if not chunk.regions or self._stopped.is_set():
            return
        self._own().ask(chunk.regions)
        answer = self._own().answer(chunk.sizes, self._stopped)
        if isinstance(answer, bytes):
            self._done.put(unpacked(answer, chunk.regions))
        else:
            self._around(chunk, *answer)

    def _around(self, chunk: Chunk, place: int, reason: str) -> None:
        """Name the file that broke the child, and decode the rest of its chunk with another."""
        self._own().end()
        self._child = None
        regions, sizes = chunk.regions, chunk.sizes
        if self._stopped.is_set():
            return
        if place == MEASURING and len(regions) > 1:  # a batch that cannot be measured together: clip by clip
            for region, size in zip(regions, sizes, strict=True):
                self._chunk(Chunk([region], [size]))
            return
        place = max(0, place)
        self._done.put(_failed(regions[place], reason))
        self._chunk(Chunk(regions[:place], sizes[:place]))
        self._chunk(Chunk(regions[place + 1 :], sizes[place + 1 :]))


def _failed(region: Region, reason: str) -> Part:
    empty = np.empty((1, 0), np.float32)
    return Part((Clip(region, unreadable=reason, complete=False),), (), np.empty((1, 0)), empty, empty, (b"",))


_idle: list[Child] = []
_lock = threading.Lock()
_PARKED = 2
"""Children kept between scans; more are ended at once."""


def _take() -> Child:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.alive:
                return child
            child.end()
    return Child()


def _park(child: Child) -> None:
    with _lock:
        if child.alive and len(_idle) < _PARKED:
            _idle.append(child)
            return
    child.end()


def end_workers() -> None:
    """End the children that wait for the next scan."""
    with _lock:
        while _idle:
            _idle.pop().end()


atexit.register(end_workers)
