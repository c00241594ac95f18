"""Trees of spoken clips as they are published: who speaks and when is told by folders, what is said by text files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.evidence.dataset import read_dataset
from engine.evidence.dataset.readers.detect import read_table
from engine.evidence.dataset.readers.spoken import KIND, read_spoken
from engine.evidence.dataset.readers.table import Table


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return folder


def rows(table: Table | None) -> dict[str, tuple[str, ...]]:
    assert table is not None
    names = [name for name in ("group", "session", "split", "label", "text") if name in table.header]
    cells = zip(*(table.column(name) for name in names), strict=True)
    assert {table.roles[name] for name in names} == set(names)
    return dict(zip(table.column("path"), cells, strict=True))


def test_librispeech(tmp_path: Path) -> None:
    folder = tree(tmp_path, {
        "SPEAKERS.TXT": ";ID |SEX| SUBSET\n84 | F | dev-clean\n",
        "dev-clean/84/121123/84-121123-0000.flac": "", "dev-clean/84/121123/84-121123-0001.flac": "",
        "dev-clean/84/121123/84-121123.trans.txt": "84-121123-0000 GO DO YOU HEAR\n84-121123-0001 BUT WHO\n",
        "train-clean-100/19/198/19-198-0000.flac": "", "train-clean-100/19/227/19-227-0000.flac": "",
        "train-clean-100/19/198/19-198.trans.txt": "19-198-0000 NORTHANGER ABBEY\n",
        "train-clean-100/19/227/19-227.trans.txt": "19-227-0000 IT IS NO WONDER\n",
    })  # fmt: skip

    assert rows(read_table(folder, with_sound=True)) == {
        "dev-clean/84/121123/84-121123-0000.flac": ("84", "121123", "val", "GO DO YOU HEAR"),
        "dev-clean/84/121123/84-121123-0001.flac": ("84", "121123", "val", "BUT WHO"),
        "train-clean-100/19/198/19-198-0000.flac": ("19", "198", "train", "NORTHANGER ABBEY"),
        "train-clean-100/19/227/19-227-0000.flac": ("19", "227", "train", "IT IS NO WONDER"),
    }
    data = read_dataset(folder)
    assert (data.kind, data.columns.label, data.columns.group, data.columns.text) == (KIND, None, "group", "text")
    assert "Nothing is the label; a recogniser learns what is said: --label text." in data.notes
    assert read_dataset(folder, label="text").labels.names[0] == "GO DO YOU HEAR"


def test_libritts_is_read_as_it_is_spoken(tmp_path: Path) -> None:
    folder = tree(tmp_path, {
        f"{speaker}/{chapter}/{speaker}_{chapter}_0.{ending}": text
        for speaker, chapter in (("26", "495"), ("27", "123"))
        for ending, text in (("wav", ""), ("original.txt", "It cost 3 $."), ("normalized.txt", "It cost three.\n"))
    })  # fmt: skip

    assert set(rows(read_spoken(folder)).values()) == {
        ("26", "495", "It cost three."), ("27", "123", "It cost three."),
    }  # fmt: skip


def test_the_microphones_of_vctk_share_a_text_in_another_folder(tmp_path: Path) -> None:
    folder = tree(tmp_path, {
        **{f"wav48/{who}/{who}_001_mic{mic}.flac": "" for who in ("p225", "p226") for mic in (1, 2)},
        **{f"txt/{who}/{who}_001.txt": f"Please call {who}.\n" for who in ("p225", "p226")},
    })  # fmt: skip

    assert rows(read_spoken(folder)) == {
        f"wav48/{who}/{who}_001_mic{mic}.flac": (who, f"Please call {who}.")
        for who in ("p225", "p226")
        for mic in (1, 2)
    }


def test_timit_has_dialects_above_its_speakers_and_one_name_for_all(tmp_path: Path) -> None:
    places = ("TRAIN/DR1/FCJF0", "TRAIN/DR2/MABC1", "TEST/DR1/FAKS0")
    folder = tree(tmp_path, {
        f"{place}/SA1.{ending}": text.format(place[-5:])
        for place in places
        for ending, text in {"WAV": "", "TXT": "0 46797 She had {} suit.\n", "PHN": "0 3050 h#\n"}.items()
    })  # fmt: skip

    assert rows(read_spoken(folder)) == {
        f"{place}/SA1.WAV": (place[-5:], place.split("/")[0].lower(), f"She had {place[-5:]} suit.") for place in places
    }


def test_thchs_says_it_in_the_first_of_three_lines(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"data/A2_0.wav": "", "data/A2_0.wav.trn": "绿 是 阳春\nlv4 shi4\nl v4 sh ix4\n"})

    assert rows(read_spoken(folder)) == {"data/A2_0.wav": ("绿 是 阳春",)}


def test_one_list_of_all_as_in_aishell(tmp_path: Path) -> None:
    folder = tree(tmp_path, {
        "transcript/aishell_transcript_v0.8.txt": "BAC009S0002W0122 而 对 楼市\nBAC009S0764W0121 甚至 出现\n",
        "wav/train/S0002/BAC009S0002W0122.wav": "", "wav/test/S0764/BAC009S0764W0121.wav": "",
    })  # fmt: skip

    assert rows(read_spoken(folder)) == {
        "wav/train/S0002/BAC009S0002W0122.wav": ("S0002", "train", "而 对 楼市"),
        "wav/test/S0764/BAC009S0764W0121.wav": ("S0764", "test", "甚至 出现"),
    }


def test_lists_of_speakers_who_read_the_same_as_in_cmu_arctic(tmp_path: Path) -> None:
    files = {}
    for who in ("bdl", "slt"):
        files[f"{who}/wav/arctic_a0001.wav"] = ""
        files[f"{who}/etc/txt.done.data"] = f'( arctic_a0001 "Author of {who}." )\n'

    assert rows(read_spoken(tree(tmp_path, files))) == {
        f"{who}/wav/arctic_a0001.wav": (who, f"Author of {who}.") for who in ("bdl", "slt")
    }


def test_sessions_of_one_name_are_those_of_their_speakers(tmp_path: Path) -> None:
    files = {}
    for who in ("spk1", "spk2"):
        for take in ("s1", "s2"):
            files |= {f"{who}/{take}/{who}_{take}.wav": "", f"{who}/{take}/{who}_{take}.txt": "hello"}

    found = rows(read_spoken(tree(tmp_path, files)))

    assert [cells[1] for cells in found.values()] == ["spk1/s1", "spk1/s2", "spk2/s1", "spk2/s2"]


def test_a_clip_without_text_stays_and_is_said(tmp_path: Path) -> None:
    table = read_spoken(tree(tmp_path, {"a.wav": "", "b.wav": "", "a.txt": "one", "notes.txt": "a b c"}))

    assert rows(table) == {"a.wav": ("one",), "b.wav": ("",)}
    assert table is not None
    assert table.notes == ("1 clips have no transcript; the first is b.wav.",)


@pytest.mark.parametrize(
    "files",
    [
        {"yes/1.wav": "", "no/2.wav": "", "README.txt": "yes means yes", "testing_list.txt": "yes/1.wav\n"},
        {"rain/1.wav": "", "rain/1.txt": "0.0\t1.5\tdrop\n2\t2.5\tdrop\n", "sea/2.wav": "", "sea/2.txt": "0.0 1.0 a"},
        {"rain/1.wav": "", "rain/1.txt": "0.25", "sea/2.wav": "", "sea/2.txt": "\n"},
        {"rain/1.wav": "", "rain/1.txt": "\udcff", "sea/2.wav": ""},
        {"data/c1.wav": "", "old/c2.wav": "", "results.txt": "c1 99.5% 0.25\nc2 80.0% 0.5\n"},
        {"a/x.wav": "", "b/x.wav": "", "texts/x.txt": "which of them"},
    ],
)
def test_other_texts_are_no_transcripts(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))

    assert read_spoken(tmp_path) is None
    assert read_table(tmp_path, with_sound=True).kind != KIND


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    tree(tmp_path, {"a/1.wav": "", "b/2.wav": ""})
    os.mkfifo(tmp_path / "a" / "1.txt")
    os.mkfifo(tmp_path / "list.txt")

    assert read_spoken(tmp_path) is None
