"""Chooses pairs of a mono clip and a clip of two channels of which it may be one; compares none of them.

The profile of a clip of two channels is that of its louder one: a copy of the other is not near it. So both channels
are decoded once more and measured, where a set has mono clips beside clips whose channels differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .candidates import candidate_pairs
from .clips import Clip, Scan
from .excerpts import sides_start
from .signals import Wave, measure_waves

Integers = npt.NDArray[np.int64]
Mapped = Callable[[Callable[[Sequence[Clip]], "list[_Sides]"], Iterable[Sequence[Clip]]], Iterable["list[_Sides]"]]
_Sides = tuple[npt.NDArray[np.float32], tuple[bytes, bytes]]
"""Profiles, `(2, bands)`, and outlines of both channels."""

_DIFFERENT_DB = 25.0
"""Channels whose difference is further below them are as good as one."""
_AT_ONCE = 16
"""Clips that a thread decodes before it measures them."""


def channel_pairs(scan: Scan, places: Integers, mapped: Mapped) -> Integers:
    """Return pairs of places of clips, `(pairs, 2)`, the smaller first; none where all clips are mono, or none is.

    Args:
        scan: with profiles.
        places: of the clips that can be compared.
        mapped: as `map`, of a pool of threads.
    """
    clips = list(scan.clips.values())
    counts = np.array([clips[place].channels for place in places])
    below = scan.measures.get("clip.channel_difference_db", np.zeros(len(clips)))[places]
    mono, more = places[counts == 1], places[(counts > 1) & ~(below > _DIFFERENT_DB)]
    if not len(mono) or not len(more):
        return np.empty((0, 2), np.int64)
    parts = [[clips[place] for place in more[at : at + _AT_ONCE]] for at in range(0, len(more), _AT_ONCE)]
    measured = [sides for part in mapped(_measured, parts) for sides in part]
    heard = np.array([bool(np.isfinite(profiles.sum())) for profiles, _ in measured])
    sides = [each for each, sounds in zip(measured, heard, strict=True) if sounds]
    both = np.concatenate((mono, more[heard]))
    own = [scan.outlines[place] if scan.outlines else b"" for place in mono]
    found = [_crossing(scan.profiles[mono], own, sides, side) for side in (0, 1)]
    pairs: Integers = np.unique(np.sort(both[np.concatenate(found)], axis=1), axis=0)
    return pairs


def _crossing(profiles: npt.NDArray[np.floating], outlines: list[bytes], sides: list[_Sides], side: int) -> Integers:
    """Return the candidates among mono clips and one channel of the others that are one of each."""
    all_profiles = np.vstack([profiles, *(each[side][None] for each, _ in sides)]).astype(np.float32)
    pairs = candidate_pairs(np.ascontiguousarray(all_profiles), [*outlines, *(lines[side] for _, lines in sides)])
    crossing: Integers = pairs[(pairs < len(profiles)).sum(axis=1) == 1]
    return crossing


def _measured(clips: Sequence[Clip]) -> list[_Sides]:
    """Decode clips, and measure the first two channels of each."""
    waves = []
    for clip in clips:
        samples, rate = sides_start(clip)
        waves += [Wave(samples[:, side : side + 1].copy(), rate, clip.subtype) for side in (0, 1)]
    found = measure_waves(waves)
    return [
        (
            np.asarray(found.profiles[2 * at : 2 * at + 2], np.float32),
            (found.outlines[2 * at], found.outlines[2 * at + 1]),
        )
        for at in range(len(clips))
    ]
