"""The level-free profile of a clip that near duplicates are searched by; compares and judges nothing.

Everything is made of energies (not their logarithms) summed over time, so that soft padding weighs nothing, and of
ratios, so that the level does not count. Bands end below 1.9 kHz: a copy at 4 kHz or through a codec keeps them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]

PROFILE_BANDS = 16
_MODULATION_BANDS = 4
MODULATIONS_HZ = (0.7, 1.5, 3.0, 6.0)
"""Slow enough for frames of 32 ms, fast enough to tell words of half a second apart."""
PROFILE_SIZE = PROFILE_BANDS + 2 * _MODULATION_BANDS * len(MODULATIONS_HZ)
_LOWEST_HZ, _HIGHEST_HZ = 200.0, 1900.0
FLOOR = 0.01
"""Share of the mean band that is added to every band: noise 25 dB below the signal must not move a quiet band."""
SHAPE_WEIGHT, MODULATION_WEIGHT = 1.4, 2.1
"""Puts modulations (0 to 1) beside logarithms of band energies (spread about 1), which a cut changes less."""


def profiles(energy: Floats, clip_starts: Integers, hop_seconds: float) -> Floats:
    """Return a profile for each clip; NaN for a clip without energy between 200 and 1900 Hz.

    Args:
        energy: of the bands in all frames of all clips, `(frames, PROFILE_BANDS)`.
        clip_starts: the first frame of each clip, `(clips,)`, strictly rising from 0: no clip is without a frame.
        hop_seconds: time from one frame to the next; frames of 32 to 64 ms that overlap by half (without overlap the
            energies depend on where frames begin, and a padded or trimmed copy is no longer the nearest).

    Returns:
        `(clips, 48)` float32: 16 relative log energies of bands, then 16 complex modulations as pairs. A modulation is
        the Fourier component of the energy of a quarter of the bands over time, relative to its sum, with the phase
        relative to that of the energy of all bands: neither gain nor a shift in time changes it.
    """
    sums = np.add.reduceat(energy, clip_starts, axis=0).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = np.log(sums / sums.mean(axis=1, keepdims=True) + FLOOR)
        shape -= shape.mean(axis=1, keepdims=True)
        slow = _modulations(energy, clip_starts, hop_seconds)
    return np.hstack((shape * SHAPE_WEIGHT, slow * MODULATION_WEIGHT)).astype(np.float32)


def band_weights(bins: int, sample_rate_hz: float) -> npt.NDArray[np.float32]:
    """Return triangles of equal area on a logarithmic scale, `(bins, PROFILE_BANDS)`, over bins from 0 to Nyquist."""
    spacing = sample_rate_hz / 2 / (bins - 1)
    centres = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, PROFILE_BANDS + 2)
    hertz = np.arange(bins) * spacing
    half = np.maximum(np.diff(centres), spacing)  # no band narrower than a bin
    rising = 1 - (centres[1:-1] - hertz[:, None]) / half[:-1]
    falling = 1 - (hertz[:, None] - centres[1:-1]) / half[1:]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    even: npt.NDArray[np.float32] = (weights / np.maximum(weights.sum(axis=0), 1e-12)).astype(np.float32)
    return even


def _modulations(energy: Floats, clip_starts: Integers, hop_seconds: float) -> Floats:
    """Return real and imaginary parts, `(clips, 2 x modulation bands x modulations)`."""
    per_band = PROFILE_BANDS // _MODULATION_BANDS
    wide = sum(energy[:, place::per_band] for place in range(per_band))
    sums = np.add.reduceat(wide, clip_starts, axis=0)
    lengths = np.diff(np.append(clip_starts, len(energy)))
    time = (np.arange(len(energy)) - np.repeat(clip_starts, lengths)) * hop_seconds
    found = []
    for hertz in MODULATIONS_HZ:
        turn = np.exp(-2j * np.pi * hertz * time).astype(np.complex64)
        parts = np.add.reduceat(wide * turn[:, None], clip_starts, axis=0)
        whole = parts.sum(axis=1)
        phase = np.conj(whole) / np.maximum(np.abs(whole), 1e-30)
        found.append(parts * phase[:, None] / sums)
    stacked = np.hstack(found)
    return np.hstack((stacked.real, stacked.imag))
