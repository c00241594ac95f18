"""Paths that are spelled otherwise on disk are found, and the difference is named."""

import unicodedata
from pathlib import Path

import pytest

from engine.evidence.dataset.paths import PathFinder

from .sets import measure, write_manifest, write_wav

NFC = unicodedata.normalize("NFC", "café")
NFD = unicodedata.normalize("NFD", "café")


@pytest.mark.parametrize(
    ("on_disk", "written", "changes"),
    [
        ("clips/a.wav", "clips/a.wav", ()),
        ("clips/a.wav", "./clips//a.wav", ()),
        ("clips/a.wav", "clips\\a.wav", ("backslash",)),
        ("clips/a.wav", "clips/a.WAV", ("case",)),
        ("clips/a.wav", " clips/a.wav ", ("blank",)),
        (f"clips/{NFC}.wav", f"clips/{NFD}.wav", ("unicode",)),
        (f"{NFD}/a.wav", f"{NFC}/a.wav", ("unicode",)),
        (f"clips/{NFC}.wav", f"clips\\{NFD}.WAV", ("backslash", "case", "unicode")),
        ('clips/x, "y" 音声 #1%20.wav', 'clips/x, "y" 音声 #1%20.wav', ()),
    ],
)
def test_spelling(tmp_path: Path, on_disk: str, written: str, changes: tuple[str, ...]) -> None:
    file = write_wav(tmp_path / on_disk)

    found, said = PathFinder(tmp_path).find(written)

    assert found is not None
    assert found.samefile(file)
    assert said == changes


@pytest.mark.parametrize("written", ["", "  ", "clips", "clips/b.wav", "Clips/a.wav", "clips/a.wav/x", "x" * 5000])
def test_what_names_no_file_is_not_invented(tmp_path: Path, written: str) -> None:
    write_wav(tmp_path / "clips/a.wav")

    assert PathFinder(tmp_path).find(written) == (None, ())


def test_two_lookalikes_are_no_answer(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "A.wav")

    assert PathFinder(tmp_path).find("a.WAV") == (None, ())
    assert PathFinder(tmp_path).find("A.wav") == (tmp_path / "A.wav", ())


def test_absolute_paths_are_found(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav")

    assert PathFinder(tmp_path / "elsewhere").find(str(file)) == (file, ())
    assert PathFinder(tmp_path / "elsewhere").find(str(file.with_suffix(".WAV"))) == (file, ("case",))


def test_files_reached_by_a_detour_are_no_orphans(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "data", "path,label\nclips/a.wav,x\n../data/clips/b.wav,y\n")
    write_wav(tmp_path / "data/clips/c.wav", seed=9)

    assert measure(manifest).fact("dataset.orphan_files").paths == ("clips/c.wav",)
