"""Links rows that must not be parted: same group, same file, same samples; and finds the splits they fall into."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from .clips import Scan
from .near import NearPair
from .near_copies import near_groups
from .records import SPLITS, Dataset, Region, Row, Split, folded


def linked(keys: Sequence[Iterable[Hashable]]) -> list[int]:
    """Return a component number for each item; items that share a key, directly or through others, share a number.

    Union-find with path halving. Components are numbered in the order of their first item.
    """
    parent = list(range(len(keys)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    first: dict[Hashable, int] = {}
    for item, own in enumerate(keys):
        for key in own:
            a, b = root(first.setdefault(key, item)), root(item)
            parent[max(a, b)] = min(a, b)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(item), len(numbers)) for item in range(len(keys))]


def copy_components(dataset: Dataset, scan: Scan, near: Sequence[NearPair] = ()) -> list[int]:
    """Number the rows so that rows on the same file, on exact copies of it, or on a pair of `near`, share a number."""
    groups = near_groups(near)
    return linked([tuple(_copy_keys(row, scan, groups)) for row in dataset.rows])


def leak_components(dataset: Dataset, scan: Scan, near: Sequence[NearPair] = ()) -> list[int]:
    """Number the rows so that those of one group, exact copies, and the pairs of `near`, share a number.

    With a group column, rows without a group are kept together: nobody can say whom they belong to.
    """
    grouped = dataset.columns.group is not None
    groups = near_groups(near)
    keys = [(*_copy_keys(row, scan, groups), *([("group", group_key(row))] if grouped else [])) for row in dataset.rows]
    return linked(keys)


def group_key(row: Row) -> str:
    """Return the group in the form in which two spellings of it are equal; empty without one."""
    return folded(row.group)


def _copy_keys(row: Row, scan: Scan, near: Mapping[Region, int]) -> Iterable[Hashable]:
    yield row.path if row.region is None else row.region
    if row.region is not None and row.region in near:
        yield ("near", near[row.region])
    clip = scan.of(row)
    if clip is not None and not clip.unreadable:  # two empty files are no copies of one another
        yield ("bytes", clip.byte_hash)
        if clip.sample_hash:
            yield ("samples", clip.sample_hash)


def members(components: Sequence[int], rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Return the rows of each component."""
    found: dict[int, list[Row]] = defaultdict(list)
    for number, row in zip(components, rows, strict=True):
        found[number].append(row)
    return dict(found)


def splits_of(rows: Iterable[Row]) -> tuple[Split, ...]:
    """Return the splits that the rows fall into, train before validation before test."""
    there = {row.split for row in rows}
    return tuple(split for split in SPLITS if split in there)
