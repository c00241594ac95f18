"""Slides one clip along another and says how alike they are where they overlap; decodes nothing, judges nothing.

A sketch is the analytic signal of a clip between 200 and 1900 Hz, half whitened, at 2,000 complex samples a second:
what is left of a clip after a change of gain, rate or codec. Two sketches are correlated at all lags at once; the peak
is normalised by the energies of the parts that overlap, so that a part cut off or added costs nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .decimation import decimation
from .peaks import Between, Signals, peaks, products, signals
from .transforms import AT_ONCE, fft, ifft, low_rfft

Complex = npt.NDArray[np.complex64]
Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]

SKETCH_HZ = 2000
_LOWEST_HZ, _HIGHEST_HZ = 200, 1900
_WHITENING = 0.5
"""Share of the spectral slope (in dB) that is taken away: none leaves the vowel to decide, all lets noise decide."""
_WHITENING_BAND_HZ = 40
_WHITENING_FLOOR = 1e-4
"""Power relative to the strongest band below which a band is not lifted further."""
LONGEST_SECONDS = 120.0
"""Only the beginning of a longer clip is compared."""
_OVERLAP = 0.5
"""The shorter of two clips must lie on the other with at least this share of its length."""
_NEIGHBOUR_SECONDS = (0.025, 0.15)
"""Where another peak would show that the sound is stationary: a tone is like itself at every lag."""
_TELLING = 0.5
"""Below this similarity nobody asks whether the sound is steady."""
_HELD, _FAINTEST = 0.8, 1e-4
"""Shares of the energy of one clip, and of the other, that the overlap holds at a lag that is tried besides the highest
correlation; near.c has the same, and the following."""
_SURE, _TOLD = 0.998, 0.85
"""Similarities: at which no such lag is tried, and which it has to reach."""
_BATCH_POINTS = 1 << 19
"""Points of transforms that are worked on at once: 4 MB, about the cache of a processor."""
_CORRELATED_POINTS = 1 << 16
"""Points of correlations that are made and read at once: 0.5 MB, that of a core."""
_MOST_POINTS = 1 << 22
"""Of as many rows as are transformed at once: up to here they are, even where the cache holds fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What is compared of one clip."""

    analytic: Complex
    """`(samples,)` at `SKETCH_HZ`, with an energy of 1."""
    level_db: float
    """Of the clip between the band edges, before whitening, relative to full scale."""

    @property
    def seconds(self) -> float:
        """Length of what is compared."""
        return len(self.analytic) / SKETCH_HZ


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the second of two clips lies on the first."""

    similarity: float
    """Magnitude of the normalised correlation over the overlap at the best lag, 0 to 1."""
    lag_seconds: float
    """How much later the common part begins in the second clip."""
    gain_db: float
    """How much louder the second clip is where both overlap."""
    neighbour: float
    """The correlation 25 to 150 ms beside the best lag relative to the best: near 1 for tones and hum, and 1 where the
    similarity is too low to matter."""
    sounding_seconds: float
    """How long the overlap sounds: the length of a steady sound whose energy is as spread out."""


def sketches(waves: Sequence[tuple[Floats, int]]) -> list[Sketch | None]:
    """Return the sketch of each wave, given as mono samples and rate in hertz; None for one without sound in the band.

    Samples that are not finite count as zero.
    """
    made: list[Sketch | None] = [None] * len(waves)
    places: dict[tuple[int, float], list[int]] = defaultdict(list)
    for place, (samples, rate) in enumerate(waves):
        places[rate, sketch_period(len(samples) / rate)].append(place)
    for (rate, period), own in places.items():
        step = _rows_at_once(_BATCH_POINTS, rate * period)
        for start in range(0, len(own), step):
            part = own[start : start + step]
            for place, sketch in zip(part, _sketched([waves[each][0] for each in part], rate, period), strict=True):
                made[place] = sketch
    return made


def sketch_period(seconds: float) -> float:
    """Return the length of the transform of a clip: clips of one length and rate are best sketched together."""
    return _period(seconds / 1.5)  # room for the filter to ring out, no more


