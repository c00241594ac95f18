"""Folders of class folders, with and without split folders."""

import os
from pathlib import Path

import pytest

from engine.evidence.dataset import read_dataset
from engine.evidence.dataset.readers.folder_walk import MOST_TIMES
from knowledge.errors import InputError, UsageError

from .sets import measure, write_wav


def test_folder_names_are_labels(tmp_path: Path) -> None:
    for name in ("dog/2.wav", "dog/1.WAV", "cat/deep/1.wav", "cat/.hidden.wav", "cat/notes.txt", "loose.wav"):
        write_wav(tmp_path / name)

    dataset = read_dataset(tmp_path)

    assert [(row.path, row.label) for row in dataset.rows] == [
        ("cat/deep/1.wav", "cat"),
        ("dog/1.WAV", "dog"),
        ("dog/2.wav", "dog"),
    ]
    assert (dataset.task, dataset.columns.split, dataset.columns.guessed) == ("classification", None, ())


def test_numbers_of_folders_are_names_and_no_scores(tmp_path: Path) -> None:
    for speaker in range(61, 8500, 300):
        write_wav(tmp_path / str(speaker) / "1.wav")

    assert read_dataset(tmp_path).task == "classification"


def test_folders_below_a_folder_with_most_clips_are_told_of(tmp_path: Path) -> None:
    for name in ("noise/a.wav", "data/no/1.wav", "data/yes/1.wav", "data/yes/2.wav"):
        write_wav(tmp_path / name)

    told = f"3 of 4 clips lie in 2 folders below data (no, yes): where these are the classes, name {tmp_path / 'data'}."
    assert read_dataset(tmp_path).notes == (told,)
    write_wav(tmp_path / "data" / "loose.wav")
    assert read_dataset(tmp_path).notes == ()


