"""The smallest repair of a split: what it moves, what it leaves out, and that nothing crosses afterwards."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.dataset import Columns, Dataset, NearPair, Region, Scan
from engine.evidence.dataset.clips import Clip
from engine.evidence.dataset.fewest_moves import fewest_moves, measure_moves

Rows = list[tuple[str, str, int, str]]
"""Label, group, number of the sound (equal numbers are exact copies), split."""


def data_set(rows: Rows, *, grouped: bool = True) -> tuple[Dataset, Scan]:
    files = [f"/{n}.wav" for n in range(len(rows))]
    labels, groups, sounds, splits = ([row[part] for row in rows] for part in range(4))
    dataset = Dataset(
        manifest=Path("/m.csv"),
        base=Path("/"),
        kind="CSV",
        header=("path", "label", "speaker", "split"),
        cells=(files, [str(each) for each in labels], [str(each) for each in groups], [str(each) for each in splits]),
        lines=range(2, len(rows) + 2),
        columns=Columns("path", "label", "speaker" if grouped else None, "split"),
        task="classification",
        found=files,
    )
    regions = [Region(Path(file)) for file in files]
    clips = {
        region: Clip(region, f"byte{sound}", f"sample{sound}", "", "", 8000, 1, 800)
        for region, sound in zip(regions, sounds, strict=True)
    }
    return dataset, Scan(clips)


def speakers(splits: dict[str, str], each: int = 4) -> Rows:
    """Clips of speakers, all different; every speaker says x and y."""
    rows: Rows = []
    for name, split in splits.items():
        rows += [("xy"[n % 2], name, 1000 + len(rows) + n, split) for n in range(each)]
    return rows


SIX = {"a": "train", "b": "train", "c": "train", "d": "val", "e": "test", "f": "test"}


def test_a_sound_split_stays() -> None:
    dataset, scan = data_set(speakers(SIX))
    moves = fewest_moves(dataset, scan)
    assert moves is not None
    assert (moves.moved, moves.copies_left_out) == (0, 0)
    assert list(moves.splits) == [row.split for row in dataset.rows]


def test_strayed_clips_of_a_speaker_go_back() -> None:
    rows = speakers(SIX)
    rows[0] = (*rows[0][:3], "test")
    dataset, scan = data_set(rows)
    moves = fewest_moves(dataset, scan)
    assert moves is not None
    assert (moves.splits[0], moves.moved, moves.copies_left_out) == ("train", 1, 0)


def test_of_copies_in_two_groups_the_one_in_test_stays() -> None:
    rows = speakers(SIX)
    rows[0] = ("x", "a", rows[-1][2], "train")
    dataset, scan = data_set(rows)
    moves = fewest_moves(dataset, scan)
    assert moves is not None
    assert (moves.splits[0], moves.splits[-1]) == ("", "test")
    assert (moves.moved, moves.copies_left_out) == (0, 1)


def test_near_copies_count_as_copies() -> None:
    dataset, scan = data_set(speakers(SIX), grouped=False)
    regions = dataset.regions
    moves = fewest_moves(dataset, scan, [NearPair(regions[0], regions[-1], 0.99, "")])
    assert moves is not None
    assert (moves.splits[0], moves.copies_left_out) == ("", 1)


def test_without_a_validation_split_there_is_nothing_to_repair() -> None:
    dataset, scan = data_set(speakers({"a": "train", "b": "test", "c": "train"}))
    assert fewest_moves(dataset, scan) is None
    assert measure_moves(dataset, scan).get("dataset.fewest_moves_share") is None


def test_a_split_that_would_be_emptied_is_no_repair() -> None:
    rows = [*speakers({"a": "train", "b": "train"}), ("x", "a", 1, "val"), ("y", "b", 2, "test")]
    assert fewest_moves(*data_set(rows)) is None


def test_what_the_repair_costs_is_measured() -> None:
    rows = speakers(SIX)
    rows[0] = (*rows[0][:3], "test")
    found = measure_moves(*data_set(rows))
    assert found.get("dataset.fewest_moves_share") == pytest.approx(1 / 24)
    assert found.get("dataset.fewest_moves_distance") == pytest.approx(0.0)
    assert found.get("dataset.fewest_moves_lost_classes") == 0
    assert found.get("dataset.fewest_moves_size_change") == pytest.approx(1 / 24)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("xyz"),
            st.sampled_from(["", *(f"s{n}" for n in range(8))]),
            st.integers(0, 50),
            st.sampled_from(["train", "val", "test"]),
        ),
        min_size=6,
        max_size=60,
    )
)
def test_nothing_crosses_and_test_keeps_its_copies(rows: Rows) -> None:
    moves = fewest_moves(*data_set(rows))
    if moves is None:
        return
    sides: dict[object, set[str]] = defaultdict(set)
    for (_, group, sound, _), split in zip(rows, moves.splits, strict=True):
        if split:
            sides["group", group].add(split)
            sides["sound", sound].add(split)
    assert all(len(splits) == 1 for splits in sides.values())
    left = Counter(split == "" for split in moves.splits)[True]
    assert left == moves.copies_left_out
    assert all(split or row[3] != "test" for row, split in zip(rows, moves.splits, strict=True))
    assert moves == fewest_moves(*data_set(rows))