def align(pairs: Sequence[tuple[Sketch, Sketch]]) -> list[Alignment]:
    """Return how the second sketch of each pair lies on the first."""
    found: list[Alignment | None] = [None] * len(pairs)
    places: dict[float, list[int]] = defaultdict(list)
    for place, (a, b) in enumerate(pairs):
        places[_period(max(a.seconds, b.seconds))].append(place)
    for period, own in places.items():
        step = _rows_at_once(_BATCH_POINTS, SKETCH_HZ * period)
        for start in range(0, len(own), step):
            part = own[start : start + step]
            for place, alignment in zip(part, _aligned([pairs[each] for each in part], period), strict=True):
                found[place] = alignment
    return [each for each in found if each is not None]


def _rows_at_once(points: int, length: float) -> int:
    """Return how many rows of a length to transform at once, where so many points are worked on."""
    rows = int(points / length) // AT_ONCE * AT_ONCE
    return rows or (AT_ONCE if AT_ONCE * length <= _MOST_POINTS else 1)


def _period(seconds: float) -> float:
    """Return the time over which a transform of clips of this length repeats: half as long again at least.

    The lags that matter (an overlap of half the shorter clip) are then free of wrapped-around ones. Two sizes an
    octave, all of them products of small primes at the usual rates.
    """
    wanted, size = 1.5 * seconds, 0.25
    while size < wanted:
        if 1.5 * size >= wanted:
            return 1.5 * size
        size *= 2
    return size


