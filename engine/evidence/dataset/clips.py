"""Opens and decodes every file of a data set once: whole or not, format, length, hashes; judges no sound.

Memory is bounded by the block size, whatever the length of a file. soundfile releases the interpreter lock, so two
threads decode side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from .containers import not_audio, truncation
from .records import Region, Row

WORKERS = 2
_BLOCK_FRAMES = 1 << 18
_READ_BYTES = 1 << 20
_STOP_FRAMES = 1 << 9
_EXACT = frozenset({"PCM_16", "PCM_U8", "PCM_S8"})
"""Subtypes that are read as 16-bit integers without loss, three to six times faster than as floats."""
Progress = Callable[[int, int], None]
Measures = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Clip:
    """What one region holds."""

    region: Region
    byte_hash: str = ""
    """SHA-256 of the file; empty when it could not be read."""
    sample_hash: str = ""
    """SHA-256 of rate, channels and samples rounded to 16 bits; empty for silence and for what was not decoded."""
    unreadable: str = ""
    """Why it cannot be decoded; empty when it can."""
    truncated: str = ""
    """What shows that the end is missing; empty when nothing does."""
    sample_rate_hz: int = 0
    channels: int = 0
    frames: int = 0
    complete: bool = True
    """Whether the decoder came to the end without an error."""

    @property
    def file(self) -> Path:
        """The file that holds it."""
        return self.region.file

    @property
    def duration_seconds(self) -> float:
        """Length of what was decoded."""
        return self.frames / self.sample_rate_hz if self.sample_rate_hz else 0.0

    @property
    def usable(self) -> bool:
        """Whether a trainer can load it: decodable to the end, and not without samples."""
        return not self.unreadable and self.complete


@dataclass(frozen=True)
class Scan:
    """What decoding a data set brought: a record a clip, and measures of all clips side by side."""

    clips: Mapping[Region, Clip]
    measures: Mapping[str, Measures] = field(default_factory=dict)
    """By name in the vocabulary (`clip.peak`), `(clips,)` in the order of `clips`; NaN where it is unknown."""
    profiles: Measures = field(default_factory=lambda: np.empty((0, 0)))
    """`(clips, bands)`: the level-free band profile that near duplicates are searched by; NaN where unknown."""
    cepstra: Measures = field(default_factory=lambda: np.empty((0, 0)))
    """`(clips, 2 x coefficients)`: mean and spread of the cepstrum, for probes; NaN where unknown."""

    def of(self, row: Row) -> Clip | None:
        """Return the clip of a row; None when the row names no file, or nothing was decoded."""
        return None if row.region is None else self.clips.get(row.region)


NOTHING_DECODED = Scan({})
"""Stands for the audio in an audit that reads the manifest only."""


def scan_clips(regions: Iterable[Region], progress: Progress | None = None) -> Scan:
    """Decode every region; `progress` is called with (done, total) in the calling thread."""
    todo = list(regions)
    clips: dict[Region, Clip] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for done, clip in enumerate(pool.map(scan_clip, todo), start=1):
                clips[clip.region] = clip
                if progress is not None:
                    progress(done, len(todo))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C ends the audit now, not after the last file
            raise
    return Scan(clips)


def scan_clip(region: Region) -> Clip:
    """Decode one region; whatever is wrong with it is said in the result, never raised."""
    file = region.file
    try:
        reason = not_audio(file)
        byte_hash = _hash_of(file)
        return Clip(region, byte_hash, unreadable=reason) if reason else _decode(region, byte_hash)
    except OSError as error:
        return Clip(region, unreadable=error.strerror or str(error))


def _hash_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _decode(region: Region, byte_hash: str) -> Clip:
    file = region.file
    short = truncation(file)
    try:
        with soundfile.SoundFile(file) as stream:
            rate, channels, declared = stream.samplerate, stream.channels, stream.frames
            frames, sample_hash, complaint = _read(stream)
    except soundfile.LibsndfileError as error:
        return Clip(region, byte_hash, unreadable=f"{_decoder()} cannot open it: {error.error_string}", truncated=short)
    unreadable = "" if frames or complaint else "no samples"
    if complaint:
        frames, at_end = _stop(file)
        short = short or (f"the stream ends after {frames / rate:.2f} of {declared / rate:.2f} s" if at_end else "")
        unreadable = "" if short else f"{_decoder()} stops after {frames / rate:.2f} s: {complaint}"
    return Clip(region, byte_hash, sample_hash, unreadable, short, rate, channels, frames, complete=not complaint)


def _stop(file: Path) -> tuple[int, bool]:
    """Return how many frames come out before the decoder's error, and whether it had read the whole file by then.

    A decoder that fails at the last byte misses the rest of the file; one that fails before met damage.
    """
    frames = 0
    with file.open("rb") as source, soundfile.SoundFile(source) as stream:
        try:
            while block := len(stream.read(_STOP_FRAMES, dtype="int16")):
                frames += block
        except soundfile.LibsndfileError:
            return frames, source.tell() == file.stat().st_size
    return frames, False


def _read(stream: soundfile.SoundFile) -> tuple[int, str, str]:
    """Return the frames read, the hash of their samples, and the decoder's complaint if it stopped."""
    digest = hashlib.sha256(f"{stream.samplerate} {stream.channels}".encode())
    kind = "int16" if stream.subtype in _EXACT else "float32"
    frames, sounding = 0, False
    while True:
        try:
            block = stream.read(_BLOCK_FRAMES, dtype=kind)
        except soundfile.LibsndfileError as error:
            return frames, "", error.error_string or f"error {error.code}"
        if not len(block):
            return frames, digest.hexdigest() if sounding else "", ""
        samples = block if kind == "int16" else _rounded(block)
        frames += len(samples)
        sounding = sounding or bool(samples.any())
        digest.update(np.ascontiguousarray(samples).data)


def _rounded(block: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Round to 16 bits, so that a lossless copy in another container has the same hash."""
    finite = np.clip(np.nan_to_num(block, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    rounded: npt.NDArray[np.int16] = np.minimum(np.rint(finite * np.float32(32768.0)), 32767.0).astype(np.int16)
    return rounded


def _decoder() -> str:
    return f"libsndfile {soundfile.__libsndfile_version__}"
