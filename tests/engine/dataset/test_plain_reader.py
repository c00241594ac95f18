"""The compiled reader accepts what `plain_pcm` accepts, and tells the same of it."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.evidence.dataset.batch import decode_and_measure
from engine.evidence.dataset.decode import decode_clip
from engine.evidence.dataset.plain_reader import PlainReader
from engine.evidence.dataset.plain_wav import plain_pcm
from engine.evidence.dataset.records import Region
from engine.evidence.dataset.signals import kernel

pytestmark = pytest.mark.skipif(kernel.library() is None, reason="the inner loops were not compiled")
LARGEST = 1 << 16


def wav(samples: bytes, *, channels: int = 1, rate: int = 8000, after: bytes = b"") -> bytes:
    """A canonical WAV with anything after it."""
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    body = b"WAVEfmt " + form + b"data" + struct.pack("<I", len(samples)) + samples + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def alike(path: Path, content: bytes, reader: PlainReader) -> None:
    """Read a file both ways."""
    path.write_bytes(content)
    found, wanted = reader.read(path), plain_pcm(content)
    assert (found is None) == (wanted is None or len(content) > LARGEST)
    if found is not None and wanted is not None:
        assert found.rate == wanted[0]
        assert np.array_equal(found.samples, wanted[1])
        one, other = decode_clip(Region(path), reader), decode_clip(Region(path))
        assert one.clip == other.clip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.integers(0, 9000),
    channels=st.integers(1, 3),
    after=st.sampled_from([b"", b"x", b"LIST\x04\0\0\0abcd"]),
    silent=st.booleans(),
    flips=st.lists(st.tuples(st.integers(0, 43), st.integers(0, 255)), max_size=2),
    cut=st.integers(0, 60),
    seed=st.integers(0, 99),
)
def test_it_accepts_and_tells_the_same(
    tmp_path: Path,
    frames: int,
    channels: int,
    after: bytes,
    silent: bool,
    flips: list[tuple[int, int]],
    cut: int,
    seed: int,
) -> None:
    samples = bytes(2 * channels * frames) if silent else np.random.default_rng(seed).bytes(2 * channels * frames)
    content = bytearray(wav(samples, channels=channels, after=after))
    for place, value in flips:
        content[place] = value
    reader = PlainReader(LARGEST)
    alike(tmp_path / "a.wav", bytes(content[: len(content) - cut] if cut < 50 else content), reader)


def test_many_files_fill_more_than_a_buffer(tmp_path: Path) -> None:
    reader, held = PlainReader(LARGEST), []
    for number in range(90):
        content = wav(np.random.default_rng(number).bytes(60_000))
        (tmp_path / "a.wav").write_bytes(content)
        found = reader.read(tmp_path / "a.wav")
        assert found is not None
        held.append((found.samples, content))
    for samples, content in held:
        assert samples.tobytes() == content[44:]


def test_the_same_memory_is_filled_again_and_every_clip_is_measured_before(tmp_path: Path) -> None:
    """Several batches and a file larger than the buffer, with one reader, against each clip alone."""
    regions = []
    for number in range(44):
        size = 3_000_000 if number == 20 else 150_000
        (tmp_path / f"{number}.wav").write_bytes(wav(np.random.default_rng(number).bytes(size)))
        regions.append(Region(tmp_path / f"{number}.wav"))
    reader = PlainReader(1 << 23)

    parts = [decode_and_measure(regions, reader=reader) for _ in range(2)]

    for place, region in enumerate(regions):
        alone = decode_and_measure([region])
        for part in parts:
            assert part.clips[place] == alone.clips[0]
            assert np.array_equal(part.numbers[place], alone.numbers[0], equal_nan=True)
            assert part.profiles[place].tobytes() == alone.profiles[0].tobytes()
            assert part.outlines[place] == alone.outlines[0]


def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    reader = PlainReader(LARGEST)
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    for name in ("pipe.wav", "folder.wav", "none.wav", "nul\0.wav"):
        assert reader.read(tmp_path / name) is None


def test_a_chunk_ends_once_it_has_taken_long_enough_and_no_clip_is_lost(tmp_path: Path) -> None:
    regions = []
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(wav(np.random.default_rng(number).bytes(8000)))
        regions.append(Region(tmp_path / f"{number}.wav"))

    first = decode_and_measure(regions, most_seconds=0)

    assert [clip.region for clip in first.clips] == regions[:1]
    assert len(first.numbers) == 1
    assert [clip.region for clip in decode_and_measure(regions, most_seconds=60).clips] == regions
