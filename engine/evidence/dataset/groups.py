"""Facts about speakers, recordings or whatever the group column holds; unknown without one."""

from __future__ import annotations

import numpy as np

from knowledge.records import Fact, Measured

from .alike_names import alike_names
from .columns import listed
from .counting import counted, measured, unknown, where
from .records import Dataset, Row

_NAMES = (
    "dataset.groups dataset.effective_groups dataset.smallest_group_clips dataset.rows_without_group "
    "dataset.respelled_groups dataset.similar_groups"
)


def no_group_reason(dataset: Dataset) -> str:
    """Say why nothing is known about groups."""
    columns = listed(dataset.header)
    return f"no group column (speaker, recording, ...) among {columns}; name it with --group"


def measure_groups(dataset: Dataset) -> Measured:
    """Return how many groups there are, how even they are, and rows whose group is missing or spelled otherwise."""
    if dataset.columns.group is None:
        return Measured(unknown=unknown(_NAMES, no_group_reason(dataset)))
    groups = dataset.groups
    if not len(groups):
        return Measured(unknown=unknown(_NAMES, f"the column {dataset.columns.group} is empty"))
    counts = groups.counts
    n = int(counts.sum())
    order = np.argsort(-counts, kind="stable")[:5]
    biggest = [f"{groups.names[number]}: {counts[number]} rows" for number in order]

    def say(row: Row) -> str:
        return f"{dataset.written(row, 'group')!r} elsewhere {groups.names[groups.codes[row.place]]!r}"

    return Measured(
        (
            measured("dataset.groups", len(groups), n, biggest),
            measured("dataset.effective_groups", float(n * n / (counts.astype(float) ** 2).sum()), n),
            measured("dataset.smallest_group_clips", int(counts.min()), n),
            counted(dataset, "dataset.rows_without_group", where(groups.codes < 0), len(dataset), "no group"),
            counted(dataset, "dataset.respelled_groups", where(groups.respelled & (groups.codes >= 0)), n, say),
            _similar(dataset, n),
        )
    )


def _similar(dataset: Dataset, n: int) -> Fact:
    """Pairs of names that one slip of the pen parts; the rows shown are those of the rarer name."""
    groups, counts = dataset.groups, dataset.groups.counts
    pairs = alike_names(groups.keys)
    rarer = {min(pair, key=lambda number: (counts[number], -number)): pair for pair in pairs}
    rows = where(np.isin(groups.codes, list(rarer)))
    first = rows[np.sort(np.unique(groups.codes[rows], return_index=True)[1])]

    def say(row: Row) -> str:
        one, other = rarer[int(groups.codes[row.place])]
        rest = other if one == groups.codes[row.place] else one
        return f"{groups.names[groups.codes[row.place]]!r}, and elsewhere {groups.names[rest]!r} ({counts[rest]} rows)"

    return counted(dataset, "dataset.similar_groups", rows, n, say, len(pairs), telling=first)
