"""Every kind of manifest tells of the same four clips, and none is mistaken for another."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.evidence.dataset import Dataset, Region, propose_split, read_dataset, scan_clips, write_manifest
from engine.evidence.dataset.readers import text
from engine.evidence.dataset.readers.split_names import split_in
from engine.evidence.dataset.repair import SplitShares
from knowledge.errors import InputError

from ..sets import write_wav

CLIPS = [("train", "s1", "yes"), ("train", "s1", "no"), ("dev", "s2", "yes"), ("test", "s3", "no")]
"""Split, speaker and label of the clips 0 to 3."""


def _audio(folder: Path) -> list[Path]:
    return [write_wav(folder / f"audio/{n}.wav", 0.2, seed=n) for n in range(len(CLIPS))]


def _jsonl(path: Path, records: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(record) + "\n" for record in records)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, "utf-8")
    return path


def nemo(folder: Path) -> Path:
    files = _audio(folder)
    records = [
        {"audio_filepath": str(file), "duration": 0.2, "label": label, "speaker": speaker, "split": split}
        for file, (split, speaker, label) in zip(files, CLIPS, strict=True)
    ]
    return _jsonl(folder / "manifest.json", records)


def metadata_jsonl(folder: Path) -> Path:
    _audio(folder)
    for split in ("train", "dev", "test"):
        (folder / split).mkdir()
    files = {n: f"{split}/{n}.wav" for n, (split, _, _) in enumerate(CLIPS)}
    for n, name in files.items():
        (folder / "audio" / f"{n}.wav").rename(folder / name)
    for split in ("train", "dev", "test"):
        records = [
            {"file_name": f"{n}.wav", "label": label, "speaker": speaker, "tags": ["a", "b"]}
            for n, (own, speaker, label) in enumerate(CLIPS)
            if own == split
        ]
        _jsonl(folder / split / "metadata.jsonl", records)
    return folder


def metadata_csv(folder: Path) -> Path:
    _audio(folder)
    rows = [f"audio/{n}.wav,{label},{speaker},{split}\n" for n, (split, speaker, label) in enumerate(CLIPS)]
    (folder / "metadata.csv").write_text("file_name,label,speaker,split\n" + "".join(rows))
    return folder


def kaldi(folder: Path) -> Path:
    files = _audio(folder)
    for split in ("train", "dev", "test"):
        own = [(f"utt{n}", n, *clip[1:]) for n, clip in enumerate(CLIPS) if clip[0] == split]
        (folder / "data" / split).mkdir(parents=True)
        tables = {
            "wav.scp": [f"{name} {files[n]}" for name, n, _, _ in own],
            "utt2spk": [f"{name} {speaker}" for name, _, speaker, _ in own],
            "utt2label": [f"{name} {label}" for name, _, _, label in own],
            "text": [f"{name} SAY {label.upper()}" for name, _, _, label in own],
            "spk2gender": ["s1 f", "s2 m", "s3 f"],
        }
        for name, lines in tables.items():
            (folder / "data" / split / name).write_text("\n".join(lines) + "\n")
    return folder / "data"


def lhotse(folder: Path) -> Path:
    files = _audio(folder)
    for split in ("train", "dev", "test"):
        own = [(n, *clip[1:]) for n, clip in enumerate(CLIPS) if clip[0] == split]
        recordings = [
            {"id": f"r{n}", "sources": [{"type": "file", "channels": [0], "source": str(files[n])}],
             "sampling_rate": 8000, "num_samples": 1600, "duration": 0.2}
            for n, _, _ in own
        ]  # fmt: skip
        supervisions = [
            {"id": f"u{n}", "recording_id": f"r{n}", "start": 0.05, "duration": 0.1, "channel": 0,
             "speaker": speaker, "text": f"say {label}", "custom": {"label": label}}
            for n, speaker, label in own
        ]  # fmt: skip
        _jsonl(folder / "manifests" / f"voices_recordings_{split}.jsonl.gz", recordings)
        _jsonl(folder / "manifests" / f"voices_supervisions_{split}.jsonl.gz", supervisions)
    return folder / "manifests"


def audformat(folder: Path) -> Path:
    _audio(folder)
    (folder / "db.yaml").write_text(
        "name: voices\n"
        "splits: {train: {type: train}, dev: {type: dev}, test: {type: test}}\n"
        "tables:\n"
        + "".join(f"  {split}: {{type: filewise, split_id: {split}}}\n" for split in ("train", "dev", "test"))
        + "  misc: {type: misc}\n"
    )
    for split in ("train", "dev", "test"):
        own = [(n, *clip[1:]) for n, clip in enumerate(CLIPS) if clip[0] == split]
        rows = [f"audio/{n}.wav,{speaker},{label}\n" for n, speaker, label in own]
        (folder / f"db.{split}.csv").write_text("file,speaker,label\n" + "".join(rows))
    return folder


def parquet_with_sound(folder: Path) -> Path:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet

    sounds = [{"bytes": file.read_bytes(), "path": f"../odd/{file.name}"} for file in _audio(folder / "elsewhere")]
    audio = pa.array(sounds, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    columns = {name: [clip[place] for clip in CLIPS] for place, name in enumerate(("split", "speaker", "label"))}
    pyarrow.parquet.write_table(pa.table({**columns, "audio": audio}), folder / "sound.parquet")
    shutil.rmtree(folder / "elsewhere")
    return folder / "sound.parquet"


def test_sound_inside_parquet_is_laid_out_once_and_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONMEISTER_CACHE", str(tmp_path / "cache"))
    file = parquet_with_sound(tmp_path)
    dataset = read_dataset(file)
    assert [row.region is not None for row in dataset.rows] == [True] * len(CLIPS)
    assert all((tmp_path / "cache") in row.region.file.parents for row in dataset.rows if row.region is not None)
    assert "laid out as 4 files" in dataset.kind and not dataset.notes
    written = {each: each.stat().st_mtime_ns for each in (tmp_path / "cache").rglob("*.wav")}
    assert len(written) == len(CLIPS)
    read_dataset(file)
    assert {each: each.stat().st_mtime_ns for each in (tmp_path / "cache").rglob("*.wav")} == written


def test_a_manifest_that_is_read_alone_lays_out_no_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONMEISTER_CACHE", str(tmp_path / "cache"))
    dataset = read_dataset(parquet_with_sound(tmp_path), with_sound=False)
    assert len(dataset) == len(CLIPS) and not (tmp_path / "cache").exists()
    assert any("not read" in note for note in dataset.notes)


def parquet(folder: Path) -> Path:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet

    files = _audio(folder)
    columns = {
        "audio": [{"bytes": None, "path": str(file)} for file in files],
        "label": [label for _, _, label in CLIPS],
        "speaker": [speaker for _, speaker, _ in CLIPS],
        "split": [split for split, _, _ in CLIPS],
    }
    audio = pa.array(columns["audio"], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    table = pa.table({**columns, "audio": audio})
    pyarrow.parquet.write_table(table, folder / "clips.parquet")
    return folder / "clips.parquet"


FORMATS: list[tuple[Callable[[Path], Path], str]] = [
    (nemo, "JSON Lines"),
    (metadata_jsonl, "audio folder"),
    (metadata_csv, "audio folder"),
    (kaldi, "Kaldi directory"),
    (lhotse, "lhotse manifests"),
    (audformat, "audformat"),
    (parquet, "Arrow"),
]


def read(make: Callable[[Path], Path], folder: Path) -> Dataset:
    manifest = make(folder)
    return read_dataset(manifest, label="custom.label" if make is lhotse else None)


@pytest.mark.parametrize(("make", "kind"), FORMATS)
def test_every_format_tells_the_same(tmp_path: Path, make: Callable[[Path], Path], kind: str) -> None:
    dataset = read(make, tmp_path)
    told = {
        (row.file.name, {"dev": "val"}.get(split, split), speaker, label)
        for row, (split, speaker, label) in zip(
            sorted(dataset.rows, key=lambda row: str(row.file and row.file.name)), CLIPS, strict=True
        )
        if row.file is not None and (row.split, row.group, row.label)
    }

    assert dataset.kind == kind
    assert {(row.file.name, row.split, row.group, row.label) for row in dataset.rows if row.file} == told
    assert len(told) == 4


@pytest.mark.parametrize(("make", "kind"), FORMATS)
def test_every_format_can_be_decoded(tmp_path: Path, make: Callable[[Path], Path], kind: str) -> None:
    dataset = read(make, tmp_path)
    clips = scan_clips(dataset.regions, workers=1).clips

    assert [clip.unreadable for clip in clips.values()] == [""] * 4
    expected = 0.1 if make is lhotse else 0.2
    assert all(clip.duration_seconds == pytest.approx(expected) for clip in clips.values())


def test_segments_and_channels_become_regions(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "long.wav", 3.0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/wav.scp").write_text(f"rec1 {file}\nrec2 sox in.sph -t wav - |\n")
    (tmp_path / "data/segments").write_text("u1 rec1 0.5 1.25\nu2 rec1 1.25 3\nu3 rec2 0 1\n")
    dataset = read_dataset(tmp_path / "data")

    assert [row.region for row in dataset.rows] == [Region(file, 0.5, 1.25), Region(file, 1.25, 3.0), None]
    assert dataset.columns.session == "recording"
    assert dataset.notes == (
        f"{tmp_path / 'data/wav.scp'}: 1 entries are commands, which are not run; write their sound to files",
    )
    clips = scan_clips(dataset.regions, workers=1).clips
    assert [clip.duration_seconds for clip in clips.values()] == pytest.approx([0.75, 1.75])


def test_cuts_hold_their_recording(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "long.wav", 2.0)
    cut = {
        "id": "c1", "start": 0.5, "duration": 1.0, "channel": 0, "type": "MonoCut",
        "supervisions": [{"id": "s", "recording_id": "r", "start": 0, "duration": 1.0, "speaker": "anna"}],
        "recording": {"id": "r", "sources": [{"type": "file", "channels": [0], "source": str(file)}], "duration": 2.0},
    }  # fmt: skip
    mixed = {"id": "c2", "type": "MixedCut", "tracks": []}
    dataset = read_dataset(_jsonl(tmp_path / "cuts.jsonl.gz", [cut, mixed]))

    (row,) = dataset.rows
    assert (row.region, row.group) == (Region(file, 0.5, 1.5), "anna")
    assert dataset.notes == ("cuts without a recording (mixed or padded): 1 are not read",)


def test_the_real_kaldi_directories(test_data: Path) -> None:
    dataset = read_dataset(test_data / "audio/speechocean762/kaldi")

    assert dataset.kind == "Kaldi directory"
    assert (len(dataset), dataset.task) == (250, "regression")
    assert all(row.file is not None and row.file.suffix == ".flac" for row in dataset.rows)
    assert {row.split for row in dataset.rows} == {"train", "test"}
    assert len(dataset.groups) == 25


def test_audformat_times_are_seconds(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", 2.0)
    (tmp_path / "db.yaml").write_text("name: x\ntables: {t: {type: segmented}}\n")
    (tmp_path / "db.t.csv").write_text(
        "file,start,end,emotion\n"
        "a.wav,0 days 00:00:00.500000,0 days 00:00:01.250000,joy\n"
        "a.wav,0 days 00:00:01.25,NaT,fear\n"
    )
    dataset = read_dataset(tmp_path)

    assert [row.region for row in dataset.rows] == [
        Region(tmp_path / "a.wav", 0.5, 1.25),
        Region(tmp_path / "a.wav", 1.25, None),
    ]
    assert [row.label for row in dataset.rows] == ["joy", "fear"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.jsonl", b'{"audio_filepath": "a.wav"}\n{"audio_filepath": \n', r"m\.jsonl:2: not JSON"),
        ("m.jsonl", b'["a.wav"]\n', r"m\.jsonl:0: expected a JSON object, got str"),
        ("m.jsonl", b"", r"is empty, expected one JSON object a clip"),
        ("m.jsonl", b'{"audio_filepath": "caf\xe9"}\n', r"m\.jsonl:1: byte 0xe9 is not UTF-8"),
        ("m.jsonl.gz", b"no gzip at all", r"m\.jsonl\.gz: Not a gzipped file"),
        ("m.jsonl.gz", gzip.compress(b'{"audio_filepath": "a.wav"}\n' * 9, mtime=0)[:-12], r"m\.jsonl\.gz: "),
        ("m.jsonl", b" " * (9 << 20), r"a line of more than 8 MiB"),
        ("m.jsonl", b"[" * 100_000, r"not JSON"),
        ("db.yaml", b"tables: [1]\n", r"no `tables`, expected the header of an audformat database"),
        ("db.yaml", b"a: &a [1]\nb: [*a, *a]\ntables: {}\n", r"aliases are not read"),
        ("db.yaml", b"tables: {t: {type: filewise}}\n", r"read as audformat, it holds no clip"),
        ("m.parquet", b"PAR1 and nothing else PAR1", r"cannot be read as parquet"),
        ("m.arrow", b"ARROW1 and nothing", r"cannot be read as arrow"),
        ("segments", b"u1 rec1 0.5\n", r"no wav.scp found"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_with_its_place(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=message):
        read_dataset(tmp_path / name)


def test_a_file_that_unpacks_without_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_ALWAYS_UNPACKED_BYTES", 1 << 12)
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b'{"audio_filepath": "a.wav"}\n' * 100_000))

    with pytest.raises(InputError, match=r"m\.jsonl\.gz:\d+: unpacks to more than 200 times its size"):
        read_dataset(tmp_path / "m.jsonl.gz")


def test_objects_without_a_value_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{}\n{"audio_filepath": "a.wav", "label": "x"}\n{"tags": []}\n')
    dataset = read_dataset(tmp_path / "m.jsonl")

    assert [row.line for row in dataset.rows] == [2]
    assert dataset.notes == ("no value in 2 rows", "the list tags is not read in 1 rows")


def test_a_word_that_stands_twice_in_a_kaldi_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wav.scp").write_text("u1 a.wav\nu1 b.wav\n")

    with pytest.raises(InputError, match=r"wav\.scp:2: 'u1' stands here and in line 1"):
        read_dataset(tmp_path)


def test_raters_are_columns_that_differ_in_a_number(tmp_path: Path) -> None:
    header = "path,score,rater_1,rater_2,chapter1,chapter2,total_r1,split\n"
    (tmp_path / "m.csv").write_text(header + "a.wav,3.5,3,4,1,2,9,train\nb.wav,2,2,,1,2,9,test\n")

    assert read_dataset(tmp_path / "m.csv").columns.raters == ("rater_1", "rater_2")
    assert read_dataset(tmp_path / "m.csv", raters=("chapter1",)).columns.raters == ("chapter1",)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("train_clean_100", "train"), ("train_nodev", "train"), ("train_dev", "val"),
        ("dev-other", "val"), ("eval_92", "test"), ("voices_cuts_test.jsonl.gz", "test"), ("north", "north"),
    ],
)  # fmt: skip
def test_names_of_directories_mean_splits(name: str, split: str) -> None:
    assert split_in(name) == split


def test_a_repaired_manifest_keeps_parts_of_files(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "long.wav", 8.0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/wav.scp").write_text(f"rec {file}\n")
    spans = [(f"u{n}", f"{n * 0.5} {n * 0.5 + 0.5}", f"s{n % 8}", "xy"[n % 2]) for n in range(16)]
    (tmp_path / "data/segments").write_text("".join(f"{name} rec {span}\n" for name, span, _, _ in spans))
    (tmp_path / "data/utt2spk").write_text("".join(f"{name} {speaker}\n" for name, _, speaker, _ in spans))
    (tmp_path / "data/utt2label").write_text("".join(f"{name} {label}\n" for name, _, _, label in spans))
    dataset = read_dataset(tmp_path / "data", session="")
    scan = scan_clips(dataset.regions, workers=1)
    proposal = propose_split(dataset, scan, shares=SplitShares.parsed("60-20-20", 0.02))
    assert proposal is not None
    again = read_dataset(write_manifest(dataset, proposal, tmp_path / "repaired.csv"))

    assert again.regions == dataset.regions
    assert [row.split for row in again.rows] == list(proposal.splits)


def test_a_name_too_long_for_the_system_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "wav.scp").write_text(f"u1 {'9' * 400}\n")

    assert list(read_dataset(tmp_path).found) == [None]
