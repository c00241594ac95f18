"""Loads the compiled inner loops of the signal measures, where the install could build them; without, numpy does all.

build_kernel.py compiles kernel.c at installation; nothing is compiled at run time.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .build_kernel import LIBRARY

Floats = npt.NDArray[np.float32]

LANES = 8


@dataclass(frozen=True, eq=False)
class Bands:
    """Weighted sums of runs of bins."""

    edges: npt.NDArray[np.int64]
    """`(bands, 2)`: the first bin of each and the one after its last."""
    weights: Floats
    """Of the bins of one band after the other."""

    @staticmethod
    def of_table(table: Floats) -> Bands:
        """Return the bands of a table of weights, `(bins, bands)`, whose columns are zero but for one run."""
        edges, weights = np.zeros((table.shape[1], 2), np.int64), [np.empty(0, np.float32)]
        for band, column in enumerate(table.T):
            used = np.flatnonzero(column)
            if len(used):
                edges[band] = used[0], used[-1] + 1
                weights.append(column[used[0] : used[-1] + 1].astype(np.float32))
        return Bands(edges, np.concatenate(weights))

    def table(self, bins: int) -> Floats:
        """Return the weights as `(bins, bands)`."""
        table, place = np.zeros((bins, len(self.edges)), np.float32), 0
        for band, (start, stop) in enumerate(self.edges.tolist()):
            table[start:stop, band] = self.weights[place : place + stop - start]
            place += stop - start
        return table


NO_BANDS = Bands(np.empty((0, 2), np.int64), np.empty(0, np.float32))


@lru_cache(maxsize=1)
def library() -> Any:
    """Return the library; None where it was not built, cannot be loaded, or TONMEISTER_KERNEL is 0.

    A function whose arguments change gets another name, so that a library built from older source is left alone.
    """
    if os.environ.get("TONMEISTER_KERNEL") == "0" or not LIBRARY.is_file():
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
        found.tm_measure.argtypes = [_P, _P, _N, _P, _P, _P, _P, _P]
        found.tm_least.argtypes = [_P, _N, _N, _N, _P, _P]
        found.tm_plain.argtypes = [ctypes.c_char_p, _N, _P, _N, _P, _P, _P]
        found.tm_running_energy.argtypes = [_P, _N, _N, _P, _P]
        found.tm_decimated.argtypes = [_P, _N, _P, _N, _N, _N, _P, _N]
        found.tm_products.argtypes = [_P, _N, _P, _N, _P]
        found.tm_peak_pairs.argtypes = [_P, _N, _N, _P, _P, _P, _P, _P, _P, _N, _F, _F, _P, _P]
        found.tm_powers.argtypes = [_P, _N, _N, _N, _P, _P, _P, _P, _N, _P, _P, _P, _N, _P]
        found.tm_levels.argtypes = [_P, _N, _N, _P, _P, _P, _P]
        found.tm_means.argtypes = [_P, _N, _N, _P]
        found.tm_chosen.argtypes = [_P, _P, _P, _N, _N, _N, _P]
        found.tm_medians_from.argtypes = [_P, _N, _N, _P, _P]
        found.tm_floats.argtypes = [_P, _N, _P]
        found.tm_outlines.argtypes = [_P, _P, _P, _N, _P, _N, _P]
        found.tm_sums.argtypes = [_P, _N, _P, _P]
        found.tm_rounded.argtypes = [_P, _N, _P]
    except (OSError, AttributeError):
        return None
    return found


_P, _N, _F = ctypes.c_void_p, ctypes.c_long, ctypes.c_float


def spectra(
    samples: Floats, rows: int, hop: int, window: Floats, bins: int, bands: Bands = NO_BANDS
) -> tuple[Floats, Floats] | None:
    """Return the power of frames `(rows, bins)` and its sums over bands `(rows, bands)`; None without the library.

    Args:
        samples: flat and contiguous; the last frame ends within it.
        rows: frames.
        hop: samples from one frame to the next.
        window: as long as a frame, a power of two.
        bins: as many of the lowest bins as are wanted.
        bands: what is summed of all bins, whether they are wanted or not.
    """
    found, length = library(), len(window)
    if found is None or not rows or length < 2 * LANES or (rows - 1) * hop + length > samples.size:
        return None
    power, sums = np.empty((rows, bins), np.float32), np.empty((rows, len(bands.edges)), np.float32)
    turns, circle, place = turning(length)
    failed = found.tm_powers(
        *(samples.ctypes.data, rows, hop, length, window.ctypes.data, turns.ctypes.data, circle.ctypes.data),
        *(place.ctypes.data, bins, power.ctypes.data, bands.edges.ctypes.data, bands.weights.ctypes.data),
        *(len(bands.edges), sums.ctypes.data),
    )
    if failed:
        raise MemoryError
    return power, sums


def levels(blocks: Floats) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Return largest, smallest, mean sample and mean square of each block; None without the library."""
    found, (count, size) = library(), blocks.shape
    if found is None or size % LANES or not blocks.flags.c_contiguous:
        return None
    made = tuple(np.empty(count, np.float32) for _ in range(4))
    found.tm_levels(blocks.ctypes.data, count, size, *(each.ctypes.data for each in made))
    return made  # type: ignore[return-value]


