"""Decodes one region: whole or not, format, length, hashes, and its samples; judges no sound, raises for no content.

Memory is bounded by the block size and the excerpts kept of a long clip, time by the budget of the file's size.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from .clips import Clip
from .containers import no_audio_in, truncation
from .plain_wav import PLAIN_HEADER_BYTES, plain_pcm
from .records import Region
from .second_decoder import decode_second, second_name
from .signals.wave import Samples, Wave

CPU_SECONDS = 2.0
"""What any file may cost: a hundred times what a minute of Opus, the slowest codec, takes."""
CPU_SECONDS_PER_BYTE = 1e-6
"""Opus at 24 kbit/s, the slowest measured (5 s for 10.8 MB), takes half of it."""
_SMALL_BYTES = 1 << 23
_READ_BYTES = 1 << 20
_BLOCK_SAMPLES = 1 << 20
_STOP_FRAMES = 1 << 9
_WHOLE_SAMPLES = 1 << 22
"""A clip of up to this many samples is kept whole: 4.4 minutes at 16 kHz."""
_EXCERPT_SAMPLES = 1 << 20
"""Of a longer one so many are kept of every further _WHOLE_SAMPLES: one minute in four at 16 kHz."""
_NO_SAMPLES = "no samples"
_EXACT = frozenset({"PCM_16", "PCM_U8", "PCM_S8"})
"""Subtypes that are read as 16-bit integers without loss, three to six times faster than as floats."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A clip and what was decoded of it."""

    clip: Clip
    wave: Wave | None = None
    """None when there are no samples."""


def decode_clip(region: Region) -> Decoded:
    """Decode one region; whatever is wrong with it is said in the result, never raised."""
    try:
        status = region.file.stat()
        if not stat.S_ISREG(status.st_mode):
            return Decoded(Clip(region, unreadable="no regular file"))
        if region.whole and status.st_size <= _SMALL_BYTES:
            return _decode_small(region)
        return _decode_stream(region, status)
    except OSError as error:
        return Decoded(Clip(region, unreadable=error.strerror or str(error)))
    except MemoryError:
        return Decoded(Clip(region, unreadable="decoding it needs more memory than a worker may take"))


def _decode_small(region: Region) -> Decoded:
    """Decode a file that is held in memory whole: read once for its hash, its header and, if plain, its samples."""
    content = region.file.read_bytes()
    plain = plain_pcm(content)
    if plain is None:
        byte_hash = hashlib.sha256(content).hexdigest()
        reason = no_audio_in(content[:256], len(content))
        clip = Clip(region, byte_hash, unreadable=reason)
        return Decoded(clip) if reason else _decode(clip, len(content))
    rate, samples = plain
    digest = hashlib.sha256(f"{rate} {samples.shape[1]}".encode())
    digest.update(samples.data)
    frames, channels = samples.shape
    # the samples are hashed once: what is around them, and their hash, tell the bytes of the file
    around = content[:PLAIN_HEADER_BYTES] + content[PLAIN_HEADER_BYTES + samples.nbytes :]
    byte_hash = hashlib.sha256(around + digest.digest()).hexdigest()
    sample_hash = digest.hexdigest() if samples.any() else ""
    clip = Clip(region, byte_hash, sample_hash, "", "", rate, channels, frames, True, "PCM_16", "WAV", "", frames)
    return Decoded(clip, Wave(samples, rate, "PCM_16", frames / rate))


def _decode_stream(region: Region, status: os.stat_result) -> Decoded:
    file_hash, reason = _hash_of(region.file, status.st_size, status.st_mtime_ns)
    clip = Clip(region, _part_hash(file_hash, region), unreadable=reason)
    return Decoded(clip) if reason else _decode(clip, status.st_size)


