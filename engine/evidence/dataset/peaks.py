"""Where correlations of pairs of clips are highest, and how high for what overlaps: in compiled code, or not at all.

It does in one pass over each correlation what alignment.py does in many, which stays for where nothing was compiled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .signals.kernel import library

Complex = npt.NDArray[np.complex64]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
_FLOATS = ("similarity", "fraction", "own", "other", "beside", "sounding")
_PAIR = np.dtype([*((name, np.float32) for name in _FLOATS), ("lag", np.int32)])
_TAPS, _ROOM = 33, 96
"""As kernel code has it: taps about a peak, and room for places between them."""


@dataclass(frozen=True, eq=False)
class Between:
    """How a correlation is interpolated about its peak."""

    turn: Complex
    """`(taps,)`: moves the band to both sides of 0 Hz."""
    weights: Floats
    """`(places, taps)`."""
    places: Floats
    """`(places,)`, in steps of the correlation from the middle tap."""


@dataclass(frozen=True, eq=False)
class Signals:
    """The clips of some pairs, one a row."""

    energy: Floats
    """`(clips, points + 1)`: running sum of the energy from 0 on."""
    lengths: Integers


def signals(held: Complex, lengths: Integers) -> Signals | None:
    """Return what `peaks` needs of signals `(clips, points)`; None without the compiled code."""
    found = library()
    if found is None:
        return None
    energy = np.empty((len(held), held.shape[1] + 1), np.float32)
    found.tm_running_energy(held.ctypes.data, *held.shape, lengths.ctypes.data, energy.ctypes.data)
    return Signals(energy, lengths)


def products(spectra: Complex, which: Integers) -> Complex:
    """Return the spectrum of the second of each pair of rows times the conjugate of that of the first."""
    found = library()
    if found is None:
        product: Complex = spectra[which[:, 1]]
        product *= spectra[which[:, 0]].conj()
        return product
    made, which = np.empty((len(which), spectra.shape[1]), np.complex64), np.ascontiguousarray(which)
    found.tm_products(spectra.ctypes.data, spectra.shape[1], which.ctypes.data, len(which), made.ctypes.data)
    return made


def peaks(
    correlation: Complex, which: Integers, clips: Signals, between: Between, *, overlap: float, telling: float,
    beside: tuple[int, int],
) -> npt.NDArray[np.void]:  # fmt: skip
    """Return of each pair `similarity`, `lag`, `fraction`, the energies `own` and `other`, `beside` and `sounding`.

    Args:
        correlation: `(pairs, points)`, at lag k (the second clip later by k), negative lags from its end.
        which: `(pairs, 2)`: the rows of the clips of each pair.
        clips: from `signals`.
        between: how to interpolate.
        overlap: share of the shorter clip that must lie on the other.
        telling: similarity from which on `beside` (else 1) and `sounding` (else 0) are looked for.
        beside: the lags beside the peak where that is looked for, from and to.
    """
    found, out = library(), np.empty(len(correlation), _PAIR)
    weights, places = np.zeros((_TAPS, _ROOM), np.float32), np.zeros(_ROOM, np.float32)
    weights[:, : len(between.places)], places[: len(between.places)] = between.weights.T, between.places
    near, which, turn = np.array(beside, np.int64), np.ascontiguousarray(which), np.ascontiguousarray(between.turn)
    correlation = np.ascontiguousarray(correlation)
    found.tm_peak_pairs(
        *(correlation.ctypes.data, *correlation.shape, which.ctypes.data),
        *(clips.energy.ctypes.data, clips.lengths.ctypes.data, turn.ctypes.data, weights.ctypes.data),
        *(places.ctypes.data, len(between.places), overlap, telling, near.ctypes.data, out.ctypes.data),
    )
    return out
