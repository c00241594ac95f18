"""Manifests: columns guessed and named, line numbers, and errors that say what to do."""

from pathlib import Path

import pytest

from engine.evidence.dataset import read_dataset
from knowledge.errors import InputError, UsageError

from .sets import write_manifest, write_wav


def test_columns_are_guessed_by_name_and_content(tmp_path: Path) -> None:
    text = "file_name,Class,Speaker-ID,subset,fold,note\na.wav,x,s1,dev,1,hm\nb.wav,y,s2,training,2,hm\n"

    dataset = read_dataset(write_manifest(tmp_path, text))

    columns = dataset.columns
    assert (columns.path, columns.label, columns.group) == ("file_name", "Class", "Speaker-ID")
    assert (columns.split, columns.fold) == ("subset", "fold")
    assert columns.guessed == ("path", "label", "group", "split", "fold")
    assert [(row.path, row.label, row.group, row.split, row.fold, row.line) for row in dataset.rows] == [
        ("a.wav", "x", "s1", "val", "1", 2),
        ("b.wav", "y", "s2", "train", "2", 3),
    ]


def test_named_columns_overrule_guesses(tmp_path: Path) -> None:
    text = "path,label,score,speaker,room\na.wav,x,1.5,s1,r1\nb.wav,y,2.5,s2,r2\n"

    columns = read_dataset(write_manifest(tmp_path, text), label="score", group="room").columns

    assert (columns.label, columns.group, columns.guessed) == ("score", "room", ("path",))


def test_a_column_that_cannot_play_its_part_is_not_guessed(tmp_path: Path) -> None:
    text = "path,label,speaker,split\na.wav,x,only,1\nb.wav,y,only,2\n"

    columns = read_dataset(write_manifest(tmp_path, text)).columns

    assert columns.group is None  # one group parts nothing
    assert columns.split is None  # these are folds, not names of splits


def test_the_path_column_is_found_by_what_it_holds(tmp_path: Path) -> None:
    dataset = read_dataset(write_manifest(tmp_path, "id,recorded\n1,a.wav\n2,b.wav\n"))

    assert dataset.columns.path == "recorded"
    assert dataset.columns.label is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("path\tlabel\na.wav\tx\n", "m.tsv"),
        ("path;label\na.wav;x\n", "m.csv"),
        ("path,label\r\na.wav,x\r\n", "m.csv"),
        ("path,label\n\na.wav,x\n\n", "m.csv"),
    ],
)
def test_delimiter_line_ends_and_blank_lines_do_not_matter(tmp_path: Path, text: str, name: str) -> None:
    dataset = read_dataset(write_manifest(tmp_path, text, name))

    assert [(row.label, row.file) for row in dataset.rows] == [("x", tmp_path / "a.wav")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "m.csv").write_bytes(b"\xef\xbb\xbfpath,label\na.wav,x\n")

    assert read_dataset(tmp_path / "m.csv").header == ("path", "label")


def test_lone_quotes_in_a_tab_separated_file_are_text(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "m.tsv").write_text('path\tsentence\tlabel\na.wav\t"Well\tx\na.wav\tfine" she\ty\n')

    assert [row.label for row in read_dataset(tmp_path / "m.tsv").rows] == ["x", "y"]


def test_a_quoted_field_over_two_lines_keeps_line_numbers_right(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text('path,label,text\na.wav,x,"two\nlines"\nb.wav,y,one,more\n')

    with pytest.raises(InputError, match=r"m\.csv:4: 4 fields, expected 3 as in the header"):
        read_dataset(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty, expected a header line"),
        (b"path,label\n", r":1: a header and no rows"),
        (b"path,label,label\na.wav,x,y\n", r"the column 'label' stands twice"),
        (b"path,label\na.wav,caf\xe9\n", r":2: byte 0xe9 is not UTF-8"),
        (b'path,label\na.wav,"x\n', r"m\.csv:2: unexpected end of data"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.csv").write_bytes(content)

    with pytest.raises(InputError, match=message):
        read_dataset(tmp_path / "m.csv")


def test_a_missing_manifest_names_its_neighbours(tmp_path: Path) -> None:
    write_manifest(tmp_path, "path,label\na.wav,x\n", "metadata.csv")

    with pytest.raises(InputError, match="no such manifest") as caught:
        read_dataset(tmp_path / "manifest.csv")

    assert "metadata.csv" in caught.value.hint


def test_an_unknown_column_is_refused_with_the_known_and_the_nearest(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label,speaker\na.wav,x,s1\n")

    with pytest.raises(
        UsageError, match="no column 'speeker' for the group; the columns are path, label, spea"
    ) as caught:
        read_dataset(manifest, group="speeker")

    assert caught.value.hint == "Did you mean speaker?"


def test_a_split_column_without_names_of_splits_is_refused(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label,part\na.wav,x,north\nb.wav,y,south\n")

    with pytest.raises(UsageError, match="no value of the column 'part' names a split"):
        read_dataset(manifest, split="part")


def test_a_manifest_without_any_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column can be the path of the clips; the columns are id, label"):
        read_dataset(write_manifest(tmp_path, "id,label\n1,x\n"))


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([str(n % 10) for n in range(60)], "classification"),
        ([str(n) for n in range(60)], "classification"),  # counts up from 0: class numbers
        ([f"{n:03d}" for n in range(10, 90)], "classification"),  # leading zeros: names
        ([str(n) for n in range(18, 90, 2)], "regression"),  # ages
        ([f"{n / 10:.1f}" for n in range(10, 50)], "regression"),
        (["1.0", "2.0", "3.0", "4.0", "5.0"] * 4, "classification"),
        (["1.5", "2.0", "2.5"] * 4, "classification"),
        ([*(f"{n / 7:.3f}" for n in range(60)), "?"], "regression"),  # one faulty row among scores
        (["yes", "no"] * 5, "classification"),
        (["", "nan"], None),
    ],
)
def test_the_task_is_proposed_from_the_labels(tmp_path: Path, labels: list[str], task: str | None) -> None:
    (tmp_path / "m.csv").write_text("path,label\n" + "".join(f"{n}.wav,{label}\n" for n, label in enumerate(labels)))

    assert read_dataset(tmp_path / "m.csv").task == task


def test_the_caller_may_say_the_task(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, "path,label\na.wav,1\nb.wav,2\n")

    assert read_dataset(manifest, task="regression").task == "regression"


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.evidence.dataset.readers.delimited.LONGEST_LINE_BYTES", 100)
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,label\n" + "a.wav,b\n" * 100)
    assert len(read_dataset(manifest)) == 100
    manifest.write_text("path,label\na.wav,b\na.wav," + "x" * 200 + "\n")
    with pytest.raises(InputError, match=r"m\.csv:3: a line of more than"):
        read_dataset(manifest)


def test_of_very_many_columns_a_message_names_the_first(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    header = ",".join(f"c{number}" for number in range(5000))
    manifest.write_text(f"{header}\n{',' * 4999}\n")
    with pytest.raises(UsageError, match="c39 and 4960 more") as caught:
        read_dataset(manifest)
    assert len(str(caught.value)) < 1000
