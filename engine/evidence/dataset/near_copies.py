"""Facts about near duplicates: the clips that a change of level, rate, codec or cut made out of others."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.records import Evidence, Fact, Measured

from .clips import Scan
from .counting import EXAMPLES, unknown, where
from .near import NearPair
from .records import Dataset, Region

_NAMES = "dataset.near_duplicate_clips dataset.similar_clips_to_hear"


def measure_near(
    dataset: Dataset, scan: Scan, near: Sequence[NearPair] | None, review: Sequence[NearPair] = ()
) -> Measured:
    """Return how many clips are near duplicates of others, and which pairs a person has to listen to.

    Args:
        dataset: whose rows name the clips.
        scan: what was decoded.
        near: pairs that count as duplicates; None when nobody looked for them.
        review: pairs that are alike and may be another recording of the same thing.
    """
    if near is None or not scan.profiles.size:
        return Measured(unknown=unknown(_NAMES, "no clip was compared with others"))
    compared = sum(clip.usable for clip in scan.clips.values())
    groups = near_groups(near)
    count = len(groups) - len(set(groups.values()))
    names = _names(dataset)
    return Measured(
        (
            _fact("dataset.near_duplicate_clips", near, names, compared, count),
            _fact("dataset.similar_clips_to_hear", review, names, compared, len(review)),
        )
    )


def near_groups(pairs: Sequence[NearPair]) -> dict[Region, int]:
    """Number the clips so that those which a chain of pairs connects share a number; union-find with path halving."""
    parent: dict[Region, Region] = {}

    def root(region: Region) -> Region:
        parent.setdefault(region, region)
        while parent[region] != region:
            parent[region] = parent[parent[region]]
            region = parent[region]
        return region

    for pair in pairs:
        parent[root(pair.second)] = root(pair.first)
    numbers: dict[Region, int] = {}
    return {region: numbers.setdefault(root(region), len(numbers)) for region in list(parent)}


def _names(dataset: Dataset) -> dict[Region, list[tuple[str, int]]]:
    """Return the paths and lines under which the manifest names each clip."""
    names: dict[Region, list[tuple[str, int]]] = {}
    for place in where(dataset.region_codes >= 0).tolist():
        region = dataset.regions[dataset.region_codes[place]]
        names.setdefault(region, []).append((dataset.names[place], dataset.lines[place]))
    return names


def _fact(name: str, pairs: Sequence[NearPair], names: dict[Region, list[tuple[str, int]]], n: int, value: int) -> Fact:
    told = [pair for pair in pairs if pair.first in names and pair.second in names]
    evidence = []
    for pair in told[:EXAMPLES]:
        (path, line), (other, _) = names[pair.second][0], names[pair.first][0]
        text = f"{path}: {pair.similarity:.3f} alike to {other}; {pair.transform}"
        evidence.append(Evidence(text, path=path, line=line or None))
    paths = dict.fromkeys(path for pair in told for end in (pair.first, pair.second) for path, _ in names[end])
    return Fact(name, value, "audit", n=n, evidence=tuple(evidence), paths=tuple(paths))
