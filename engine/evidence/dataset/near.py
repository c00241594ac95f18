"""Finds near duplicates: the same sound after a change of gain, rate, codec, noise or cut; judges nothing.

Candidates are chosen by profile and outline; only they are decoded again and laid upon one another. What counts
as a duplicate is decided by the caller, with the limits of the knowledge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .agreement import Agreement
from .candidates import candidate_pairs
from .channel_pairs import channel_pairs
from .clips import Clip, Progress, Scan
from .coded import different
from .near_comparison import LEAST, Comparison, Found
from .records import Region

_WORTH = 0.85
"""Pairs from here on have their waveforms compared, which takes longer than all before."""
_WORTH_SHARING_SECONDS = 240.0
"""Sound of the candidates from which on to compare it takes longer than to fork children."""


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two clips that sound alike over at least half of the shorter."""

    first: Region
    second: Region
    similarity: float
    """Normalised correlation over the overlap, 0 to 1."""
    transform: str
    """How the second differs from the first, in words."""
    stationarity: float = 0.0
    """How alike they are 25 to 150 ms beside the best lag, relative to it: near 1 for tones, which prove nothing."""
    sounding_seconds: float = math.inf
    """How long the common part sounds: some hundredths of a second for a stroke, which can be struck again alike."""
    lag_seconds: float = 0.0
    """How much later the common part begins in the second."""
    channel: int | None = None
    """Of the clip with more channels, where one of them and not the mix is alike."""
    waveforms: Agreement | None = None
    """How both agree sample by sample; None where nobody looked, or too little is shared."""


def find_near(
    scan: Scan,
    progress: Progress | None = None,
    *,
    workers: int = 1,
    plain: Callable[[NearPair], bool] = lambda _: False,
) -> tuple[NearPair, ...]:
    """Return the pairs of clips that are alike, most alike first; exact copies are represented by their first clip.

    Args:
        scan: with profiles; without any nothing is found.
        progress: called with (pairs done, all pairs) in the calling thread.
        workers: processes, or threads where this one cannot be forked; one is this process alone.
        plain: whether a pair is known for a copy already, so that its waveforms are not asked.
    """
    places = _comparable(scan)
    if len(places) < 2:
        return ()
    clips = list(scan.clips.values())
    outlines = [scan.outlines[place] for place in places] if scan.outlines else [b""] * len(places)
    profiles = np.ascontiguousarray(scan.profiles[places], np.float32)
    pairs = places[candidate_pairs(profiles, outlines, workers=workers)]
    sound_seconds = sum(clips[place].duration_seconds for place in different(pairs).tolist())
    with Comparison(clips, workers if sound_seconds >= _WORTH_SHARING_SECONDS else 1) as comparison:
        found = comparison.mixed(pairs, progress)
        known = {(each.first, each.second) for each in found}
        crossing = channel_pairs(scan, places, comparison.sides).tolist()
        found += [Found(a, b, 0.0) for a, b in crossing if (a, b) not in known]
        found = _again(found, comparison.is_mixed, comparison.by_channel)
        found = [each for each in found if each.similarity >= LEAST]
        worth = lambda each: each.similarity >= _WORTH and not plain(_named(each, clips))  # noqa: E731
        found = _again(found, worth, comparison.by_waveform)
    pairs_found = [_named(each, clips) for each in found]
    return tuple(sorted(pairs_found, key=lambda pair: (-pair.similarity, pair.first.path, pair.second.path)))


def _named(found: Found, clips: list[Clip]) -> NearPair:
    return NearPair(clips[found.first].region, clips[found.second].region, *found[2:])


def _again(
    found: list[Found], which: Callable[[Found], bool], compared: Callable[[list[Found]], list[Found]]
) -> list[Found]:
    """Compare some pairs another way."""
    places = [place for place, each in enumerate(found) if which(each)]
    again = dict(zip(places, compared([found[place] for place in places]), strict=True))
    return [again.get(place, each) for place, each in enumerate(found)]


def _comparable(scan: Scan) -> npt.NDArray[np.int64]:
    """Return the places of the clips with sound, one of each set of exact copies."""
    if not scan.profiles.size:
        return np.empty(0, np.int64)
    finite = np.isfinite(scan.profiles.sum(axis=1))
    seen: set[str] = set()
    places = []
    for place, clip in enumerate(scan.clips.values()):
        if clip.usable and clip.sample_hash and finite[place] and clip.sample_hash not in seen:
            seen.add(clip.sample_hash)
            places.append(place)
    return np.array(places, np.int64)
