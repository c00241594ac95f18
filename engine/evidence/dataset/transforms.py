"""Fourier transforms of rows of 32-bit floats, from scipy's compiled part alone; measures nothing.

numpy's take two to four times as long, because they do not transform several rows at once. `scipy.fft` itself imports a
tenth of a second of other things, which a child that decodes a small set, and its parent, would pay for each.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]
_NAME = "scipy.fft._pocketfft.pypocketfft"
_LONG_POINTS = 1 << 15
_BACKWARDS = 2
"""Divides by the length."""
AT_ONCE = 4
"""Rows of one length that are transformed at once, in a third of the time of as many alone."""


def rfft(rows: Floats) -> Complex:
    """Return the spectrum of each row, `(rows, length // 2 + 1)`."""
    return cast("Complex", _compiled().r2c(rows, (1,), True, 0, None, 1))


def low_rfft(rows: Floats, low: int, high: int) -> Complex:
    """Return bins `low` to `high` of the spectrum of each row.

    Of a long row only every n-th sample is transformed at a time, the n parts side by side, and put together for the
    bins that are wanted: a third of the time, because each part stays in the cache.
    """
    count, points = rows.shape
    parts = next((n for n in (8, 6, 5, 4, 3, 2) if not points % n and high <= points // n // 2), 1)
    if parts == 1 or points < _LONG_POINTS:
        return rfft(rows)[:, low:high]
    split = np.ascontiguousarray(rows.reshape(count, points // parts, parts).swapaxes(1, 2))
    spectra = rfft(split.reshape(count * parts, -1))[:, low:high].reshape(count, parts, -1)
    joined: Complex = np.einsum("ijk,jk->ik", spectra, _turns(points, parts, low, high))
    return joined


@lru_cache(maxsize=8)
def _turns(points: int, parts: int, low: int, high: int) -> Complex:
    turns = np.exp(-2j * np.pi / points * np.outer(np.arange(parts), np.arange(low, high)))
    return np.asarray(turns, np.complex64)


def fft(rows: Complex) -> Complex:
    """Return the spectrum of each complex row, which it overwrites."""
    return _complex(rows, forward=True)


def ifft(rows: Complex) -> Complex:
    """Return the complex signal of each spectrum, which it overwrites."""
    return _complex(rows, forward=False)


def _complex(rows: Complex, *, forward: bool) -> Complex:
    """Transform rows in place; two or three that are left over beside rows of zeros, which takes less time."""
    left = len(rows) % AT_ONCE
    whole = len(rows) - left if left > 1 else len(rows)
    if whole:
        _in_place(rows[:whole], forward)
    if whole < len(rows):
        filled = np.zeros((AT_ONCE, rows.shape[1]), np.complex64)
        filled[:left] = rows[whole:]
        _in_place(filled, forward)
        rows[whole:] = filled[:left]
    return rows


def _in_place(rows: Complex, forward: bool) -> None:
    _compiled().c2c(rows, (1,), forward, 0 if forward else _BACKWARDS, rows, 1)


@lru_cache(maxsize=1)
def _compiled() -> ModuleType:
    """Load the extension from its file; where scipy keeps it elsewhere, import it the long way."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    found = importlib.util.find_spec("scipy")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        for suffix in EXTENSION_SUFFIXES:
            file = Path(folder) / "fft" / "_pocketfft" / f"pypocketfft{suffix}"
            spec = importlib.util.spec_from_file_location(_NAME, file) if file.is_file() else None
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module if _as_expected(module) else _numpy_like()
    return _numpy_like()


def _as_expected(module: ModuleType) -> bool:
    """Whether it takes the arguments and brings the results that this module counts on."""
    rows = np.arange(8, dtype=np.float32).reshape(2, 4)
    try:
        return bool(np.allclose(module.r2c(rows, (1,), True, 0, None, 1), _SPECTRA, atol=1e-4))
    except (AttributeError, TypeError, ValueError):
        return False


_SPECTRA = np.array([[6, -2 + 2j, -2], [22, -2 + 2j, -2]])
"""Of 0 to 3 and of 4 to 7; loading numpy's own transforms to tell takes longer than all that is transformed."""


class _Numpy(ModuleType):
    """The same two functions from numpy, for a scipy that is built otherwise."""

    @staticmethod
    def r2c(rows: Floats, _axes: object, _forward: bool, _norm: int, _out: object, _threads: int) -> Complex:
        """Return the spectrum of each row."""
        return cast("Complex", np.fft.rfft(rows, axis=1).astype(np.complex64, copy=False))

    @staticmethod
    def c2c(rows: Complex, _axes: object, forward: bool, _norm: int, out: Complex, _threads: int) -> None:
        """Write the transform of each complex row."""
        out[:] = np.fft.fft(rows, axis=1) if forward else np.fft.ifft(rows, axis=1)


def _numpy_like() -> ModuleType:
    return _Numpy("numpy_like")
