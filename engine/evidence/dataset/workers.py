"""Runs chunks of regions in child processes and watches them: a file that kills, hangs or starves one is named.

One thread drives one child. Children are kept between scans, because starting one costs a quarter of a second.
"""

from __future__ import annotations

import atexit
import contextlib
import mmap
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from .batch import MEASURING, Part
from .clips import Clip
from .records import Region
from .sample_reader import cpu_seconds
from .worker import MARK, receive, send, unpacked

_BOOT = """
import sys, types
package = sys.modules["engine.evidence.dataset"] = types.ModuleType("engine.evidence.dataset")
package.__path__ = [sys.argv[2]]
from engine.evidence.dataset.worker import main
main()
"""
"""Starts a child without what the package imports for others: a tenth of a second of processor time instead of two."""
_HEAP = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}
"""Arrays of a few megabytes are taken from memory that the child already has: a fifth less time in page faults."""
_POLL_SECONDS = 0.25
_GRACE = 1.3
"""A child gives up by itself at the budget of a file, between two blocks; one that does not is stuck in a call."""
_MEASURING_CPU_SECONDS = 120.0
_SILENT_SECONDS = 60.0
"""No progress and no processor time for so long: the disk or the network does not answer."""


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
    drivers = [_Driver(todo, done) for _ in range(max(1, min(workers, len(chunks))))]
    for driver in drivers:
        driver.start()
    try:
        while left:
            part = done.get()
            if isinstance(part, BaseException):
                raise part
            left -= len(part.clips)
            yield part
    finally:
        for driver in drivers:
            driver.stop()


class _Driver(threading.Thread):
    """Hands chunks to one child until none is left, replacing the child where a file broke it."""

    def __init__(self, todo: queue.SimpleQueue[Chunk], done: queue.SimpleQueue[Part | BaseException]) -> None:
        super().__init__(daemon=True)
        self._todo, self._done = todo, done
        self._stopped = threading.Event()
        self._child: _Child | None = None

    def stop(self) -> None:
        """End after a clean chunk, or now by ending the child."""
        self._stopped.set()

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._chunk(self._todo.get_nowait())
        except queue.Empty:
            pass
        except BaseException as error:  # said in the calling thread
            self._done.put(error)
        if self._child is not None:
            _park(self._child)

    def _chunk(self, chunk: Chunk) -> None:
        """Decode a chunk; around a file that breaks the child, decode the rest without it."""
        regions, sizes = chunk.regions, chunk.sizes
        while regions and not self._stopped.is_set():
            self._child = self._child or _take()
            broken = self._child.answer(regions, sizes, self._stopped)
            if isinstance(broken, Part):
                self._done.put(broken)
                return
            self._child.end()
            self._child = None
            if self._stopped.is_set():
                return
            place, reason = broken
            if place == MEASURING:  # a batch that cannot be measured together is decoded clip by clip
                place = 0 if len(regions) == 1 else MEASURING
            if place == MEASURING:
                for region, size in zip(regions, sizes, strict=True):
                    self._chunk(Chunk([region], [size]))
                return
            self._done.put(_failed(regions[place], reason))
            if place:
                self._chunk(Chunk(regions[:place], sizes[:place]))
            regions, sizes = regions[place + 1 :], sizes[place + 1 :]


def _failed(region: Region, reason: str) -> Part:
    empty = np.empty((1, 0), np.float32)
    return Part((Clip(region, unreadable=reason, complete=False),), (), np.empty((1, 0)), empty, empty, (b"",))


class _Child:
    """One decoding process."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="tonmeister-mark-")
        os.write(handle, MARK.pack(0))
        self._shared = mmap.mmap(handle, MARK.size)
        os.close(handle)
        self._mark_file = Path(name)
        root = str(Path(__file__).resolve().parents[3])
        paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, name, str(Path(__file__).resolve().parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**_HEAP, **os.environ, **threads, "PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )

    def answer(self, regions: list[Region], sizes: list[int], stopped: threading.Event) -> Part | tuple[int, str]:
        """Return the part of a chunk, or the place of the file that broke the child and how."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        MARK.pack_into(self._shared, 0, 0)
        chunk = [(str(part.file), part.start_seconds, part.stop_seconds, part.channel) for part in regions]
        try:
            send(process.stdin, chunk)
            reason = self._watch(sizes, stopped)
            answer = None if reason else receive(process.stdout)
        except (OSError, EOFError, ValueError):
            reason, answer = "", None
        if answer is not None:
            return unpacked(answer, regions)  # type: ignore[arg-type]
        return self._place(), reason or self._death()

    def _place(self) -> int:
        place: int = MARK.unpack_from(self._shared, 0)[0]
        return place

    def _watch(self, sizes: list[int], stopped: threading.Event) -> str:
        """Wait for the answer; return why the child has to be ended before it, or an empty text."""
        output = self._process.stdout
        assert output is not None
        watched = psutil.Process(self._process.pid)
        place, since, spent = self._place(), time.monotonic(), _cpu_seconds(watched)
        while not select.select([output], [], [], _POLL_SECONDS)[0]:
            if stopped.is_set():
                return "interrupted"
            if self._place() != place:
                place, since, spent = self._place(), time.monotonic(), _cpu_seconds(watched)
                continue
            used = _cpu_seconds(watched) - spent
            allowed = _MEASURING_CPU_SECONDS if place == MEASURING else _GRACE * cpu_seconds(sizes[place])
            if used > allowed:
                return "the decoder does not come back from it"
            if used < _POLL_SECONDS and time.monotonic() - since > _SILENT_SECONDS:
                return f"no data from the disk for {_SILENT_SECONDS:.0f} s"
        return ""

    def _death(self) -> str:
        """Return what the child died of."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"the decoder crashes on it ({name})"
        return "the decoder ends the process on it"

    @property
    def alive(self) -> bool:
        """Whether it can take another chunk."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill it and remove its traces."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._shared.close()
        self._mark_file.unlink(missing_ok=True)


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


_idle: list[_Child] = []
_lock = threading.Lock()
_PARKED = 2
"""Children kept between scans; more are ended at once."""


def _take() -> _Child:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.alive:
                return child
            child.end()
    return _Child()


def _park(child: _Child) -> None:
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
