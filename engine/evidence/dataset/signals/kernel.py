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

from .build_kernel import LIBRARY, source_stamp

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
        used = table.T != 0  # (bands, bins)
        start, stop = used.argmax(axis=1), len(table) - used[:, ::-1].argmax(axis=1)
        edges = np.where(used.any(axis=1, keepdims=True), np.stack((start, stop), axis=1), 0).astype(np.int64)
        bins = np.arange(len(table))
        runs = (bins >= edges[:, :1]) & (bins < edges[:, 1:])
        return Bands(edges, table.T[runs].astype(np.float32))

    def table(self, bins: int) -> Floats:
        """Return the weights as `(bins, bands)`."""
        table, place = np.zeros((bins, len(self.edges)), np.float32), 0
        for band, (start, stop) in enumerate(self.edges.tolist()):
            table[start:stop, band] = self.weights[place : place + stop - start]
            place += stop - start
        return table


@lru_cache(maxsize=1)
def library() -> Any:
    """Return the library; None where it was not built, cannot be loaded, or TONMEISTER_KERNEL is 0.

    One that was built from other source than lies here is left alone: it would measure, and wrongly.
    """
    if os.environ.get("TONMEISTER_KERNEL") == "0" or not LIBRARY.is_file():
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
        if ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(found, "tm_source"))).decode() != source_stamp():
            return None
        found.tm_measure.argtypes = [_P, _P, _N, _P, _P, _P, _P, _P]
        found.tm_least.argtypes = [_P, _N, _N, _N, _P, _P]
        found.tm_plain.argtypes = [ctypes.c_char_p, _N, _P, _N, _P, _P, _P]
        found.tm_running_energy.argtypes = [_P, _N, _N, _P, _P]
        found.tm_decimated.argtypes = [_P, _N, _P, _N, _N, _N, _P, _N]
        found.tm_products.argtypes = [_P, _N, _P, _N, _P]
        found.tm_peak_pairs.argtypes = [_P, _N, _N, _P, _P, _P, _P, _P, _P, _N, _F, _F, _P, _P]
        found.tm_outlines.argtypes = [_P, _P, _P, _P, _N, _P, _P]
        found.tm_sums.argtypes = [_P, _N, _P, _P]
        found.tm_rounded.argtypes = [_P, _N, _P]
    except (OSError, AttributeError, ValueError):
        return None
    return found


_ABOUT_OUTLINES = 28
"""Cells of zeros that kernel.c lays about two outlines."""
_P, _N, _F = ctypes.c_void_p, ctypes.c_long, ctypes.c_float


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
    room = np.empty((2 * int(np.diff(first).max(initial=0)) + _ABOUT_OUTLINES, cells.shape[1]), np.int16)
    found.tm_outlines(
        *(wide.ctypes.data, first.ctypes.data, energy.ctypes.data, pairs.ctypes.data, len(pairs)),
        *(room.ctypes.data, out.ctypes.data),
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
