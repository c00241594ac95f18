"""Keeps the sketches of the clips that are compared next, in memory that forked children share; compares nothing.

Which clips are sketched together is decided by their order alone: transforms of several rows at once round otherwise
than those of one, and an answer must not depend on how many processes worked for it.
"""

from __future__ import annotations

import mmap
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .alignment import LONGEST_SECONDS, SKETCH_HZ, Sketch, sketch_period, sketches
from .clips import Clip
from .excerpts import mono_start
from .transforms import AT_ONCE

Integers = npt.NDArray[np.int64]
KEPT_SAMPLES = 8 << 20
"""64 MB: an hour and ten minutes of sound."""
_RUN_SECONDS = 100.0
"""Sound that is decoded before it is sketched: 6 MB at 16 kHz, and four clips of up to 16 s."""
_QUIETEST_DB = -96.0
"""Below the step of 16 bits there is nothing to compare."""
_ITEM_BYTES = np.dtype(np.complex64).itemsize


class Held(NamedTuple):
    """Where the sketch of a clip lies."""

    start: int
    length: int
    """0 where there is nothing to compare."""
    level_db: float


Run = list[tuple[int, int]]
"""Places of clips that are sketched together, and where the sketch of each may begin."""


class SketchTable:
    """The sketches of some clips at a time."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._clips = clips
        self._samples = np.frombuffer(mmap.mmap(-1, KEPT_SAMPLES * _ITEM_BYTES), np.complex64)
        self._held: OrderedDict[int, Held] = OrderedDict()
        self.room = [_room(clip.duration_seconds) for clip in clips]
        """Samples that the sketch of each clip takes at most."""

    def hold(self, places: Sequence[int], mapped: Callable[[Sequence[Run]], Iterable[Sequence[Held]]]) -> None:
        """Have the sketches of these clips, which fit in together; others are kept as far as there is room.

        Args:
            places: of the clips, in the order in which they are needed.
            mapped: calls `make` for each of some runs, here or in children.
        """
        wanted = [place for place in places if place not in self._held]
        for place in places:
            if place in self._held:
                self._held.move_to_end(place)
        sizes = [self.room[place] for place in wanted]
        free = self._make_room(sum(sizes))
        starts = dict(zip(wanted, accumulate(sizes, initial=free), strict=False))
        runs = [[(place, starts[place]) for place in part] for part in _runs(wanted, self._clips)]
        for run, found in zip(runs, mapped(runs), strict=True):
            self._held |= {place: each for (place, _), each in zip(run, found, strict=True)}

    def _make_room(self, size: int) -> int:
        """Let go of those that nobody asked for longest, move the others together; return where free memory begins."""
        left = sum(each.length for each in self._held.values())
        while left + size > len(self._samples):
            left -= self._held.popitem(last=False)[1].length
        end = 0
        for place, each in sorted(self._held.items(), key=lambda item: item[1].start):
            if each.start != end:
                self._samples[end : end + each.length] = self._samples[each.start : each.start + each.length]
                self._held[place] = each._replace(start=end)
            end += each.length
        return end

    def make(self, run: Run) -> list[Held]:
        """Decode clips and write their sketches where there is room for them."""
        made = sketches([mono_start(self._clips[place]) for place, _ in run])
        found = []
        for (place, start), sketch in zip(run, made, strict=True):
            if sketch is None or sketch.level_db < _QUIETEST_DB:
                found.append(Held(start, 0, -np.inf))
                continue
            own = sketch.analytic[: self.room[place]]
            self._samples[start : start + len(own)] = own
            found.append(Held(start, len(own), sketch.level_db))
        return found

    def where(self, places: Iterable[int]) -> dict[int, Held]:
        """Return where the sketches of some clips lie, for a child that was forked before they were made."""
        return {place: self._held[place] for place in places}

    def sketch(self, held: Held) -> Sketch | None:
        """Return what lies there; None where there is nothing to compare."""
        if not held.length:
            return None
        return Sketch(self._samples[held.start : held.start + held.length], held.level_db)


def windows(blocks: Iterable[Integers], room: Sequence[int]) -> Iterator[tuple[list[Integers], list[int]]]:
    """Yield blocks of pairs whose clips fit into the table together, and the clips in the order they are needed."""
    some: list[Integers] = []
    needed: dict[int, None] = {}
    size = 0
    for block in blocks:
        own = dict.fromkeys(block.ravel().tolist())
        more = sum(room[place] for place in own if place not in needed)
        if some and size + more > KEPT_SAMPLES:
            yield some, list(needed)
            some, needed, size, more = [], {}, 0, sum(room[place] for place in own)
        some.append(block)
        needed |= own
        size += more
    if some:
        yield some, list(needed)


def blocks(pairs: Integers, room: Sequence[int], most_pairs: int, most_samples: int) -> Iterator[Integers]:
    """Cut pairs, which stand in order, where they are many or their clips are long."""
    start = size = 0
    held: set[int] = set()
    for place, pair in enumerate(pairs.tolist()):
        more = sum(room[each] for each in pair if each not in held)
        if place > start and (place - start >= most_pairs or size + more > most_samples):
            yield pairs[start:place]
            start, size, more = place, 0, sum(room[each] for each in pair)
            held.clear()
        held.update(pair)
        size += more
    if len(pairs) > start:
        yield pairs[start:]


def _room(seconds: float) -> int:
    return round(min(LONGEST_SECONDS, seconds) * SKETCH_HZ) + SKETCH_HZ // 100


def _runs(places: Sequence[int], clips: Sequence[Clip]) -> Iterator[list[int]]:
    """Yield clips of about one length and rate: their transforms are made several at a time."""
    alike: dict[tuple[int, float], list[int]] = defaultdict(list)
    for place in places:
        alike[clips[place].sample_rate_hz, sketch_period(clips[place].duration_seconds)].append(place)
    for (_, period), own in alike.items():
        size = int(_RUN_SECONDS / period) // AT_ONCE * AT_ONCE or max(1, int(_RUN_SECONDS / period))
        for start in range(0, len(own), size):
            yield own[start : start + size]


def sketched(clips: Sequence[Clip]) -> list[Sketch | None]:
    """Decode clips and return the sketch of each; None where there is nothing to compare."""
    made = sketches([mono_start(clip) for clip in clips])
    return [None if each is None or each.level_db < _QUIETEST_DB else each for each in made]
