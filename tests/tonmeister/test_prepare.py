"""`tonmeister prepare`: what it writes, what it says, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest

from tests.engine.dataset.sets import write_wav
from tests.tonmeister.test_cli import run


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four speakers on both sides of the split, one clip twice, one file missing."""
    monkeypatch.setenv("TONMEISTER_CACHE", str(tmp_path / "cache"))
    rows = [f"{n}.wav,{'ab'[n % 2]},s{n % 4},{'train' if n < 18 else 'test'}" for n in range(24)]
    for number in range(24):
        write_wav(tmp_path / f"{number}.wav", 0.4, seed=number)
    (tmp_path / "copy.wav").write_bytes((tmp_path / "0.wav").read_bytes())
    table = tmp_path / "m.csv"
    table.write_text("\n".join(["path,tag,voice,part", *rows, "copy.wav,a,s0,test", "gone.wav,b,s1,test", ""]))
    return table


COLUMNS = ("--label", "tag", "--group", "voice", "--split", "part")


def test_a_copy_is_written_and_what_was_asked_is_in_its_provenance(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.wav")}
    copy = tmp_path / "copy"
    status, out, _ = run(
        capsys, "prepare", str(manifest), "--output", str(copy), "--rate", "4000", "--repair-split", *COLUMNS
    )

    assert status == 0
    assert "24 clips at 4000 Hz" in out
    assert "1 row left out: a copy" in out
    told = json.loads((copy / "provenance.json").read_text())
    assert told["options"] == {"rate": 4000, "repair_split": True, "keep": []}
    assert told["columns"] == {"path": "path", "label": "tag", "group": "voice", "split": "part"}
    assert {one["row"] for one in told["left_out"]} == {"copy.wav", "gone.wav"}
    rows = list(csv.DictReader((copy / "manifest.csv").read_text().splitlines()))
    repaired = next(name for name in rows[0] if name not in ("path", "tag", "voice", "part"))
    sides = {(row["voice"], row[repaired]) for row in rows}
    assert len(sides) == len({voice for voice, _ in sides})
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.wav")} == before


def test_what_is_to_be_kept_stays(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep = ("--keep", "exact-duplicate", "--keep", "duplicate-across-splits")
    status, out, _ = run(capsys, "prepare", str(manifest), "--output", str(tmp_path / "copy"), *keep, *COLUMNS)

    assert status == 0
    assert "25 clips at 8000 Hz" in out
    told = json.loads((tmp_path / "copy/provenance.json").read_text())
    assert told["options"]["keep"] == ["duplicate-across-splits", "exact-duplicate"]


def test_wrong_words_are_refused_before_anything_is_written(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(
        capsys, "prepare", str(manifest), "--output", str(tmp_path / "copy"), "--keep", "hums", *COLUMNS
    )

    assert status == 2
    assert "expected one of the findings" in err
    assert not (tmp_path / "copy").exists()
    status, _, err = run(capsys, "prepare", str(tmp_path / "none.csv"), "--output", str(tmp_path / "copy"))
    assert status == 3
