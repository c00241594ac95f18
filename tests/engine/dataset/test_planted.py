"""Planted faults are all found, by name, and sound sets raise no alarm."""

import re
from pathlib import Path

import pytest

from .sets import REAL, Measurement, Planted, measure, plant

FILE_FAULTS = "missing_file,truncated,corrupt,zero_bytes,no_frames,lfs_pointer,html_page,orphan_file"
ROW_FAULTS = "dup_row,dup_row_split,unicode_nfd,odd_name=8,case_ext,backslash,label_nan,label_spelling"
SET_FAULTS = "exact_dup,pcm_dup,dup_conflict,group_missing,group_alias,group_overlap"
SEEDS = {"fsdd": 4, "esc10": 5, "speechocean762": 4}


@pytest.fixture(scope="module", params=list(REAL))
def planted(
    request: pytest.FixtureRequest, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Planted, Measurement]:
    name = request.param
    faults = f"{FILE_FAULTS},{ROW_FAULTS},{SET_FAULTS}"
    if name == "speechocean762":
        faults += ",score_range=4,sparse_extremes"
    limit = 500 if name == "fsdd" else 0
    made = plant(test_data, name, tmp_path_factory.mktemp(name), faults, SEEDS[name], limit)
    return made, measure(made.manifest)


@pytest.mark.parametrize(
    ("fact", "faults"),
    [
        ("dataset.missing_files", ["missing_file"]),
        ("dataset.unreadable_files", ["corrupt", "zero_bytes", "no_frames", "lfs_pointer", "html_page"]),
        ("dataset.truncated_files", ["truncated"]),
        ("dataset.orphan_files", ["orphan_file"]),
    ],
)
def test_files(planted: tuple[Planted, Measurement], fact: str, faults: list[str]) -> None:
    truth, found = planted

    assert set(found.fact(fact).paths) == truth.paths(*faults)
    assert found[fact] == len(truth.paths(*faults))


def test_each_unreadable_file_has_its_reason(planted: tuple[Planted, Measurement]) -> None:
    truth, found = planted
    reasons = {str(clip.file.relative_to(truth.folder)): clip.unreadable for clip in found.scan.clips.values()}

    for fault, words in (
        ("zero_bytes", "0 bytes"),
        ("lfs_pointer", "Git LFS pointer"),
        ("html_page", "web page"),
        ("no_frames", "no samples"),
        ("corrupt", "libsndfile"),
    ):
        assert all(words in reasons[path] for path in truth.paths(fault)), fault


def test_copies(planted: tuple[Planted, Measurement]) -> None:
    truth, found = planted
    pairs = [fault for fault in truth.truth["faults"] if fault["fault"] in ("exact_dup", "pcm_dup", "dup_conflict")]
    crossing = sum(pair["detail"]["cross_split"] for pair in pairs)

    assert found["dataset.exact_duplicate_clips"] == len(pairs)
    assert set(found.fact("dataset.exact_duplicate_clips").paths) == truth.paths("exact_dup", "pcm_dup", "dup_conflict")
    assert found["dataset.duplicates_across_splits"] == crossing + len(truth.paths("dup_row_split"))
    assert found["dataset.conflicting_duplicates"] == len(truth.paths("dup_conflict")) / 2
    assert found["dataset.duplicate_rows"] == len(truth.paths("dup_row", "dup_row_split"))


def test_paths(planted: tuple[Planted, Measurement]) -> None:
    truth, found = planted
    respelled = [row for row in found.dataset.rows if row.repaired]

    for fault, change in (("unicode_nfd", "unicode"), ("case_ext", "case"), ("backslash", "backslash")):
        rows = [row for row in respelled if row.repaired == (change,)]
        files = {str(row.file.relative_to(truth.folder)) for row in rows if row.file}
        assert files == truth.paths(fault), fault
    assert len(respelled) == len(truth.paths("unicode_nfd", "case_ext", "backslash"))
    odd = {row.path for row in found.dataset.rows if row.file} & truth.paths("odd_name")
    assert odd == truth.paths("odd_name")


def test_labels(planted: tuple[Planted, Measurement]) -> None:
    truth, found = planted

    assert set(found.fact("dataset.empty_labels").paths) == truth.paths("label_nan")
    if truth.truth["numeric"]:
        far = {
            fault["paths"][0] for fault in truth.truth["faults"] if fault["detail"].get("planted") not in (None, "-1")
        }
        assert set(found.fact("dataset.isolated_labels").paths) == far & truth.paths("score_range")
        assert found["dataset.sparse_extreme_clips"] <= 3
    else:
        assert set(found.fact("dataset.respelled_labels").paths) == truth.paths("label_spelling")
        assert found["dataset.classes"] == 10


def test_scores_outside_a_known_scale_are_all_found(planted: tuple[Planted, Measurement]) -> None:
    truth, _ = planted
    if truth.truth["numeric"]:
        found = measure(truth.manifest, scale=(0.0, 10.0))
        assert set(found.fact("dataset.labels_out_of_range").paths) == truth.paths("score_range")


def test_groups_and_overlap_equal_the_truth(planted: tuple[Planted, Measurement]) -> None:
    truth, found = planted
    facts = truth.truth["facts"]

    assert found["dataset.rows"] == facts["rows"]
    assert found["dataset.groups"] == facts["groups"]
    assert found["dataset.overlapping_groups"] == facts["groups_in_several_splits"]
    assert set(found.fact("dataset.rows_without_group").paths) == truth.paths("group_missing")
    moved = truth.paths("group_overlap")
    listed = set(found.fact("dataset.leaked_test_clips").paths)
    assert moved <= listed | truth.paths("group_missing", "orphan_file", *ROW_FAULTS.replace("=8", "").split(","))


def test_shares_of_leaked_clips_add_up(planted: tuple[Planted, Measurement]) -> None:
    _, found = planted
    rows = found.dataset.rows
    trained = {row.group.strip().casefold() for row in rows if row.split == "train" and row.group}
    by_group = sum(row.split == "test" and row.group.strip().casefold() in trained for row in rows)

    assert found["dataset.leaked_test_clips"] >= by_group
    assert found["dataset.leaked_test_share"] == found["dataset.leaked_test_clips"] / found["dataset.test_clips"]


@pytest.mark.parametrize("name", list(REAL))
def test_a_sound_set_raises_no_alarm(test_data: Path, tmp_path: Path, name: str) -> None:
    made = plant(test_data, name, tmp_path, "none", SEEDS[name], 400 if name == "fsdd" else 0)

    found = measure(made.manifest)

    for fact in found.measured.facts:
        counts_faults = isinstance(fact.value, int) and fact.name.rpartition(".")[2] not in (
            "sample_rates",
            "channels_max",
        )
        counts_faults = counts_faults and not re.search("suspects|review", fact.name)  # a ranking has a top in any set
        assert not (fact.paths and counts_faults), fact.name
    assert found["dataset.label_split_p"] is None or found["dataset.label_split_p"] > 0.01