def test_tables_of_other_names_in_folders_make_no_audio_folder(tmp_path: Path) -> None:
    for name in ("one/1.wav", "two/1.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "one" / "metadata.csv").write_text("1|what is said|what is said\n")

    assert read_dataset(tmp_path).kind == "folder of class folders"


def test_split_folders_hold_class_folders(tmp_path: Path) -> None:
    for name in ("train/dog/1.wav", "valid/cat/1.wav", "test/dog/3.wav"):
        write_wav(tmp_path / name)

    rows = read_dataset(tmp_path).rows

    assert [(row.split, row.label) for row in rows] == [("test", "dog"), ("train", "dog"), ("val", "cat")]


def test_a_table_beside_loose_clips_is_read(tmp_path: Path) -> None:
    write_wav(tmp_path / "loose.wav")
    (tmp_path / "clips.csv").write_text("path,label\nloose.wav,x\n")
    (tmp_path / "words.csv").write_text("word,count\nno,1\n")

    dataset = read_dataset(tmp_path)

    assert (dataset.kind, dataset.row(0).label) == ("folder with a table, clips.csv, CSV", "x")


def test_tables_that_name_no_clip_are_told_of(tmp_path: Path) -> None:
    write_wav(tmp_path / "loose.wav")
    (tmp_path / "words.csv").write_text("word,count\nno,1\n")

    dataset = read_dataset(tmp_path)

    assert (dataset.kind, len(dataset), dataset.columns.label) == ("folder of clips", 1, None)
    assert dataset.notes == ("Tables beside the clips that name none: words.csv.",)


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("word,count\nno,1\n")

    with pytest.raises(InputError, match="no audio file in a class folder") as caught:
        read_dataset(tmp_path)

    assert "words.csv" in caught.value.hint


def test_a_folder_has_no_other_columns(tmp_path: Path) -> None:
    for name in ("dog/1.wav", "cat/1.wav"):
        write_wav(tmp_path / name)

    with pytest.raises(UsageError, match="there is no column 'speaker' for the group; the columns are path, label"):
        read_dataset(tmp_path, group="speaker")


def test_a_folder_has_no_orphans_and_no_groups(tmp_path: Path) -> None:
    for seed, name in enumerate(("dog/1.wav", "cat/1.wav")):
        write_wav(tmp_path / name, seed=seed)

    found = measure(tmp_path)

    assert (found["dataset.clips"], found["dataset.classes"], found["dataset.orphan_files"]) == (2, 2, None)
    assert "no group column" in found.reason("dataset.groups")


def test_links_to_class_and_split_folders_are_followed(tmp_path: Path) -> None:
    for name in ("elsewhere/dogs/1.wav", "elsewhere/held/cat/2.wav", "data/train/cat/1.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "data/train/dog").symlink_to(tmp_path / "elsewhere/dogs")
    (tmp_path / "data/test").symlink_to("../elsewhere/held")

    dataset = read_dataset(tmp_path / "data")

    rows = [(row.path, row.split, row.label, row.file is not None) for row in dataset.rows]
    assert rows == [
        ("test/cat/2.wav", "test", "cat", True),
        ("train/cat/1.wav", "train", "cat", True),
        ("train/dog/1.wav", "train", "dog", True),
    ]
    assert dataset.notes == ()


def test_links_in_a_circle_and_into_the_kernel_are_named_and_not_followed(tmp_path: Path) -> None:
    write_wav(tmp_path / "dog/1.wav")
    for name, target in (
        ("dog/up", tmp_path),
        ("all", "/"),
        ("dog/me", "me"),
        ("dog/gone", "nowhere"),
        ("proc", "/proc"),
    ):
        (tmp_path / name).symlink_to(target)

    dataset = read_dataset(tmp_path)

    assert [row.path for row in dataset.rows] == ["dog/1.wav"]
    assert sorted(dataset.notes) == [
        "Links to folders that were not followed: all, dog/up: it leads back to a folder that it stands in.",
        "Links to folders that were not followed: proc: it leads to a folder of the kernel.",
    ]


def test_links_that_double_at_every_level_end(tmp_path: Path) -> None:
    write_wav(tmp_path / "level-30/dog/1.wav")
    for level in range(30):  # a thousand million ways to one file
        for side in ("a", "b"):
            (tmp_path / f"level-{level}").mkdir(exist_ok=True)
            (tmp_path / f"level-{level}" / side).symlink_to(tmp_path / f"level-{level + 1}")

    dataset = read_dataset(tmp_path / "level-0")

    assert 1 <= len(dataset) <= MOST_TIMES
    assert f"{MOST_TIMES} links to the same folder come before it" in dataset.notes[0]


def test_files_whose_names_no_manifest_can_hold_are_named_and_left_out(tmp_path: Path) -> None:
    write_wav(tmp_path / "dog/1.wav")
    strange = os.fsencode(tmp_path / "dog") + b"/caf\xe9.wav"  # Latin-1
    Path(os.fsdecode(strange)).write_bytes((tmp_path / "dog/1.wav").read_bytes())

    dataset = read_dataset(tmp_path)

    assert [row.path for row in dataset.rows] == ["dog/1.wav"]
    assert dataset.notes[0].startswith("Files whose names are not UTF-8")


def test_a_row_that_names_no_regular_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "dir.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "m.csv").write_text("path,label\ndir.wav,a\npipe.wav,b\ngone.wav,a\n")

    missing = measure(tmp_path / "m.csv").fact("dataset.missing_files")

    assert ["it is no file" in item.text for item in missing.evidence] == [True, True, False]


def test_folders_of_persons_are_groups_and_the_fields_that_may_be_labels_are_named(tmp_path: Path) -> None:
    """As in RAVDESS."""
    for actor in ("01", "02"):
        for emotion in ("03", "05"):
            for take in ("01", "02"):
                write_wav(tmp_path / f"Actor_{actor}/{emotion}-{take}-{actor}.wav")

    dataset = read_dataset(tmp_path)
    labelled = read_dataset(tmp_path, label="name:1")

    assert (dataset.columns.group, dataset.columns.label, dataset.task) == ("group", None, None)
    assert list(dataset.cells[1]) == ["Actor_01"] * 4 + ["Actor_02"] * 4
    assert dataset.notes == (
        "The folders are named as persons or sessions (Actor_01): they are groups, and no labels.",
        "Nothing is the label. --label takes a field of the paths for it: name:1 (2 values), name:2 (2 values), "
        "name:3 (2 values), folder:1 (2 values).",
    )
    assert (labelled.columns.label, labelled.columns.group, labelled.notes) == ("name:1", "group", dataset.notes[:1])


@pytest.mark.parametrize("names", ["Actor_01 Crowd", "actor singer", "word1 word2", "speaker speaker-1"])
def test_other_folders_are_classes(tmp_path: Path, names: str) -> None:
    for name in names.split():
        write_wav(tmp_path / name / "1.wav")

    assert read_dataset(tmp_path).columns.label == "label"


def test_split_folders_may_hold_folders_of_persons(tmp_path: Path) -> None:
    for name in ("train/spk1", "train/spk2", "test/spk3"):
        write_wav(tmp_path / name / "1.wav")

    dataset = read_dataset(tmp_path)

    assert (dataset.columns.group, dataset.columns.split) == ("group", "split")


def test_one_folder_that_holds_the_class_folders_is_no_class(tmp_path: Path) -> None:
    """As GTZAN's archive unpacks."""
    for name in ("blues", "jazz"):
        write_wav(tmp_path / "Data/genres" / name / "1.wav")

    dataset = read_dataset(tmp_path)

    assert [row.label for row in dataset.rows] == ["blues", "jazz"]
    assert dataset.base == tmp_path / "Data/genres"


@pytest.mark.parametrize("folder", ["", "AudioWAV/"])
def test_clips_that_lie_together_have_fields_for_labels(tmp_path: Path, folder: str) -> None:
    """As in CREMA-D and EmoDB."""
    for name in ("1001_IEO_ANG", "1001_IEO_SAD", "1002_IEO_ANG", "1002_IEO_SAD"):
        write_wav(tmp_path / f"{folder}{name}.wav")

    dataset = read_dataset(tmp_path)
    labelled = read_dataset(tmp_path, label="name:3", group="name:1")

    assert (len(dataset), dataset.columns.label, dataset.kind) == (4, None, "folder of clips")
    assert "name:1 (2 values), name:3 (2 values)" in dataset.notes[-1]
    assert [(row.label, row.group) for row in labelled.rows] == [
        ("ANG", "1001"),
        ("SAD", "1001"),
        ("ANG", "1002"),
        ("SAD", "1002"),
    ]


def test_split_folders_may_hold_the_clips_themselves(tmp_path: Path) -> None:
    for name in ("train/1_ann.wav", "train/2_ann.wav", "test/1_bob.wav", "test/2_bob.wav"):
        write_wav(tmp_path / name)

    dataset = read_dataset(tmp_path, label="name:1")

    assert [(row.label, row.split) for row in dataset.rows] == [
        ("1", "test"),
        ("2", "test"),
        ("1", "train"),
        ("2", "train"),
    ]
