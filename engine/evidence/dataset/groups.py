"""Facts about speakers, recordings or whatever the group column holds; unknown without one."""

from __future__ import annotations

from collections import Counter

from knowledge.records import Measured

from .counting import counted, measured, unknown, usual_spellings
from .leaks import group_key
from .records import Dataset

_NAMES = (
    "dataset.groups dataset.effective_groups dataset.smallest_group_clips dataset.rows_without_group "
    "dataset.respelled_groups"
)


def no_group_reason(dataset: Dataset) -> str:
    """Say why nothing is known about groups."""
    columns = ", ".join(dataset.header)
    return f"no group column (speaker, recording, ...) among {columns}; name it with --group"


def measure_groups(dataset: Dataset) -> Measured:
    """Return how many groups there are, how even they are, and rows whose group is missing or spelled otherwise."""
    if dataset.columns.group is None:
        return Measured(unknown=unknown(_NAMES, no_group_reason(dataset)))
    rows = dataset.rows
    sizes = Counter(group_key(row) for row in rows if row.group)
    n = sum(sizes.values())
    usual = usual_spellings((group_key(row), dataset.written(row, "group")) for row in rows if row.group)
    without = [row for row in rows if not row.group]
    respelled = [row for row in rows if row.group and dataset.written(row, "group") != usual[group_key(row)]]
    biggest = [f"{usual[key]}: {count} rows" for key, count in sizes.most_common(5)]
    return Measured(
        (
            measured("dataset.groups", len(sizes), n, biggest),
            measured("dataset.effective_groups", n * n / sum(count * count for count in sizes.values()), n),
            measured("dataset.smallest_group_clips", min(sizes.values()), n),
            counted("dataset.rows_without_group", without, len(rows), "no group"),
            counted(
                "dataset.respelled_groups",
                respelled,
                n,
                lambda row: f"{dataset.written(row, 'group')!r} elsewhere {usual[group_key(row)]!r}",
            ),
        )
        if sizes
        else (),
        () if sizes else unknown(_NAMES, f"the column {dataset.columns.group} is empty"),
    )
