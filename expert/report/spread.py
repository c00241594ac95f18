"""How classes and groups spread over the splits, and which clips are copies of one another; counts, judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evidence.dataset.records import SPLITS, Region

from .document import Document, Heading, Paragraph, Table

if TYPE_CHECKING:
    from engine.evidence.dataset import NearPair
    from engine.evidence.dataset.coded import Coded

    from ..consultation.audit import Audit

_ROWS = 30
"""More rows than a reader goes through; the JSON has every path of a finding."""


def spread_blocks(audit: Audit) -> Document:
    """Return the tables of classes and of groups by split; empty where a column is missing."""
    data = audit.dataset
    places = data.splits
    blocks: Document = ()
    if data.columns.label and data.task == "classification" and (places >= 0).any():
        blocks += _by_split("Classes by split", "class", data.labels, places, shared_first=False)
    if data.columns.group and (places >= 0).any():
        blocks += _by_split("Groups by split", "group", data.groups, places, shared_first=True)
    return blocks


def _by_split(title: str, kind: str, coded: Coded, places: np.ndarray, *, shared_first: bool) -> Document:
    """`places`: `(rows,)` numbers of splits, -1 for none. Names in several splits, or the smallest, come first."""
    counts = np.zeros((len(coded), len(SPLITS) + 1), np.int64)
    known = coded.codes >= 0
    np.add.at(counts, (coded.codes[known], places[known]), 1)
    shared = (counts[:, : len(SPLITS)] > 0).sum(1)
    order = sorted(range(len(coded)), key=lambda name: (-shared[name] if shared_first else 0, counts[name].sum(), name))
    rows = tuple(
        (coded.names[name], *map(str, counts[name]), str(counts[name].sum()), str(shared[name]))
        for name in order[:_ROWS]
    )
    if not rows:
        return ()
    more = len(coded) - len(rows)
    rest = (Paragraph(f"{more} more are not shown."),) if more else ()
    return (Heading(title), Table((kind, *SPLITS, "no split", "clips", "splits it is in"), rows), *rest)


def copies_blocks(audit: Audit) -> Document:
    """Return the pairs that count as copies, and those that a person should listen to."""
    return (
        *_pairs("Near copies", audit.near),
        *_pairs("Alike: listen to these before you trust them to be different", audit.review),
    )


def _pairs(title: str, pairs: tuple[NearPair, ...]) -> Document:
    ordered = sorted(pairs, key=lambda pair: (-pair.similarity, _name(pair.first), _name(pair.second)))
    if not ordered:
        return ()
    rows = tuple(
        (_name(pair.first), _name(pair.second), f"{pair.similarity:.3f}", pair.transform) for pair in ordered[:_ROWS]
    )
    more = len(ordered) - len(rows)
    rest = (Paragraph(f"{more} more are not shown."),) if more else ()
    return (Heading(title), Table(("clip", "other clip", "similarity", "how they differ"), rows), *rest)


def _name(region: Region) -> str:
    stop = "" if region.stop_seconds is None else f"{region.stop_seconds:g}"
    part = f" from {region.start_seconds:g} to {stop or 'the end'} s" if region.start_seconds or stop else ""
    return f"{region.file.name}{part}"