@lru_cache(maxsize=8)
def _hash_of(file: Path, size: int, _mtime_ns: int) -> tuple[str, str]:
    """Return the hash of a file, and why it is no audio; kept, because the segments of one file follow each other."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        head = stream.read(256)
        digest.update(head)
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest(), no_audio_in(head, size)


def _part_hash(file_hash: str, region: Region) -> str:
    if region.whole:
        return file_hash
    bounds = f"{file_hash} {region.start_seconds} {region.stop_seconds} {region.channel}"
    return hashlib.sha256(bounds.encode()).hexdigest()


def _decode(clip: Clip, size: int) -> Decoded:
    """Decode with libsndfile, and with the second decoder what libsndfile does not open or finish."""
    short = truncation(clip.file)
    budget = _Budget(size)
    try:
        with soundfile.SoundFile(clip.file) as stream:
            decoded = _read_region(replace(clip, truncated=short), stream, budget)
    except soundfile.LibsndfileError as error:
        reason = f"{_decoder()} cannot open it: {error.error_string}"
        decoded = Decoded(replace(clip, unreadable=reason, truncated=short))
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:  # a header beyond what the binding can hold
        reason = f"{_decoder()} cannot open it: {str(error) or type(error).__name__}"
        decoded = Decoded(replace(clip, unreadable=reason, truncated=short))
    gave_up = not decoded.clip.unreadable or decoded.clip.unreadable == _NO_SAMPLES or budget.spent()
    return decoded if gave_up or not clip.region.whole else _second(decoded, budget)


class _Budget:
    """The processor time that one file may take, so that no decompression bomb holds up an audit."""

    def __init__(self, size: int) -> None:
        self._end = time.process_time() + cpu_seconds(size)

    def spent(self) -> str:
        """Return why decoding has to end; empty while there is time."""
        return "decoding it takes far longer than a file of its size may" if time.process_time() > self._end else ""


def cpu_seconds(size: int) -> float:
    """Return how much processor time a file of this many bytes may take."""
    return CPU_SECONDS + CPU_SECONDS_PER_BYTE * size


def _read_region(clip: Clip, stream: soundfile.SoundFile, budget: _Budget) -> Decoded:
    rate, region = stream.samplerate, clip.region
    clip = replace(clip, sample_rate_hz=rate, channels=stream.channels, subtype=stream.subtype, container=stream.format)
    clip = replace(clip, file_frames=stream.frames if 0 < stream.frames < 1 << 62 else 0)
    if region.channel is not None and not 0 <= region.channel < stream.channels:
        return Decoded(replace(clip, unreadable=f"no channel {region.channel}; the file has {stream.channels}"))
    start = round(region.start_seconds * rate)
    wanted = None if region.stop_seconds is None else max(0, round(region.stop_seconds * rate) - start)
    if start and start >= stream.frames:
        length = stream.frames / rate
        return Decoded(
            replace(clip, unreadable=f"it starts at {region.start_seconds:g} s; the file ends at {length:.2f} s")
        )
    if start:
        stream.seek(start)
    body = _read(stream, wanted, region.channel, budget)
    return _concluded(clip, stream, body, wanted)


@dataclass(slots=True, eq=False)
class _Body:
    """What came out of a stream."""

    frames: int
    sample_hash: str
    complaint: str
    """The decoder's error; empty at a clean end."""
    spent: str
    samples: Samples | None


def _concluded(clip: Clip, stream: soundfile.SoundFile, body: _Body, wanted: int | None) -> Decoded:
    """Tell a cut-off file from a damaged one, and both from a whole one."""
    rate, frames, short = clip.sample_rate_hz, body.frames, clip.truncated
    channels = 1 if clip.region.channel is not None else clip.channels
    unreadable = body.spent or ("" if frames or body.complaint else _NO_SAMPLES)
    if body.complaint:
        if clip.region.whole:
            frames, at_end = _stop(clip.file)
            ends = f"the stream ends after {frames / rate:.2f} of {stream.frames / rate:.2f} s" if at_end else ""
            short = short or ends
        unreadable = "" if short else f"{_decoder()} stops after {frames / rate:.2f} s: {body.complaint}"
    elif wanted is not None and frames >= wanted:
        short = ""  # the part that is missing is not the part that is asked for
    complete = not body.complaint and not body.spent
    clip = replace(clip, sample_hash=body.sample_hash, unreadable=unreadable, truncated=short, channels=channels)
    clip = replace(clip, frames=frames, complete=complete)
    if body.samples is None or unreadable:
        return Decoded(clip)
    return Decoded(clip, Wave(body.samples, rate, clip.subtype, frames / rate))


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