def _sketched(waves: Sequence[Floats], rate: int, period: float) -> list[Sketch | None]:
    points, grid = round(rate * period), round(SKETCH_HZ * period)
    low, high = round(_LOWEST_HZ * period), min(round(_HIGHEST_HZ * period), points // 2)
    band = _band(waves, rate, points, low, high)
    energy = _whiten(band, period)
    spectrum = np.zeros((len(waves), grid), np.complex64)
    spectrum[:, low:high] = band
    analytic = ifft(spectrum)
    samples = np.array([len(wave) for wave in waves])
    lengths = np.maximum(1, np.rint(samples / rate * SKETCH_HZ)).astype(np.int64)
    for row, length in zip(analytic, lengths.tolist(), strict=True):
        row[length:] = 0
    parts = analytic.view(np.float32).reshape(len(waves), -1)
    sizes = np.sqrt(np.einsum("ij,ij->i", parts, parts))
    usable = (sizes > 0) & np.isfinite(sizes)
    parts *= np.where(usable, 1 / np.maximum(sizes, 1e-30), 1)[:, None].astype(np.float32)
    levels = 10 * np.log10(np.maximum(1e-30, 2 * energy.astype(float) / points / np.maximum(1, samples)))
    each = zip(analytic, lengths.tolist(), levels.tolist(), usable.tolist(), strict=True)
    return [Sketch(signal[:length].copy(), level) if sounds else None for signal, length, level, sounds in each]


def _band(waves: Sequence[Floats], rate: int, points: int, low: int, high: int) -> Complex:
    """Return bins `low` to `high` of the spectrum of each wave, of `points` samples with the zeros after it."""
    fewer = decimation(rate, points, _HIGHEST_HZ)
    held = np.zeros((len(waves), points if fewer is None else points // fewer.step), np.float32)
    for row, wave in zip(held, waves, strict=True):
        if fewer is None:
            row[: len(wave)] = wave[:points]
        else:
            fewer.into(wave[:points], row)
    if not math.isfinite(float(held.sum())):
        np.nan_to_num(held, copy=False, posinf=0.0, neginf=0.0)
    band: Complex = low_rfft(held, low, high)
    if fewer is not None:
        band = band * fewer.gain(np.arange(low, high) * (rate / points), rate)
    return band


def _whiten(band: Complex, period: float) -> Floats:
    """Take half the slope off each spectrum, in place; return its energy before, `(clips,)`."""
    power = band.real**2 + band.imag**2
    edges = np.arange(0, band.shape[1], max(1, round(_WHITENING_BAND_HZ * period)))
    widths = np.diff(np.append(edges, band.shape[1]))
    smooth: Floats = np.add.reduceat(power, edges, axis=1) / widths
    energy: Floats = power.sum(axis=1)
    floor = _WHITENING_FLOOR * smooth.max(axis=1, keepdims=True)
    smooth = np.maximum(np.maximum(smooth, floor), np.float32(1e-30))
    band *= np.repeat(smooth ** np.float32(-_WHITENING / 2), widths, axis=1)
    return energy


def _aligned(pairs: Sequence[tuple[Sketch, Sketch]], period: float) -> list[Alignment]:
    different = list({id(each): each for pair in pairs for each in pair}.values())
    place = {id(each): row for row, each in enumerate(different)}
    held = np.zeros((len(different), round(SKETCH_HZ * period)), np.complex64)
    for row, sketch in zip(held, different, strict=True):
        row[: len(sketch.analytic)] = sketch.analytic
    which = np.array([(place[id(a)], place[id(b)]) for a, b in pairs])
    known = signals(held, np.array([len(each.analytic) for each in different]))
    spectrum = fft(held)
    step = _rows_at_once(_CORRELATED_POINTS, held.shape[1])
    return [
        alignment
        for start in range(0, len(pairs), step)
        for alignment in _correlated(pairs[start : start + step], spectrum, which[start : start + step], known)
    ]


def _correlated(
    pairs: Sequence[tuple[Sketch, Sketch]], spectrum: Complex, which: Integers, known: Signals | None
) -> list[Alignment]:
    correlation = ifft(products(spectrum, which))  # (pairs, lags)
    if known is not None:
        return _by_peaks(pairs, correlation, which, known)
    found = _laid(pairs, correlation, _best_lags(pairs, correlation))
    unsure = [place for place, each in enumerate(found) if each.similarity < _SURE]
    others = [(place, lag) for place in unsure if (lag := _relative_lag(*pairs[place], correlation[place])) is not None]
    if others:
        places = [place for place, _ in others]
        laid = _laid([pairs[place] for place in places], correlation[places], np.array([lag for _, lag in others]))
        for place, other in zip(places, laid, strict=True):
            if other.similarity > found[place].similarity and other.similarity >= _TOLD:
                found[place] = other
    return found


def _laid(pairs: Sequence[tuple[Sketch, Sketch]], correlation: Complex, lags: Integers) -> list[Alignment]:
    lags, fractions, tops = _between(correlation, lags)
    found = zip(pairs, correlation, lags.tolist(), fractions.tolist(), tops.tolist(), strict=True)
    return [_overlapping(a, b, row, lag, fraction, top) for (a, b), row, lag, fraction, top in found]


def _relative_lag(a: Sketch, b: Sketch, correlation: Complex) -> int | None:
    """Return the lag at which the correlation is highest for the energies that overlap; None where no lag counts.

    Lags count at which the overlap holds nearly all of one clip: what was cut from the decay of a note lies there, and
    not where its onset would be.
    """
    running = [np.concatenate(([0.0], np.cumsum(np.square(np.abs(each.analytic), dtype=float)))) for each in (a, b)]
    long_a, long_b = len(a.analytic), len(b.analytic)
    least = int(_OVERLAP * min(long_a, long_b))
    lags = np.arange(least - long_a, long_b - least + 1)
    begin, end = np.maximum(0, -lags), np.minimum(long_a, long_b - lags)
    own = (running[0][end] - running[0][begin]) / running[0][-1]
    other = (running[1][end + lags] - running[1][begin + lags]) / running[1][-1]
    power = np.square(np.abs(correlation[lags % len(correlation)]), dtype=float)
    counts = (np.maximum(own, other) >= _HELD) & (np.minimum(own, other) >= _FAINTEST)
    if not counts.any():
        return None
    return int(lags[np.where(counts, power / np.maximum(own * other, 1e-12), -1.0).argmax()])


def _by_peaks(
    pairs: Sequence[tuple[Sketch, Sketch]], correlation: Complex, which: Integers, known: Signals
) -> list[Alignment]:
    """Return what the functions below find, from compiled code."""
    low, high = (round(each * SKETCH_HZ) for each in _NEIGHBOUR_SECONDS)
    between = Between(_DEMODULATION, _INTERPOLATION, _FRACTIONS.astype(np.float32))
    found = peaks(correlation, which, known, between, overlap=_OVERLAP, telling=_TELLING, beside=(low, high))
    lengths = known.lengths[which]
    own = np.maximum(found["own"].astype(float) * lengths[:, 0], 1e-9)
    other = np.maximum(found["other"].astype(float) * lengths[:, 1], 1e-9)
    levels = np.array([b.level_db - a.level_db for a, b in pairs])
    gains = levels + 10 * np.log10(other / own)
    lags = (found["lag"] + found["fraction"].astype(float)) / SKETCH_HZ
    columns = found["similarity"].tolist(), lags.tolist(), gains.tolist(), found["beside"].tolist()
    sounding = (found["sounding"] / np.float32(SKETCH_HZ)).tolist()
    return [Alignment(*each) for each in zip(*columns, sounding, strict=True)]


def _best_lags(pairs: Sequence[tuple[Sketch, Sketch]], correlation: Complex) -> Integers:
    """Return the lag of the highest correlation with enough overlap, `(pairs,)`.

    `correlation` stands at lag k (the second clip later by k), negative lags from its end.
    """
    grid = correlation.shape[1]
    power = np.square(correlation.real)
    power += np.square(correlation.imag)
    most = np.empty(len(pairs), np.int64)
    for place, (a, b) in enumerate(pairs):
        overlap = int(_OVERLAP * min(len(a.analytic), len(b.analytic)))
        most[place] = len(b.analytic) - overlap
        power[place, most[place] + 1 : grid + overlap - len(a.analytic)] = 0.0
    best = power.argmax(axis=1)
    lags: Integers = np.where(best <= most, best, best - grid)
    return lags


def _overlapping(a: Sketch, b: Sketch, correlation: Complex, lag: int, fraction: float, top: float) -> Alignment:
    """Normalise the peak by the energies of the parts that overlap."""
    long_a, long_b = len(a.analytic), len(b.analytic)
    begin, end = max(0, -lag), min(long_a, long_b - lag)  # of the overlap, in the first clip
    own, other = a.analytic[begin:end], b.analytic[begin + lag : end + lag]
    energy_a, energy_b = float(np.vdot(own, own).real), float(np.vdot(other, other).real)
    scale = (energy_a * energy_b) ** 0.5
    similarity = min(1.0, top / scale) if scale else 0.0
    gain = b.level_db - a.level_db + 10 * math.log10(max(energy_b * long_b, 1e-9) / max(energy_a * long_a, 1e-9))
    beside = _beside(correlation, lag) / top if similarity >= _TELLING else 1.0
    sounding = min(_sounding_seconds(own), _sounding_seconds(other)) if similarity >= _TELLING else 0.0
    return Alignment(similarity, (lag + fraction) / SKETCH_HZ, gain, beside, sounding)


def _sounding_seconds(part: Complex) -> float:
    power = part.real**2 + part.imag**2
    spread = float(np.dot(power, power))
    return float(power.sum()) ** 2 / spread / SKETCH_HZ if spread else 0.0


def _beside(correlation: Complex, lag: int) -> float:
    """Return the highest correlation a little beside the best lag."""
    reach = np.arange(*(round(each * SKETCH_HZ) for each in _NEIGHBOUR_SECONDS))
    return float(np.abs(correlation[np.concatenate((lag - reach, lag + reach)) % len(correlation)]).max())


def _between(correlation: Complex, lags: Integers) -> tuple[Integers, Floats, Floats]:
    """Return the lag near each at which the correlation is highest, how far beside it, and the magnitude there.

    Clips are cut anywhere; half a sample of 0.5 ms beside the true lag, 1900 Hz are out of phase. A vowel of two strong
    formants is then more like itself one or two samples further on, where both are in phase again.
    """
    near = np.take_along_axis(correlation, (lags[:, None] + _TAPS) % correlation.shape[1], axis=1) * _DEMODULATION
    size = np.abs(near @ _INTERPOLATION.T)  # (pairs, fractions)
    best = size.argmax(axis=1)
    whole = np.rint(_FRACTIONS[best]).astype(np.int64)
    return lags + whole, _FRACTIONS[best] - whole, size[np.arange(len(size)), best]


_TAPS = np.arange(-16, 17)
_FRACTIONS = np.linspace(-2.5, 2.5, 81)
_DEMODULATION = np.exp(-1j * np.pi * (_LOWEST_HZ + _HIGHEST_HZ) / SKETCH_HZ * _TAPS).astype(np.complex64)
"""Moves the band to both sides of 0 Hz, where a sinc interpolates it."""
_AWAY = _FRACTIONS[:, None] - _TAPS
_INTERPOLATION = (np.sinc(_AWAY) * np.where(np.abs(_AWAY) < 17, 0.5 + 0.5 * np.cos(np.pi * _AWAY / 17), 0)).astype(
    np.float32
)
