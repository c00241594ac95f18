"""A prepared copy holds what can be used, says what was done to each clip, and never touches what was there."""

import csv
import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from engine.evidence.dataset import read_dataset, scan_clips
from engine.evidence.dataset.prepare import Order, Preparation, prepare
from engine.evidence.dataset.prepare_target import refuse_target
from engine.evidence.dataset.records import Dataset
from expert.consultation.audit import audit_dataset
from expert.consultation.prepare import plan_preparation, prepare_dataset
from knowledge.errors import InputError, UsageError
from knowledge.loader import load_knowledge

from .sets import plant, write_wav

RATE = 8000


def _told(folder: Path) -> dict[str, dict[str, Any]]:
    clips = json.loads((folder / "provenance.json").read_text("utf-8"))["clips"]
    return {record["row"]: record for record in clips}


def _orders(*orders: Order, rate: int = RATE) -> Preparation:
    return Preparation(orders, (), rate)


def test_clips_become_mono_at_one_rate(tmp_path: Path) -> None:
    time = np.arange(16000) / 16000
    tone = 0.4 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "stereo.wav", np.stack([tone, 0 * tone], 1), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "anti.wav", np.stack([tone, -tone], 1), 16000)
    soundfile.write(tmp_path / "loud.wav", 3 * tone / 0.4, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "offset.wav", tone[:8000] + 0.1, 8000)
    (tmp_path / "m.csv").write_text("path,label\nstereo.wav,a\nanti.wav,a\nloud.wav,b\noffset.wav,b\n")
    dataset = read_dataset(tmp_path / "m.csv")
    orders = (Order(0, loudest_channel=True), Order(1, loudest_channel=True), Order(2), Order(3, remove_offset=True))

    done = prepare(dataset, _orders(*orders), tmp_path / "copy")

    waves = {}
    for name in ("stereo", "anti", "loud", "offset"):
        waves[name], rate = soundfile.read(tmp_path / f"copy/clips/{name}.wav")
        assert (rate, waves[name].ndim) == (RATE, 1)
    expected = 0.4 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert np.abs(waves["stereo"] - expected)[100:-100].max() < 0.01
    assert np.abs(waves["anti"]).max() > 0.35  # the mean of both channels would be silence
    assert 0.98 < np.abs(waves["loud"]).max() <= 1.0
    assert abs(waves["offset"].mean()) < 1e-3
    assert done.clips == 4
    assert _told(tmp_path / "copy")["anti.wav"]["done"] == ["kept channel 0", "resampled from 16000 to 8000 Hz"]


