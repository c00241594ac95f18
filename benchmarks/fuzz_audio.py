"""Ten thousand damaged audio files: no traceback, no hang, no memory beyond the limit, and every file is named.

    python -m benchmarks.fuzz_audio [FILES] [SEED]

Headers of sound files in every container are mutated, and decompression bombs and lying sample counts are added. The
files go through the scan of the audit. Prints and keeps the counts, the longest time of a file and the peak of memory.
"""

from __future__ import annotations

import collections
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.data import keep
from engine.evidence.dataset import Region, scan_clips
from engine.evidence.dataset.workers import end_workers

FORMS = (
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "IMA_ADPCM"),
    ("wav", "WAVEX", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("ogg", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("aiff", "AIFF", "PCM_16"),
    ("w64", "W64", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
)
_BATCH = 64
_HEADER_BYTES = 256
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def main(count: int = 10_000, seed: int = 0) -> None:
    """Scan mutated files in batches and keep what became of them."""
    generator = np.random.default_rng(seed)
    fates: collections.Counter[str] = collections.Counter()
    done = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "giant").write_bytes(_flac_bomb(folder, 1 << 29))
        slowest, slow_file = _scan([folder / "giant"], ["giant bomb"], fates), "giant bomb"
        makers = _makers(folder, generator)
        while done < count:
            files = [folder / f"{done + place}" for place in range(min(_BATCH, count - done))]
            kinds = [_write(file, makers, generator) for file in files]
            seconds = _scan(files, kinds, fates)
            if seconds > 2.0:  # find the file that took it
                for file, kind in zip(files, kinds, strict=True):
                    alone = _scan([file], [kind], collections.Counter())
                    slowest, slow_file = max((slowest, slow_file), (alone, f"{kind}: {file.name}"))
            done += len(files)
            for file in files:
                file.unlink()
            print(f"\r{done} of {count}", end="", file=sys.stderr, flush=True)
    end_workers()
    children, own = (
        resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    )
    result = {
        "files": done + 1,
        "seed": seed,
        "fates": dict(fates.most_common()),
        "slowest_seconds": round(slowest, 2),
        "slowest": slow_file,
        "peak_child_mb": children,
        "peak_own_mb": own,
    }
    print(f"\n{result}")
    keep("fuzz_audio", result)


def _scan(files: list[Path], kinds: list[str], fates: collections.Counter[str]) -> float:
    start = time.monotonic()
    scan = scan_clips(map(Region, files), workers=1)
    seconds = time.monotonic() - start
    assert [region.file for region in scan.clips] == files, "a file is missing from the scan"
    for clip, kind in zip(scan.clips.values(), kinds, strict=True):
        fates[_fate(clip.unreadable, clip.truncated)] += 1
        if clip.unreadable.startswith("the decoder"):
            print(f"\n{kind}: {clip.unreadable}", file=sys.stderr)
    return seconds


def _fate(unreadable: str, truncated: str) -> str:
    if unreadable.startswith(("the decoder", "decoding")):
        return unreadable
    return "unreadable" if unreadable else "truncated" if truncated else "read"


Maker = Callable[[], tuple[str, bytes]]


def _write(file: Path, makers: list[Maker], generator: np.random.Generator) -> str:
    kind, content = makers[int(generator.integers(len(makers)))]()
    file.write_bytes(content)
    return kind


def _makers(folder: Path, generator: np.random.Generator) -> list[Maker]:
    """Return what makes a hostile file: mutations of every container, and the constructed ones."""
    whole = dict(_whole(folder, generator))
    makers: list[Maker] = [_mutating(kind, content, generator) for kind, content in whole.items() for _ in range(4)]
    makers += [_constant(f"bomb {size} samples", _flac_bomb(folder, size)) for size in (1 << 22, 1 << 26)]
    return [*makers, *(_constant(f"liar {kind}", content) for kind, content in _liars(whole))]


def _constant(kind: str, content: bytes) -> Maker:
    return lambda: (kind, content)


def _whole(folder: Path, generator: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    sound = generator.normal(0, 0.1, (4000, 2))
    for suffix, form, subtype in FORMS:
        file = folder / f"whole.{suffix}"
        channels = sound[:, :1] if subtype == "IMA_ADPCM" else sound
        soundfile.write(file, channels, 48000 if subtype == "OPUS" else 16000, format=form, subtype=subtype)
        yield f"{form} {subtype}", file.read_bytes()
        file.unlink()


def _mutating(kind: str, content: bytes, generator: np.random.Generator) -> Maker:
    """Return a maker that damages the header mostly, and at times the body or the end."""

    def make() -> tuple[str, bytes]:
        damaged = bytearray(content)
        for _ in range(int(generator.integers(1, 6))):
            reach = len(damaged) if generator.random() < 0.15 else min(_HEADER_BYTES, len(damaged))
            place = int(generator.integers(reach))
            match int(generator.integers(5)):
                case 0:
                    damaged[place] = int(generator.integers(256))
                case 1:
                    order = "<>"[int(generator.integers(2))]
                    extreme = _EXTREMES[int(generator.integers(len(_EXTREMES)))]
                    damaged[place : place + 4] = struct.pack(f"{order}I", extreme)
                case 2:
                    damaged[place : place + 2] = struct.pack("<H", _EXTREMES[int(generator.integers(9))])
                case 3:
                    del damaged[place : place + int(generator.integers(1, 9))]
                case _:
                    damaged[place:place] = generator.bytes(int(generator.integers(1, 9)))
            if not damaged:
                break
        if generator.random() < 0.1:
            damaged = damaged[: int(generator.integers(len(damaged) + 1))]
        return kind, bytes(damaged)

    return make


def _flac_bomb(folder: Path, samples: int) -> bytes:
    """Silence packs a thousandfold."""
    file = folder / "bomb.flac"
    with soundfile.SoundFile(file, "w", 8000, 1, "PCM_16") as stream:
        for _ in range(samples >> 20):
            stream.write(np.zeros(1 << 20, np.int16))
    content = file.read_bytes()
    file.unlink()
    return content


def _liars(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Headers that promise what is not there: samples, channels, rates."""
    wav, flac = whole["WAV PCM_16"], whole["FLAC PCM_16"]
    for channels in (0, 255, 1024, 65535):
        yield f"{channels} channels", wav[:22] + struct.pack("<H", channels) + wav[24:]
    for rate in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"{rate} Hz", wav[:24] + struct.pack("<I", rate) + wav[28:]
    for size in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"{size} bytes of data", wav[:40] + struct.pack("<I", size) + wav[44:]
    info = int.from_bytes(flac[18:26], "big")  # rate 20 bits, channels 3, depth 5, samples 36
    for samples in (0, 1, 1 << 30, (1 << 36) - 1):
        yield f"{samples} samples", flac[:18] + ((info >> 36 << 36) | samples).to_bytes(8, "big") + flac[26:]
    aiff = whole["AIFF PCM_16"]
    place = aiff.index(b"COMM") + 10
    yield "2^32 - 1 frames", aiff[:place] + b"\xff\xff\xff\xff" + aiff[place + 4 :]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
