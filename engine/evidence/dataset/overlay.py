"""Cuts from two waves what they share, and finds the delay between both to some microseconds; judges nothing.

The lag of the sketches is known to half a millisecond, and of a steady sound it may be a period or two beside the true
one, where only partials above those of the sketches fall together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .transforms import ifft, rfft

Floats = npt.NDArray[np.floating]
Complex = npt.NDArray[np.complexfloating]
Wave = tuple[Floats, int]
"""Mono samples and their rate in hertz."""

LOWEST_HZ, HIGHEST_HZ = 100, 8000
LONGEST_SECONDS = 12.0
"""Of the overlap from where both begin: onset and decay of a note, or two sentences."""
_SHORTEST_SECONDS = 0.03
_GROUP_HZ = 20
"""Bins that are summed before a delay is refined: one of 0.6 ms turns them by less than a tenth of a cycle."""
_REFINED_HZ = 4000
"""The highest frequency by which a delay is found: above it codecs leave little."""
_PERIODS_SECONDS = 0.03
"""How far the true lag is looked for: some periods of the lowest note that a sketch holds."""
_PERIODS_HZ = 1 << 14
"""Delays a second that are tried for that."""
_REACH_SECONDS = 6e-4
_STEPS_SECONDS = (4e-5, 2e-6)
"""Between the delays that are tried at last: a sixth of the period of 4 kHz, then what turns 8 kHz by a sixtieth."""
_PASSES = 3
_CLOSE_SECONDS = 2e-5
"""With a smaller delay between them two parts are cut at the same place."""
_SAME_EDGE_SECONDS = 6e-5
"""Clips that begin or end within this of one another were not cut there."""
_FADE_SECONDS = 4e-3
"""Where only one of both was cut, both fade: a part of a sample between two hard cuts hides all weak bands."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What two waves share, laid upon one another; in groups of bins of 20 Hz, `(groups,)`."""

    shared: Floats
    """Energy that is common to both, up to the factor between them; negative where they are opposed."""
    own: Floats
    """Energy of the first."""
    other: Floats
    """Energy of the second."""
    hertz: Floats
    """The middle of each group."""
    period_seconds: float
    """One over the distance of the bins."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Spectra of the same seconds of both, a bin every 1 / `period_seconds`, `(bins,)`."""

    first: Complex
    second: Complex
    period_seconds: float
    left_seconds: float
    """What whole samples leave of the lag: by how much the second begins later."""

    @property
    def sounds(self) -> bool:
        return bool(np.abs(self.first).max(initial=0) > 0 and np.abs(self.second).max(initial=0) > 0)


def overlay(first: Wave, second: Wave, lag_seconds: float) -> Overlay | None:
    """Lay two waves upon one another; None where they share too little or one is silent there.

    Args:
        first: a wave.
        second: another, in which the common part begins later.
        lag_seconds: by about so much.
    """
    part = _part(first, second, lag_seconds)
    if part is None or not part.sounds:
        return None
    beside = _periods_beside(part) - part.left_seconds
    if abs(beside) > _REACH_SECONDS / 2:
        lag_seconds += beside
        part = _part(first, second, lag_seconds)
    for _ in range(_PASSES):
        if part is None or not part.sounds:
            return None
        found, delay = _laid(part)
        if abs(delay) < _CLOSE_SECONDS:
            break
        lag_seconds += delay
        part = _part(first, second, lag_seconds)
    return found


def _part(first: Wave, second: Wave, lag_seconds: float) -> _Part | None:
    (a, rate_a), (b, rate_b) = first, second
    begin = max(0.0, -lag_seconds)
    end = min(len(a) / rate_a, len(b) / rate_b - lag_seconds)
    seconds = min(end - begin, LONGEST_SECONDS)
    if seconds < _SHORTEST_SECONDS:
        return None
    before = abs(lag_seconds) > _SAME_EDGE_SECONDS
    after = seconds < end - begin or abs(len(a) / rate_a + lag_seconds - len(b) / rate_b) > _SAME_EDGE_SECONDS
    from_a, from_b = (round(begin * rate_a), round((begin + lag_seconds) * rate_b)) if before else (0, 0)
    period = _smooth(int(100 * seconds) + 3) / 100
    spectra = [
        _spectrum(_faded(wave[start : start + round(seconds * rate)], rate, before, after), rate, period)
        for wave, rate, start in ((a, rate_a, from_a), (b, rate_b, from_b))
    ]
    bins = min(map(len, spectra))
    return _Part(spectra[0][:bins], spectra[1][:bins], period, from_a / rate_a + lag_seconds - from_b / rate_b)


