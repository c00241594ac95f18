"""Folders of class folders, with and without split folders."""

from pathlib import Path

import pytest

from engine.evidence.dataset import read_dataset
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


def test_split_folders_hold_class_folders(tmp_path: Path) -> None:
    for name in ("train/dog/1.wav", "valid/cat/1.wav", "test/dog/3.wav"):
        write_wav(tmp_path / name)

    rows = read_dataset(tmp_path).rows

    assert [(row.split, row.label) for row in rows] == [("test", "dog"), ("train", "dog"), ("val", "cat")]


def test_a_folder_without_class_folders_names_a_manifest_that_is_there(tmp_path: Path) -> None:
    write_wav(tmp_path / "loose.wav")
    (tmp_path / "clips.csv").write_text("path,label\nloose.wav,x\n")

    with pytest.raises(InputError, match="no audio file in a class folder") as caught:
        read_dataset(tmp_path)

    assert "clips.csv" in caught.value.hint


def test_a_folder_has_no_other_columns(tmp_path: Path) -> None:
    write_wav(tmp_path / "dog/1.wav")

    with pytest.raises(UsageError, match="there is no column 'speaker' for the group; the columns are path, label"):
        read_dataset(tmp_path, group="speaker")


def test_a_folder_has_no_orphans_and_no_groups(tmp_path: Path) -> None:
    for seed, name in enumerate(("dog/1.wav", "cat/1.wav")):
        write_wav(tmp_path / name, seed=seed)

    found = measure(tmp_path)

    assert (found["dataset.clips"], found["dataset.classes"], found["dataset.orphan_files"]) == (2, 2, None)
    assert "no group column" in found.reason("dataset.groups")
