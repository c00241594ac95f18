"""The pictures of an audit report: how the data set is spread, what leaks, and how the worst clips look and sound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.evidence.dataset.records import SPLITS, Dataset, Region
from engine.evidence.dataset.thumbnails import thumbnail
from knowledge.records import Finding

from ..consultation.audit import Audit
from .document import Document, Gallery, Heading, Picture
from .drawing import envelope, heat_map, histogram, links

_SPREADS = (
    ("clip.duration_seconds", "Length", "s"),
    ("clip.level_dbfs", "Level", "dBFS"),
    ("clip.bandwidth_hz", "Bandwidth", "Hz"),
    ("clip.snr_db", "Signal to noise", "dB"),
)
_WORST_OF_A_FINDING = 3
_MOST_CLIPS = 24
_MOST_GROUPS = 24


def audit_pictures(audit: Audit) -> Document:
    """Return the sections that only a page with pictures has."""
    return (*_spreads(audit), *_leaks(audit.dataset), *_clips(audit))


def _spreads(audit: Audit) -> Document:
    pictures = [
        Picture(title, histogram(values, unit, f"Histogram: {title.lower()}"), _summary(values, unit))
        for name, title, unit in _SPREADS
        if (values := audit.scan.measures.get(name)) is not None and np.isfinite(values).any()
    ]
    dataset = audit.dataset
    if dataset.task == "regression" and np.isfinite(dataset.scores).any():
        drawn = histogram(dataset.scores, "", "Histogram: scores")
        pictures.append(Picture("Scores", drawn, _summary(dataset.scores, "")))
    return (Heading("How the clips are spread"), Gallery(tuple(pictures))) if pictures else ()


def _summary(values: np.ndarray, unit: str) -> str:
    known = values[np.isfinite(values)]
    low, middle, high = np.percentile(known, (5, 50, 95))
    return f"5 %, median, 95 %: {low:.4g}, {middle:.4g}, {high:.4g} {unit} over {len(known)} clips".replace("  ", " ")


def _leaks(dataset: Dataset) -> Document:
    groups, splits = dataset.groups.codes, dataset.splits
    known = (groups >= 0) & (splits >= 0)
    table = np.zeros((len(dataset.groups), len(SPLITS)))
    np.add.at(table, (groups[known], splits[known]), 1)
    crossing = np.flatnonzero((table > 0).sum(axis=1) > 1)
    if not len(crossing):
        return ()
    shown = crossing[np.argsort(-table[crossing, 1:].sum(axis=1), kind="stable")][:_MOST_GROUPS]
    names = [dataset.groups.names[number] for number in shown]
    drawn = links(names, SPLITS, table[shown], "Groups and the splits that hold their clips")
    rest = len(crossing) - len(shown)
    said = f"{len(crossing)} groups stand in several splits" + (f"; the {len(shown)} worst are drawn." if rest else ".")
    return (Heading("What leaks"), Gallery((Picture("Groups across splits", drawn, said),)))


def _clips(audit: Audit) -> Document:
    regions = dict(zip(audit.dataset.names, audit.dataset.region_codes.tolist(), strict=True))
    pictures: list[Picture] = []
    for finding in audit.session.findings:
        for path in _worst(finding):
            code = regions.get(path, -1)
            if code >= 0 and len(pictures) < _MOST_CLIPS:
                pictures += _picture(path, finding, audit.dataset.regions[code])
    return (Heading("The clips behind the findings"), Gallery(tuple(pictures))) if pictures else ()


def _worst(finding: Finding) -> list[str]:
    """The clips that a person should look at first: those that the evidence names."""
    told = [item.path for item in finding.evidence if item.path is not None and item.path in finding.paths]
    return list(dict.fromkeys([*told, *finding.paths]))[:_WORST_OF_A_FINDING]


def _picture(path: str, finding: Finding, region: Region) -> Iterator[Picture]:
    seen = thumbnail(region)
    if seen is not None:
        markup = envelope(seen.low, seen.high, f"Waveform of {path}") + heat_map(
            seen.spectrogram, f"Spectrogram of {path}, 0 to {seen.sample_rate_hz / 2:.0f} Hz"
        )
        said = next((item.text for item in finding.evidence if item.path == path), finding.title)
        yield Picture(finding.id, markup, f"{said} ({seen.seconds:.2f} s, {seen.sample_rate_hz} Hz)")
