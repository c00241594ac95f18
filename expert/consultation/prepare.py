"""The preparation: from an audit to orders for a clean copy. What is left out follows from the remedies of findings.

A finding that `data.drop-rows` helps costs its clips their place, one that `data.drop-copies` helps all but one of each
set; `data.take-loud-channel` and `data.remove-offset` are done to the clips that need them. Where `data.unify-spelling`
helps, labels and groups are written in their usual spelling.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.evidence.dataset.components import members
from engine.evidence.dataset.integrity import usable_rows
from engine.evidence.dataset.leaks import copy_components
from engine.evidence.dataset.prepare import Dropped, Order, Preparation, Prepared, prepare
from knowledge.errors import UsageError

from .audit import Audit

if TYPE_CHECKING:
    from engine.evidence.dataset.clips import Progress

_DROP, _ONE_COPY, _LOUD_CHANNEL, _NO_OFFSET = (
    "data.drop-rows", "data.drop-copies", "data.take-loud-channel", "data.remove-offset",
)  # fmt: skip
_SETTLE, _ONE_SPELLING = "data.settle-labels", "data.unify-spelling"


def plan_preparation(
    audit: Audit, *, sample_rate_hz: int = 0, keep: Collection[str] = (), split: bool = False
) -> Preparation:
    """Decide what a prepared copy holds.

    Args:
        audit: with its audio decoded.
        sample_rate_hz: of the copy; 0 takes the most common rate of the data set.
        keep: findings whose clips stay.
        split: whether the proposed split becomes a column.

    Raises:
        UsageError: the audio was not decoded, nothing is left, no split is proposed, or `keep` names no finding.
    """
    if not audit.scan.clips:
        raise UsageError(f"{audit.dataset.manifest}: no clip was decoded, so nothing can be prepared")
    strange = sorted(set(keep) - {finding.id for finding in audit.session.findings})
    if strange:
        there = ", ".join(sorted(finding.id for finding in audit.session.findings)) or "none"
        raise UsageError(f"--keep got {strange[0]!r}, expected one of the findings: {there}")
    dropped = dict(_dropped(audit, keep))
    loud, level = _paths_helped(audit, _LOUD_CHANNEL, keep), _paths_helped(audit, _NO_OFFSET, keep)
    orders = tuple(
        Order(place, path in loud, path in level)
        for place, path in enumerate(audit.dataset.names)
        if place not in dropped
    )
    if not orders:
        raise UsageError(f"{audit.dataset.manifest}: none of its {len(dropped)} rows is left to be prepared")
    rate = sample_rate_hz or int(audit.session.facts["dataset.sample_rate_hz"].value)
    left_out = tuple(Dropped(place, reason) for place, reason in sorted(dropped.items()))
    asked = {"rate": sample_rate_hz or "the most common", "repair_split": split, "keep": sorted(keep)}
    columns = _split_columns(audit) if split else ()
    return Preparation(orders, left_out, rate, columns, asked, _spellings(audit, keep))


def prepare_dataset(audit: Audit, preparation: Preparation, folder: Path, progress: Progress | None = None) -> Prepared:
    """Write the copy; see `engine.evidence.dataset.prepare`."""
    return prepare(audit.dataset, preparation, folder, progress)


def _dropped(audit: Audit, keep: Collection[str]) -> Iterator[tuple[int, str]]:
    """Rows and why they are left out; a later reason overwrites an earlier one."""
    others = dict(_unfit(audit, keep))
    yield from _copies(audit, keep, others)
    yield from others.items()


def _unfit(audit: Audit, keep: Collection[str]) -> Iterator[tuple[int, str]]:
    """Rows that are left out for what they are themselves, whatever they are copies of."""
    paths = {
        path: finding.id
        for finding in audit.session.findings
        if finding.id not in keep and _DROP in finding.remedies
        for path in finding.paths
    }
    for place, path in enumerate(audit.dataset.names):
        if path in paths:
            yield place, paths[path]
    for place in np.flatnonzero(~usable_rows(audit.dataset, audit.scan)).tolist():
        yield place, _unusable(audit, place)


def _copies(audit: Audit, keep: Collection[str], unfit: Collection[int]) -> Iterator[tuple[int, str]]:
    """All but the first fit one of each set of copies; all of a set whose labels conflict and were not settled."""
    conflicting, copied = _paths_helped(audit, _SETTLE, keep), _paths_helped(audit, _ONE_COPY, keep)
    for places in members(copy_components(audit.dataset, audit.scan, audit.near)):
        first = next((place for place in places.tolist() if place not in unfit), int(places[0]))
        for place in places.tolist():
            path = audit.dataset.names[place]
            if path in conflicting:
                yield place, "its copies carry other labels"
            elif place != first and path in copied:
                yield place, f"a copy of {audit.dataset.names[first]}"


def _unusable(audit: Audit, place: int) -> str:
    row = audit.dataset.row(place)
    if row.region is None:
        return "no such file"
    clip = audit.scan.of(row)
    if clip is None or not clip.usable:
        return (clip.unreadable or clip.truncated or f"only {clip.decoder} reads it") if clip else "not decoded"
    return "no usable label"


def _paths_helped(audit: Audit, remedy: str, keep: Collection[str]) -> frozenset[str]:
    """The clips of findings that this remedy helps."""
    helped = (finding for finding in audit.session.findings if finding.id not in keep and remedy in finding.remedies)
    return frozenset(path for finding in helped for path in finding.paths)


def _spellings(audit: Audit, keep: Collection[str]) -> dict[str, dict[int, str]]:
    """The usual spelling for each row of a listed clip that has another one, by column."""
    listed, data = _paths_helped(audit, _ONE_SPELLING, keep), audit.dataset
    found: dict[str, dict[int, str]] = {}
    for column, coded in ((data.columns.label, data.labels), (data.columns.group, data.groups)):
        if column is None or not listed:
            continue
        other = np.flatnonzero(coded.respelled & (coded.codes >= 0)).tolist()
        usual = {place: coded.names[coded.codes[place]] for place in other if data.names[place] in listed}
        if usual:
            found[column] = usual
    return found


def _split_columns(audit: Audit) -> tuple[tuple[str, tuple[str, ...]], ...]:
    proposal = audit.proposal
    if proposal is None:
        raise UsageError(f"no split is proposed for {audit.dataset.manifest}", hint="Leave out --repair-split.")
    columns: list[tuple[str, tuple[str, ...]]] = [(proposal.split_column, proposal.splits)]
    if proposal.folds:
        columns.append((proposal.fold_column, proposal.folds))
    return tuple(columns)
