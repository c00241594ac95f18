"""The outline of a clip over time, by which pairs are screened before anyone decodes them again; compares nothing.

Eight bands below 1.9 kHz, thirty times a second, a byte each: a thousandth of the samples. Two copies have the same
outline, apart from where cells begin; two sentences have not. A cell is the fourth root of an energy: between energy,
where the loudest vowel is all, and its logarithm, where noise in the pauses is. Of copies cut at both ends in three
sets, fewest are less alike then than two clips that are none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .profile import PROFILE_BANDS

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]

SIDES = 8
CELL_SECONDS = 0.032
"""Half a frame: finer cells would tell no more."""
LONGEST_SECONDS = 120.0
SLOW_CELLS = 25
"""What changes more slowly, over 0.8 s, is taken away: rain and engines swell alike, and a cut moves a clip's mean.
It leaves 1 % of pairs of other sentences above 0.6, and every copy cut at both ends above 0.8."""
STEP = 32.0
"""What one standard deviation becomes: four of them fit into a byte."""


def outlines(energy: Floats, clip_starts: Integers, seconds: Floats, hop_seconds: float) -> list[bytes]:
    """Return the outline of each clip.

    Args:
        energy: of the bands in overlapping frames of all clips, `(frames, PROFILE_BANDS)`.
        clip_starts: the first frame of each clip, `(clips,)`.
        seconds: the length of each clip, `(clips,)`.
        hop_seconds: from one frame to the next.
    """
    step = PROFILE_BANDS // SIDES
    running, starts = _running(energy.reshape(len(energy), SIDES, step).sum(axis=2), clip_starts)
    counts = cell_counts(seconds)
    marks = _at(running, _edges(starts, counts, hop_seconds, len(running)))
    first = np.cumsum(counts + 1) - (counts + 1)
    cells = np.maximum(np.diff(marks, axis=0), 0)
    cells = np.delete(cells, first[1:] - 1, axis=0).astype(np.float32)  # what lies between two clips is no cell
    np.sqrt(np.sqrt(cells, out=cells), out=cells)
    return _bytes(cells, counts)


def cell_counts(seconds: Floats) -> npt.NDArray[np.int64]:
    """Return how many cells the outlines of clips of these lengths have."""
    counts: npt.NDArray[np.int64] = np.ceil(np.minimum(seconds, LONGEST_SECONDS) / CELL_SECONDS - 1e-9).astype(np.int64)
    return counts.clip(1)


def _running(sides: Floats, clip_starts: Integers) -> tuple[Floats, Integers]:
    """Return running sums that begin at 0 with each clip, and where: what a loud one leaves is no sound of the next."""
    running = np.zeros((len(sides) + len(clip_starts), SIDES))
    starts = clip_starts + np.arange(len(clip_starts))
    stops = np.append(clip_starts[1:], len(sides))
    for first, stop, to in zip(clip_starts.tolist(), stops.tolist(), starts.tolist(), strict=True):
        np.cumsum(sides[first:stop], axis=0, out=running[to + 1 : to + 1 + stop - first])
    return running, starts


def _edges(clip_starts: Integers, counts: Integers, hop_seconds: float, sums: int) -> Floats:
    """Return where each cell begins and the last ends, in running sums from the first of all; of all clips."""
    each = counts + 1
    place = np.arange(int(each.sum())) - np.repeat(np.cumsum(each) - each, each)
    stops = np.append(clip_starts[1:], sums) - 1
    inside = place * (CELL_SECONDS / hop_seconds) - 0.5  # a frame stands for the hop about its middle
    low = np.repeat(clip_starts, each)
    bounded: Floats = np.clip(inside + low, low, np.repeat(stops, each))
    return bounded


def _at(running: Floats, places: Floats) -> Floats:
    """Return the running sums between their places."""
    whole = np.minimum(places.astype(np.intp), len(running) - 2)
    rest = (places - whole)[:, None]
    found: Floats = running[whole] * (1 - rest) + running[whole + 1] * rest
    return found


def _bytes(cells: Floats, counts: Integers) -> list[bytes]:
    """Take the slow rise and fall off the cells, scale those of each clip, and write them."""
    first = np.cumsum(counts) - counts
    cells = cells - _running_mean(cells, np.repeat(first, counts), np.repeat(first + counts, counts))
    energy = np.add.reduceat((cells * cells) @ np.ones(SIDES, np.float32), first)
    scale = np.where(energy > 0, STEP / np.sqrt(np.maximum(energy, 1e-30) / (counts * SIDES)), 0.0)
    cells *= np.repeat(scale.astype(np.float32), counts)[:, None]
    whole = np.rint(np.minimum(np.maximum(cells, -127, out=cells), 127, out=cells), out=cells).astype(np.int8)
    written = whole.tobytes()
    ends = ((first + counts) * SIDES).tolist()
    return [written[start * SIDES : end] for start, end in zip(first.tolist(), ends, strict=True)]


def _running_mean(cells: Floats, first: Integers, stop: Integers) -> Floats:
    """Return the mean about each cell, of cells of the same clip alone; `first` and `stop` are those of the clip."""
    sums = np.zeros((len(cells) + 1, SIDES))
    np.cumsum(cells, axis=0, out=sums[1:])
    place = np.arange(len(cells))
    low, high = np.maximum(first, place - SLOW_CELLS // 2), np.minimum(stop, place + SLOW_CELLS // 2 + 1)
    mean: Floats = (sums[high] - sums[low]).astype(np.float32) / (high - low).astype(np.float32)[:, None]
    return mean