def means(samples: Floats, step: int) -> Floats:
    """Return the mean of every `step` samples, flat; the number of samples is a multiple of it."""
    found = library()
    if found is None or step not in _STEPS:
        averaged: Floats = samples.reshape(-1, step) @ np.full(step, 1 / step, np.float32)
        return averaged
    out = np.empty(samples.size // step, np.float32)
    found.tm_means(samples.ctypes.data, len(out), step, out.ctypes.data)
    return out


_STEPS = (8, 16, 32, 64)


def chosen_sums(rows: Floats, chosen: npt.NDArray[np.bool_], first: npt.NDArray[np.intp]) -> Floats:
    """Return the sum of the chosen rows of each run of rows, `(runs, width)`."""
    found = library()
    if found is None:
        sums: Floats = np.add.reduceat(rows * chosen[:, None], first, axis=0)
        return sums
    out, starts = np.zeros((len(first), rows.shape[1]), np.float32), np.ascontiguousarray(first, np.int64)
    rows, chosen = np.ascontiguousarray(rows), np.ascontiguousarray(chosen)
    found.tm_chosen(
        *(rows.ctypes.data, chosen.ctypes.data, starts.ctypes.data, len(first), *rows.shape, out.ctypes.data)
    )
    return out


def medians_from(rows: npt.NDArray[np.floating]) -> Floats:
    """Return, at each place of each row, the median of the row from there to its end; without meaning beside NaN."""
    found, rows = library(), np.ascontiguousarray(rows, np.float32)
    medians = np.empty_like(rows)
    if found is not None:
        scratch = np.empty(rows.shape[1], np.float32)
        found.tm_medians_from(rows.ctypes.data, *rows.shape, scratch.ctypes.data, medians.ctypes.data)
        return medians
    for place in range(rows.shape[1]):
        rest = rows[:, place:]
        middle = rest.shape[1] // 2
        both = [middle - 1, middle] if rest.shape[1] % 2 == 0 else [middle]
        medians[:, place] = np.partition(rest, both, axis=1)[:, both].mean(axis=1)
    return medians


def to_floats(samples: npt.NDArray[np.generic], out: Floats) -> None:
    """Write contiguous 16-bit samples as floats, 1.0 at full scale."""
    found = library()
    if found is None:
        np.multiply(samples, np.float32(1 / 32768), out=out)
    else:
        found.tm_floats(samples.ctypes.data, len(samples), out.ctypes.data)


def block_sums(words: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64] | None:
    """Return the sums of products of blocks `(blocks, 1024)` for the content hash, `(blocks, 4)`; None without it."""
    found = library()
    if found is None:
        return None
    out = np.empty((len(words), 4), np.uint64)
    found.tm_sums(words.ctypes.data, len(words), keys.ctypes.data, out.ctypes.data)
    return out


def rounded(samples: Floats) -> npt.NDArray[np.int16] | None:
    """Return finite samples rounded to 16 bits; None without the library, or where one is not finite."""
    found = library()
    if found is None or not samples.flags.c_contiguous or samples.dtype != np.float32:
        return None
    out = np.empty(samples.shape, np.int16)
    return None if found.tm_rounded(samples.ctypes.data, samples.size, out.ctypes.data) else out


def outline_likeness(
    cells: npt.NDArray[np.int8] | npt.NDArray[np.int16], first: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]
) -> Floats | None:
    """Return how alike the outlines of each pair are at their best lag, 0 to 1, `(pairs,)`; None without the library.

    Args:
        cells: `(cells, sides)` of all clips, one after the other.
        first: `(clips + 1,)`: the first cell of each clip, and the number of cells.
        pairs: `(pairs, 2)`: two clips each.
    """
    found = library()
    if found is None:
        return None
    energy = np.zeros(len(cells) + 1, np.int64)
    np.cumsum(np.einsum("ij,ij->i", cells, cells, dtype=np.int64), out=energy[1:])
    wide = cells.astype(np.int16)
    first, pairs = np.ascontiguousarray(first), np.ascontiguousarray(pairs)
    out = np.empty(len(pairs), np.float32)
    found.tm_outlines(
        *(wide.ctypes.data, first.ctypes.data, energy.ctypes.data, cells.shape[1]),
        *(pairs.ctypes.data, len(pairs), out.ctypes.data),
    )
    return out


def least(table: Floats, count: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the places of the `count` least numbers of each row, and these, the least first: `(rows, count)` each."""
    found, (rows, columns) = library(), table.shape
    if found is None or not table.flags.c_contiguous:
        chosen = np.argpartition(table, count - 1, axis=1)[:, :count] if count < columns else np.argsort(table, axis=1)
        values = np.take_along_axis(table, chosen, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        return np.take_along_axis(chosen, order, axis=1), np.take_along_axis(values, order, axis=1)
    places, values = np.empty((rows, count), np.int64), np.empty((rows, count), np.float32)
    found.tm_least(table.ctypes.data, rows, columns, count, places.ctypes.data, values.ctypes.data)
    return places, values


@lru_cache(maxsize=16)
def turning(length: int) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
    """Return the factors of each step of the transform, those of its last, and where each of its bins ends up."""
    half = length // 2
    steps, size = [], half
    place, rest, width = np.zeros(half, np.int32), np.arange(half), half
    while size >= 4:
        turn = np.exp(-2j * np.pi / size * np.outer(np.arange(size // 4), (1, 2, 3)))
        steps.append(np.stack((turn.real, turn.imag), axis=2).ravel())
        place += (rest % 4 * (width // 4)).astype(np.int32)
        rest, width, size = rest // 4, width // 4, size // 4
    place += (rest % 2 * (width // 2)).astype(np.int32)
    angle = 2 * np.pi * np.arange(half // 2 + 1) / length
    circle = np.stack((np.cos(angle), np.sin(angle)), axis=1).ravel()
    return np.concatenate(steps).astype(np.float32), circle.astype(np.float32), place