def _smooth(number: int) -> int:
    """Return the next product of small primes: transforms of others take much longer."""
    while True:
        rest = number
        for prime in (2, 3, 5, 7):
            while not rest % prime:
                rest //= prime
        if rest == 1:
            return number
        number += 1


def _faded(wave: Floats, rate: int, before: bool, after: bool) -> Floats:
    length = min(round(_FADE_SECONDS * rate), len(wave) // 4)
    faded = np.nan_to_num(np.array(wave, np.float32), posinf=0.0, neginf=0.0)
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))).astype(np.float32)
    if before:
        faded[:length] *= rise
    if after and length:
        faded[-length:] *= rise[::-1]
    return faded


def _spectrum(wave: Floats, rate: int, period: float) -> Complex:
    """Return the spectrum of a wave up to the last band, with the zeros after it."""
    row = np.zeros((1, round(rate * period)), np.float32)
    row[0, : len(wave)] = wave[: row.shape[1]]
    spectrum: Complex = rfft(row)[0, : round(min(rate / 2, HIGHEST_HZ) * period)] * np.float32(1000 / rate)
    return spectrum


def _periods_beside(part: _Part) -> float:
    """Return the delay at which both are most alike, a few hundredths of a second about the known one at most."""
    low, high = (round(hertz * part.period_seconds) for hertz in (LOWEST_HZ, _REFINED_HZ))
    cross = part.second[low:high] * part.first[low:high].conj()
    points = round(_PERIODS_HZ * part.period_seconds)
    spectrum = np.zeros((1, points), np.complex64)
    spectrum[0, low : low + len(cross)] = cross / np.sqrt(np.maximum(np.abs(cross), 1e-30))
    likeness = np.abs(ifft(spectrum)[0].real)
    middle, reach = round(part.left_seconds * _PERIODS_HZ), round(_PERIODS_SECONDS * _PERIODS_HZ)
    delays = middle + np.arange(-reach, reach + 1)
    return float(delays[likeness[delays % points].argmax()]) / _PERIODS_HZ


def _laid(part: _Part) -> tuple[Overlay, float]:
    """Return both laid upon one another, and by how much the second was later than was known.

    Half of the slope is taken off to find that, as in the sketches; a copy may have the other sign.
    """
    each = max(1, round(_GROUP_HZ * part.period_seconds))
    count = len(part.first) // each
    first, second = (side[: count * each].reshape(count, each) for side in (part.first, part.second))
    cross = np.einsum("ij,ij->i", second, first.conj()).astype(np.complex128)
    own, other = (np.einsum("ij,ij->i", side, side.conj()).real.astype(float) for side in (first, second))
    hertz = (np.arange(count) * each + (each - 1) / 2) / part.period_seconds
    told = (hertz >= LOWEST_HZ) & (hertz < _REFINED_HZ)
    weighed = cross[told] / np.maximum((own[told] * other[told]) ** 0.25, 1e-30)
    delay, reach, height = part.left_seconds, _REACH_SECONDS, 0.0
    for step in _STEPS_SECONDS:
        delays = delay + np.arange(-round(reach / step), round(reach / step) + 1) * step
        heights = (np.exp(2j * np.pi * np.outer(delays, hertz[told])) @ weighed).real
        best = int(np.abs(heights).argmax())
        delay, reach, height = float(delays[best]), step, float(heights[best])
    shared = np.sign(height) * (cross * np.exp(2j * np.pi * hertz * delay)).real
    return Overlay(shared, own, other, hertz, part.period_seconds), delay - part.left_seconds