def test_parts_of_files_become_files(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "long.wav", 2.0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/wav.scp").write_text(f"r {file}\n")
    (tmp_path / "data/segments").write_text("u1 r 0.25 0.75\nu2 r 0.75 2\n")
    (tmp_path / "data/utt2spk").write_text("u1 s1\nu2 s2\n")
    prepare(read_dataset(tmp_path / "data"), _orders(Order(0), Order(1)), tmp_path / "copy")

    again = read_dataset(tmp_path / "copy/manifest.csv")
    clips = scan_clips(again.regions, workers=1).clips
    whole = soundfile.read(file)[0]
    assert [clip.duration_seconds for clip in clips.values()] == [0.5, 1.25]
    assert np.abs(soundfile.read(again.regions[0].file)[0] - whole[2000:6000]).max() < 1e-4
    assert [row.group for row in again.rows] == ["s1", "s2"]
    assert not {"start", "stop"} & set(again.header)


def test_names_are_safe_and_different(tmp_path: Path) -> None:
    names = ["a/x.wav", "b/x.wav", "B/X.wav", "a b/ü&x.wav", "../escape.wav"]
    root = tmp_path / "set"
    for number, name in enumerate(names):
        write_wav(root / name, seed=number)
    (root / "m.csv").write_text("path,label\n" + "".join(f"{name},y\n" for name in names))
    prepare(read_dataset(root / "m.csv"), _orders(*map(Order, range(5))), tmp_path / "copy")

    with (tmp_path / "copy/manifest.csv").open() as stream:
        paths = [row["path"] for row in csv.DictReader(stream)]
    assert paths[:3] == ["clips/a_x.wav", "clips/b_x.wav", "clips/B_X-2.wav"]
    assert len({path.casefold() for path in paths}) == 5
    assert all((tmp_path / "copy" / path).resolve().parent == tmp_path / "copy/clips" for path in paths)


def test_an_interrupted_preparation_goes_on(tmp_path: Path) -> None:
    for number in range(6):
        write_wav(tmp_path / f"{number}.wav", seed=number)
    (tmp_path / "m.csv").write_text("path,label\n" + "".join(f"{number}.wav,x\n" for number in range(6)))
    dataset, wanted = read_dataset(tmp_path / "m.csv"), _orders(*map(Order, range(6)))

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(dataset, wanted, tmp_path / "copy", stop)
    with (tmp_path / "copy/.preparing.jsonl").open("a") as journal:
        journal.write('{"clip": "clips/3')  # what a kill leaves
    with pytest.raises(UsageError, match="was begun with another data set or other options"):
        prepare(dataset, _orders(*map(Order, range(6)), rate=4000), tmp_path / "copy")
    (tmp_path / "0.wav").unlink()  # what was written need not be read again
    done = prepare(dataset, wanted, tmp_path / "copy")

    assert (done.clips, done.resumed) == (6, 3)
    assert not (tmp_path / "copy/.preparing.jsonl").exists()
    assert len(_told(tmp_path / "copy")) == 6


def test_nothing_is_overwritten_and_a_full_disk_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "m.csv").write_text("path,label\na.wav,x\n")
    dataset = read_dataset(tmp_path / "m.csv")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty, expected a new folder"):
        prepare(dataset, _orders(Order(0)), tmp_path / "full")
    monkeypatch.setattr("psutil.disk_usage", lambda _path: type("Usage", (), {"free": 10})())
    with pytest.raises(InputError, match=r"the copy needs 0\.0 MiB, and 0\.0 MiB are free"):
        prepare(dataset, _orders(Order(0)), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_planted_set_comes_out_clean(test_data: Path, tmp_path: Path) -> None:
    faults = (
        "missing_file,truncated,corrupt,zero_bytes,html_page,label_nan,exact_dup=4,dup_row,silent,nonfinite,stereo_dead,"
        "stereo_anti,mixed_rate,dc_offset,over_full_scale,group_overlap"
    )
    made = plant(test_data, "fsdd", tmp_path / "planted", faults, 3, 300)
    before = {path: path.read_bytes() for path in (tmp_path / "planted").rglob("*") if path.is_file()}
    audit = audit_dataset(load_knowledge(), made.manifest, workers=1)
    preparation = plan_preparation(audit, split=True)
    prepare_dataset(audit, preparation, tmp_path / "copy")
    after = audit_dataset(load_knowledge(), tmp_path / "copy/manifest.csv", workers=1)

    found = {finding.id for finding in after.session.findings}
    gone = {
        "missing-file", "truncated-file", "unreadable-file", "empty-label", "exact-duplicate", "duplicate-row",
        "silence", "nonfinite-samples", "dead-channel", "antiphase", "mixed-sample-rate", "dc-offset",
        "over-full-scale", "group-overlap", "duplicate-across-splits",
    }  # fmt: skip
    assert gone <= {finding.id for finding in audit.session.findings}
    assert not gone & found
    assert len(preparation.orders) + len(preparation.dropped) == len(audit.dataset)
    assert {path: path.read_bytes() for path in before} == before


def test_what_to_keep_must_have_been_found(tmp_path: Path) -> None:
    for number in range(3):
        write_wav(tmp_path / f"{number}.wav", 0.5, seed=number)
    (tmp_path / "2.wav").write_bytes((tmp_path / "1.wav").read_bytes())
    (tmp_path / "m.csv").write_text("path,label\n0.wav,x\n1.wav,x\n2.wav,x\n")
    audit = audit_dataset(load_knowledge(), tmp_path / "m.csv", workers=1)

    assert [one.reason for one in plan_preparation(audit).dropped] == ["a copy of 1.wav"]
    kept = plan_preparation(audit, keep=("exact-duplicate",))
    assert kept.dropped == ()
    with pytest.raises(UsageError, match=r"--keep got 'hum', expected one of the findings: .*exact-duplicate"):
        plan_preparation(audit, keep=("hum",))
    with pytest.raises(UsageError, match="no split is proposed"):
        plan_preparation(audit, split=True)
    unheard = audit_dataset(load_knowledge(), tmp_path / "m.csv", decode=False)
    with pytest.raises(UsageError, match="no clip was decoded"):
        plan_preparation(unheard)


def test_a_copy_stays_when_the_first_one_cannot_be_used(tmp_path: Path) -> None:
    for number in range(5):
        write_wav(tmp_path / f"{number}.wav", 0.5, seed=number)
    (tmp_path / "5.wav").write_bytes((tmp_path / "0.wav").read_bytes())
    (tmp_path / "m.csv").write_text("path,label\n0.wav,\n1.wav,x\n2.wav,y\n3.wav,x\n4.wav,y\n5.wav,x\n")
    audit = audit_dataset(load_knowledge(), tmp_path / "m.csv", workers=1)

    assert [(one.place, one.reason) for one in plan_preparation(audit).dropped] == [(0, "no usable label")]


def _interrupted(dataset: Dataset, wanted: Preparation, folder: Path, after: int) -> None:
    def stop(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(dataset, wanted, folder, stop)


def test_repeated_interruptions_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        write_wav(tmp_path / f"{number}.wav", seed=number)
    (tmp_path / "m.csv").write_text("path,label\n" + "".join(f"{number}.wav,x\n" for number in range(6)))
    dataset, wanted, folder = read_dataset(tmp_path / "m.csv"), _orders(*map(Order, range(6))), tmp_path / "copy"

    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("engine.evidence.dataset.prepare._write_clip", stop)
        for _ in range(2):  # before the first clip
            with pytest.raises(KeyboardInterrupt):
                prepare(dataset, wanted, folder)
    _interrupted(dataset, wanted, folder, 2)
    with (folder / ".preparing.jsonl").open("a") as journal:
        journal.write('{"clip": "cl')
    _interrupted(dataset, wanted, folder, 5)

    assert prepare(dataset, wanted, folder).resumed == 5


def test_a_source_that_has_gone_is_an_input_error(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "m.csv").write_text("path,label\na.wav,x\n")
    dataset = read_dataset(tmp_path / "m.csv")
    (tmp_path / "a.wav").unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        prepare(dataset, _orders(Order(0)), tmp_path / "copy")


def test_a_silent_part_of_a_file_costs_no_other_part(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).uniform(-0.3, 0.3, 4 * RATE)
    sound[RATE : 2 * RATE] = 0
    soundfile.write(tmp_path / "long.wav", sound, RATE)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/wav.scp").write_text(f"r {tmp_path / 'long.wav'}\n")
    (tmp_path / "data/segments").write_text("".join(f"u{n} r {n} {n + 1}\n" for n in range(4)))
    audit = audit_dataset(load_knowledge(), tmp_path / "data", workers=1)
    preparation = plan_preparation(audit)

    (silence,) = (finding for finding in audit.session.findings if finding.id == "silence")
    assert silence.paths == (f"{tmp_path / 'long.wav'}#t=1,2",)
    assert [(one.place, one.reason) for one in preparation.dropped] == [(1, "silence")]


def test_gaps_in_nearly_all_clips_are_how_they_were_made(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (6, RATE))
    noise[:5, 3000:3400] = 0  # what a synthesiser writes before a plosive
    for number, sound in enumerate(noise):
        soundfile.write(tmp_path / f"{number}.wav", sound, RATE)
    (tmp_path / "m.csv").write_text("path,label\n" + "".join(f"{number}.wav,x\n" for number in range(6)))
    audit = audit_dataset(load_knowledge(), tmp_path / "m.csv", workers=1)

    (found,) = (finding for finding in audit.session.findings if finding.id == "dropouts")
    assert (found.severity, len(found.paths)) == ("note", 5)
    assert plan_preparation(audit).dropped == ()


def test_labels_and_groups_get_their_usual_spelling(tmp_path: Path) -> None:
    rows = [("x", "ann"), ("x", "ann"), ("X", "ann"), ("y", "bob"), ("y", "bob"), ("y", "BOB")]
    for number in range(len(rows)):
        write_wav(tmp_path / f"{number}.wav", 0.5, seed=number)
    lines = "".join(f"{number}.wav,{label},{speaker}\n" for number, (label, speaker) in enumerate(rows))
    (tmp_path / "m.csv").write_text("path,label,speaker\n" + lines)
    audit = audit_dataset(load_knowledge(), tmp_path / "m.csv", workers=1)

    prepare_dataset(audit, plan_preparation(audit), tmp_path / "copy")
    prepare_dataset(audit, plan_preparation(audit, keep=("label-spelling",)), tmp_path / "kept")

    written = list(csv.DictReader((tmp_path / "copy/manifest.csv").read_text("utf-8").splitlines()))
    assert [row["label"] for row in written] == ["x", "x", "x", "y", "y", "y"]
    assert [row["speaker"] for row in written] == ["ann"] * 3 + ["bob"] * 3
    told = json.loads((tmp_path / "copy/provenance.json").read_text("utf-8"))["respelled"]
    assert [(one["column"], one["line"], one["was"], one["is"]) for one in told] == [
        ("label", 4, "X", "x"),
        ("speaker", 7, "BOB", "bob"),
    ]
    left = csv.DictReader((tmp_path / "kept/manifest.csv").read_text("utf-8").splitlines())
    assert [row["label"] for row in left] == [label for label, _ in rows]


def test_a_disk_that_fills_up_is_named_and_what_was_written_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write_wav(tmp_path / f"{number}.wav", seed=number)
    (tmp_path / "m.csv").write_text("path,label\n" + "".join(f"{number}.wav,x\n" for number in range(4)))
    dataset, wanted, folder = read_dataset(tmp_path / "m.csv"), _orders(*map(Order, range(4))), tmp_path / "copy"
    write_bytes = Path.write_bytes

    def fills_up(path: Path, content: bytes) -> int:
        if path.name.startswith("2"):
            write_bytes(path, content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", fills_up)
        with pytest.raises(InputError, match="cannot be written on: No space left on device") as caught:
            prepare(dataset, wanted, folder)
    assert "goes on where it stopped" in caught.value.hint
    assert sorted(path.name for path in (folder / "clips").iterdir()) == ["0.wav", "1.wav"]

    assert prepare(dataset, wanted, folder).resumed == 2


def test_a_clip_that_is_no_longer_whole_is_written_anew(tmp_path: Path) -> None:
    for number in range(3):
        write_wav(tmp_path / f"{number}.wav", seed=number)
    (tmp_path / "m.csv").write_text("path,label\n" + "".join(f"{number}.wav,x\n" for number in range(3)))
    dataset, wanted, folder = read_dataset(tmp_path / "m.csv"), _orders(*map(Order, range(3))), tmp_path / "copy"
    _interrupted(dataset, wanted, folder, 2)
    (folder / "clips/0.wav").write_bytes(b"")  # what a power cut leaves of a file that was not on the disk yet

    prepare(dataset, wanted, folder)

    assert len(soundfile.read(folder / "clips/0.wav")[0]) > 0


def test_a_target_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for target in ("file", "file/below/it", "gone"):
        with pytest.raises(UsageError, match="is no folder, expected a new folder"):
            refuse_target(tmp_path / target)
    refuse_target(tmp_path / "new/below")
    assert (tmp_path / "file").read_text() == "mine"
