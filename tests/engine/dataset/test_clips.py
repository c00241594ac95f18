"""Decoding: what is no audio, what is cut off, and hashes that see through the container."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.evidence.dataset import Clip, Region, scan_clips
from engine.evidence.dataset.decode import decode_clip

from .sets import write_wav


def scan_clip(region: Region) -> Clip:
    return decode_clip(region).clip


NOISE = np.random.default_rng(0).integers(-9000, 9000, 96000).astype(np.int16)


def test_a_whole_clip(tmp_path: Path) -> None:
    clip = scan_clip(Region(write_wav(tmp_path / "a.wav", 0.5, rate=8000)))

    assert (clip.sample_rate_hz, clip.channels, clip.frames, clip.duration_seconds) == (8000, 1, 4000, 0.5)
    assert (clip.unreadable, clip.truncated, clip.usable) == ("", "", True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file (0 bytes)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer of 63 bytes"),
        (b"\n<!DOCTYPE html><html></html>", "a web page instead of audio"),
        (b"\x00\x01\x02" * 99, f"libsndfile {soundfile.__libsndfile_version__} cannot open it"),
    ],
)
def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)

    clip = scan_clip(Region(tmp_path / "a.wav"))

    assert clip.unreadable.startswith(reason)
    assert not clip.usable


def test_a_header_without_samples_is_unreadable(tmp_path: Path) -> None:
    clip = scan_clip(Region(write_wav(tmp_path / "a.wav", 0)))

    assert clip.unreadable == "no samples"


def test_a_file_that_vanishes_is_unreadable_with_the_reason(tmp_path: Path) -> None:
    assert scan_clip(Region(tmp_path / "a.wav")).unreadable == "No such file or directory"


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "W64", "CAF", "AU", "AIFF", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.98])
def test_truncation_is_seen_in_every_container(tmp_path: Path, form: str, share: float) -> None:
    whole, cut = tmp_path / f"whole.{form}", tmp_path / f"cut.{form}"
    soundfile.write(whole, NOISE, 16000, format=form)
    content = whole.read_bytes()
    cut.write_bytes(content[: int(len(content) * share)])

    assert scan_clip(Region(whole)).truncated == ""
    assert scan_clip(Region(cut)).truncated != ""
    assert scan_clip(Region(cut)).unreadable == ""


def test_an_mp3_file_that_states_no_length_shows_the_cut_in_its_last_frame(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", NOISE, 16000)
    content = (tmp_path / "a.mp3").read_bytes()
    bare = (
        content[content.index(b"\xff\xf3", 10) :] if b"Xing" in content[:200] or b"Info" in content[:200] else content
    )
    for name, part in (
        ("whole", bare),
        ("tagged", bare + b"TAG" + bytes(125)),
        ("cut", bare[:-30]),
        ("half", bare[:7001]),
    ):
        (tmp_path / f"{name}.mp3").write_bytes(part)

    said = {name: scan_clip(Region(tmp_path / f"{name}.mp3")).truncated for name in ("whole", "tagged", "cut", "half")}

    assert said["whole"] == said["tagged"] == ""
    assert said["cut"] == "30 bytes of the last MPEG frame are missing"
    assert said["half"].endswith("bytes of the last MPEG frame are missing")


def test_an_mp3_file_whose_header_is_overwritten_is_named(tmp_path: Path) -> None:
    """Its decoder skips to the next frame and says nothing."""
    whole = tmp_path / "whole.mp3"
    soundfile.write(whole, NOISE, 16000)
    content = whole.read_bytes()
    starts = {
        "damaged": b"\x9c" * 64 + content[64:],
        "long damage": b"\x9c" * 9000 + content[9000:],
        "cut out of a stream": content[content.index(b"\xff", 1000) + 30 :],
        "padded": bytes(64) + content,
        "tagged": b"ID3\4" + bytes(6) + content,
    }
    for name, changed in starts.items():
        (tmp_path / f"{name}.mp3").write_bytes(changed)
    said = {name: scan_clip(Region(tmp_path / f"{name}.mp3")).unreadable for name in ("whole", *starts)}
    assert "overwritten" in said.pop("damaged") and "overwritten" in said.pop("long damage")
    assert set(said.values()) == {""}


def test_damage_inside_a_flac_file_is_no_truncation(tmp_path: Path) -> None:
    file = tmp_path / "a.flac"
    soundfile.write(file, np.random.default_rng(0).integers(-9000, 9000, 160000).astype(np.int16), 16000)
    content = bytearray(file.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 20000] = bytes(20000)
    file.write_bytes(content)

    clip = scan_clip(Region(file))

    assert clip.truncated == ""
    assert f"libsndfile {soundfile.__libsndfile_version__} stops after" in clip.unreadable


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
def test_a_streamed_wav_without_a_length_is_not_called_truncated(tmp_path: Path, declared: int) -> None:
    file = write_wav(tmp_path / "a.wav")
    content = bytearray(file.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", declared)
    file.write_bytes(content)

    assert scan_clip(Region(file)).truncated == ""


def test_the_same_samples_in_another_container_have_the_same_sample_hash(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", NOISE, 16000)
    soundfile.write(tmp_path / "a.flac", NOISE, 16000)
    soundfile.write(tmp_path / "f.wav", NOISE / 32768, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", NOISE, 8000)

    wav, flac, floats, slow = (scan_clip(Region(tmp_path / name)) for name in ("a.wav", "a.flac", "f.wav", "b.wav"))

    assert wav.sample_hash == flac.sample_hash == floats.sample_hash
    assert len({wav.byte_hash, flac.byte_hash, floats.byte_hash}) == 3
    assert slow.sample_hash != wav.sample_hash


def test_silence_has_no_sample_hash(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8000, np.int16), 16000)

    clip = scan_clip(Region(tmp_path / "a.wav"))

    assert (clip.sample_hash, clip.usable) == ("", True)


def test_samples_that_are_no_numbers_do_not_stop_the_audit(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.5, np.nan, np.inf, -3.0]), 16000, subtype="FLOAT")

    assert scan_clip(Region(tmp_path / "a.wav")).frames == 4


def test_progress_counts_every_file_once(tmp_path: Path) -> None:
    files = [write_wav(tmp_path / f"{number}.wav", seed=number) for number in range(7)]
    calls: list[tuple[int, int]] = []

    clips = scan_clips(map(Region, files), lambda done, total: calls.append((done, total))).clips

    assert calls[-1] == (7, 7)
    assert all(0 < done <= total == 7 for done, total in calls)
    assert calls == sorted(calls)
    assert [region.file for region in clips] == files
    assert all(isinstance(clip, Clip) for clip in clips.values())


def test_an_interrupt_ends_the_scan(tmp_path: Path) -> None:
    files = [write_wav(tmp_path / f"{number}.wav", seed=number) for number in range(9)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_clips(map(Region, files), stop)
