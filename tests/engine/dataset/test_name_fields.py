"""Fields of file names stand for columns, and the one that tells voices is found by its sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.dataset import read_dataset
from engine.evidence.dataset.name_fields import columns_of_names, is_derived, name_fields, written_header
from knowledge.errors import UsageError

from .sets import measure, write_manifest


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("set/03-01-06-01-02-01-12.wav", ("03", "01", "06", "01", "02", "01", "12")),
        ("0_george_0.wav", ("0", "george", "0")),
        ("1001_DFA_ANG_XX.wav", ("1001", "DFA", "ANG", "XX")),
        ("03a01Fa.wav", ("03", "a", "01", "Fa")),
        ("c1d39ce8_nohash_0.wav", ("c1d39ce8", "nohash", "0")),
    ],
)
def test_names_of_published_sets_fall_into_their_fields(name: str, fields: tuple[str, ...]) -> None:
    assert name_fields([name]) == [fields]


def test_folders_are_counted_from_the_file(tmp_path: Path) -> None:
    assert columns_of_names(["/a/b/1.wav"]) == {"name:1": ("1",), "folder:1": ("b",), "folder:2": ("a",)}


def test_a_field_can_be_the_group_and_the_label(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,split\n1_anna_x.wav,train\n2_bob_y.wav,test\n")
    dataset = read_dataset(manifest, group="name:2", label="name:3")
    assert [(row.group, row.label) for row in dataset.rows] == [("anna", "x"), ("bob", "y")]
    assert dataset.header == ("path", "split", "name:3", "name:2")


def test_in_a_new_manifest_a_field_is_called_by_its_part(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label\n1_anna_x.wav,l\n2_bob_y.wav,m\n")
    both = read_dataset(manifest, group="name:2", label="name:3")
    assert written_header(both) == ["path", "label", "name:3", "group"]  # its own column of labels stays what it is
    alone = read_dataset(write_manifest(tmp_path, "path,split\n1_anna_x.wav,train\n2_b_y.wav,test\n"), label="name:3")
    assert written_header(alone) == ["path", "split", "label"]


def test_a_column_of_that_name_comes_first(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,name:2\n1_anna.wav,said\n2_bob.wav,otherwise\n")
    assert [row.group for row in read_dataset(manifest, group="name:2").rows] == ["said", "otherwise"]


def test_a_field_that_names_have_not_is_refused(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label\n1_anna.wav,x\n2_bob.wav,y\n")
    with pytest.raises(UsageError, match="no field 'name:3'; those of the first are name:1 = 1, name:2 = anna"):
        read_dataset(manifest, group="name:3")


@given(st.lists(st.text(max_size=20), min_size=1, max_size=9))
def test_any_paths_have_fields_of_one_length(paths: list[str]) -> None:
    columns = columns_of_names(paths)
    assert all(len(cells) == len(paths) and is_derived(name) for name, cells in columns.items())


def _fsdd(test_data: Path, folder: Path, header: str, cells: str) -> Path:
    """Three hundred clips of six speakers, with columns of the test's choice."""
    recordings = test_data / "audio" / "fsdd" / "recordings"
    files = [file for file in sorted(recordings.iterdir()) if int(file.stem.split("_")[2]) % 10 == 3]
    lines = [cells.format(file, *file.stem.split("_")) for file in files]
    (folder / "m.csv").write_text("\n".join([header, *lines, ""]))
    return folder / "m.csv"


def test_the_field_that_tells_speakers_is_found_by_its_sound(test_data: Path, tmp_path: Path) -> None:
    found = measure(_fsdd(test_data, tmp_path, "path,label", "{0},{1}"))
    assert (found["dataset.name_group_field"], found["dataset.name_group_values"]) == ("name:2", 6)
    assert found["dataset.name_group_skill"] > 0.7


def test_where_a_column_holds_the_groups_no_name_is_asked(test_data: Path, tmp_path: Path) -> None:
    found = measure(_fsdd(test_data, tmp_path, "path,label,speaker", "{0},{1},{2}"))
    assert (found["dataset.name_group_field"], found["dataset.name_group_skill"]) == ("none", 0)


def test_a_take_tells_nothing(test_data: Path, tmp_path: Path) -> None:
    """The names are those of digit and take alone, as links to the recordings."""
    recordings = test_data / "audio" / "fsdd" / "recordings"
    for file in sorted(recordings.glob("*_theo_*.wav")):
        digit, _, take = file.stem.split("_")
        (tmp_path / digit).mkdir(exist_ok=True)
        (tmp_path / digit / f"{digit}_{int(take) % 5}_{take}.wav").symlink_to(file)
    found = measure(tmp_path)
    assert found["dataset.name_group_skill"] < 0.2


def test_where_nothing_is_the_label_sentences_stand_for_it(test_data: Path, tmp_path: Path) -> None:
    found = measure(_fsdd(test_data, tmp_path, "path,text", "{0},take {3} of {1} by {2}"))
    assert (found["dataset.name_group_field"], found["dataset.name_group_values"]) == ("name:2", 6)
    assert found["dataset.name_group_skill"] > 0.7
    assert found["dataset.condition_label_accuracy"] is None
    assert measure(_fsdd(test_data, tmp_path, "path", "{0}"))["dataset.name_group_field"] is None


def test_of_many_values_a_part_is_asked(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.evidence.dataset.probes.names._MOST_VALUES", 4)
    found = measure(_fsdd(test_data, tmp_path, "path,label", "{0},{1}"))
    assert (found["dataset.name_group_field"], found["dataset.name_group_values"]) == ("name:2", 6)
    assert found["dataset.name_group_skill"] > 0.7