def _read(stream: soundfile.SoundFile, wanted: int | None, channel: int | None, budget: _Budget) -> _Body:
    """Read to the end or for `wanted` frames, a block at a time; keep all of a short clip, excerpts of a long one."""
    channels = stream.channels if channel is None else 1
    digest = hashlib.sha256(f"{stream.samplerate} {channels}".encode())
    kind = "int16" if stream.subtype in _EXACT else "float32"
    step = max(1, _BLOCK_SAMPLES // stream.channels)
    kept, frames, sounding, complaint, spent = _Kept(channels), 0, False, "", ""
    while (wanted is None or frames < wanted) and not spent:
        try:
            block = stream.read(step if wanted is None else min(step, wanted - frames), dtype=kind, always_2d=True)
        except soundfile.LibsndfileError as error:
            complaint = error.error_string or f"error {error.code}"
            break
        if not len(block):
            break
        block = block if channel is None else np.ascontiguousarray(block[:, channel : channel + 1])
        rounded = block if kind == "int16" else _rounded(block)
        frames += len(block)
        sounding = sounding or bool(rounded.any())
        digest.update(rounded.data)
        kept.add(block)
        spent = budget.spent()
    whole = sounding and not complaint and not spent
    return _Body(frames, digest.hexdigest() if whole else "", complaint, spent, kept.samples())


class _Kept:
    """The blocks that are kept of a clip: all of them, or all of the first minutes and a quarter of the rest."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._blocks: list[Samples] = []
        self._read = self._held = 0

    def add(self, block: Samples) -> None:
        """Take the next block of the stream, or leave it."""
        place, self._read = self._read, self._read + block.size
        within = place < _WHOLE_SAMPLES or place % _WHOLE_SAMPLES < _EXCERPT_SAMPLES
        if within and self._held < 2 * _WHOLE_SAMPLES:
            self._blocks.append(block)
            self._held += block.size

    def samples(self) -> Samples | None:
        """Return what was kept, `(frames, channels)`; None when nothing was read."""
        if not self._blocks:
            return None
        return np.concatenate(self._blocks) if len(self._blocks) > 1 else self._blocks[0]  # type: ignore[return-value]


def _rounded(block: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Round to 16 bits, so that a lossless copy in another container has the same hash."""
    scaled = block * np.float32(32768.0)
    low, high = scaled.min(), scaled.max()
    if not (low >= -32768.0 and high <= 32767.0):  # also where either is no number
        scaled = np.clip(np.nan_to_num(scaled, posinf=32767.0, neginf=-32768.0), -32768.0, 32767.0)
    rounded: npt.NDArray[np.int16] = np.rint(scaled, out=scaled).astype(np.int16)
    return rounded


def _second(decoded: Decoded, budget: _Budget) -> Decoded:
    """Let the second decoder try; the reason names both where neither can."""
    clip, name = decoded.clip, second_name()
    if not name:
        return Decoded(replace(clip, unreadable=f"{clip.unreadable}; no second decoder is installed"))
    result = decode_second(clip.file, budget.spent)
    if isinstance(result, str):
        return Decoded(replace(clip, unreadable=f"{clip.unreadable}; {name}: {result}"))
    rate, samples, container = result
    if len(samples) < clip.file_frames:
        reason = f"decodes {len(samples) / rate:.2f} of {clip.file_frames / rate:.2f} s"
        return Decoded(replace(clip, unreadable=f"{clip.unreadable}; {name}: {reason}"))
    rounded = _rounded(samples)
    digest = hashlib.sha256(f"{rate} {samples.shape[1]}".encode())
    digest.update(rounded.data)
    frames, channels = samples.shape
    clip = replace(clip, sample_hash=digest.hexdigest() if rounded.any() else "", unreadable="", complete=True)
    clip = replace(clip, sample_rate_hz=rate, channels=channels, frames=frames, container=container, decoder=name)
    return Decoded(clip, Wave(samples, rate, "", frames / rate))


def _decoder() -> str:
    return f"libsndfile {soundfile.__libsndfile_version__}"
