"""Union-find: rows that share a key, directly or through others, are linked; nothing else is."""

from itertools import combinations
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.dataset import components
from engine.evidence.dataset.leaks import copy_components, leak_components

from .sets import measure, write_manifest


def linked(keys: list[list[int]]) -> list[int]:
    """Link by one column a key: 0 where the item has it, -1 where not."""
    columns = [np.array([0 if key in own else -1 for own in keys], dtype=np.int64) for key in range(13)]
    return components.linked(columns, len(keys)).tolist()


KEYS = st.lists(st.lists(st.integers(0, 12), max_size=3), max_size=25)


@given(KEYS)
def test_sharing_a_key_links(keys: list[list[int]]) -> None:
    numbers = linked(keys)

    for a, b in combinations(range(len(keys)), 2):
        if set(keys[a]) & set(keys[b]):
            assert numbers[a] == numbers[b]


@given(KEYS)
def test_only_a_chain_of_shared_keys_links(keys: list[list[int]]) -> None:
    reached = [set(own) for own in keys]
    for _ in keys:  # a closure by brute force: grow each set of keys until nothing changes
        for a, b in combinations(range(len(keys)), 2):
            if reached[a] & reached[b]:
                reached[a] = reached[b] = reached[a] | reached[b]

    numbers = linked(keys)

    for a, b in combinations(range(len(keys)), 2):
        assert (numbers[a] == numbers[b]) == bool(reached[a] & reached[b])


@given(KEYS)
def test_components_are_numbered_in_order_without_gaps(keys: list[list[int]]) -> None:
    numbers = linked(keys)

    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


@given(KEYS, st.randoms())
def test_the_order_of_the_items_does_not_matter(keys: list[list[int]], random: object) -> None:
    order = list(range(len(keys)))
    random.shuffle(order)  # type: ignore[attr-defined]
    numbers, shuffled = linked(keys), linked([keys[place] for place in order])

    for a, b in combinations(range(len(keys)), 2):
        assert (numbers[order[a]] == numbers[order[b]]) == (shuffled[a] == shuffled[b])


def test_a_copy_joins_two_speakers(tmp_path: Path) -> None:
    manifest = write_manifest(
        tmp_path, "path,label,speaker\na.wav,x,s1\nb.wav,x,s2\nc.wav,x,s3\nd.wav,x,S3\ne.wav,x,\nf.wav,x,\n"
    )
    (tmp_path / "b.wav").write_bytes((tmp_path / "a.wav").read_bytes())
    found = measure(manifest)

    assert copy_components(found.dataset, found.scan).tolist() == [0, 0, 1, 2, 3, 4]
    assert leak_components(found.dataset, found.scan).tolist() == [
        0,
        0,
        1,
        1,
        2,
        2,
    ]  # no speaker: together
    assert found["dataset.leak_groups"] == 3


def test_files_that_are_no_audio_are_no_copies(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label\na.wav,x\nb.wav,y\n")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")

    found = measure(manifest)

    assert (found["dataset.unreadable_files"], found["dataset.exact_duplicate_clips"]) == (2, 0)


def test_a_long_chain_takes_few_rounds() -> None:
    """Row n shares one name with row n - 1 and another with row n + 1: the worst case for passing numbers on."""
    n = 100_001
    left, right = (np.arange(n) // 2, (np.arange(n) + 1) // 2)

    assert set(components.linked([left, right], n).tolist()) == {0}
    assert len(set(components.linked([left], n).tolist())) == 50_001


def test_members_are_the_rows_of_each_shared_number() -> None:
    parts = components.members(np.array([0, 1, 0, 2, 1, 0]))

    assert [part.tolist() for part in parts] == [[0, 2, 5], [1, 4]]
    assert components.members(np.zeros(0, dtype=np.int64)) == []
