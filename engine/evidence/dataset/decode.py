"""Decodes one region: whole or not, format, length, hashes, and its samples; judges no sound, raises for no content.

Memory is bounded by the block size and the excerpts kept of a long clip, time by the budget of the file's size.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import soundfile

from .clips import Clip
from .containers import missing_end, no_audio_in
from .content_hash import ContentHash, content_hash
from .mpeg import overwritten_start
from .plain_reader import Plain, PlainReader
from .plain_wav import PLAIN_HEADER_BYTES, plain_pcm
from .records import Region
from .sample_reader import Body, Budget, read_samples, rounded_16, where_it_stops
from .second_decoder import decode_second, second_name
from .signals.wave import Wave

SMALL_BYTES = 1 << 23
"""Files up to this are held in memory whole."""
_READ_BYTES = 1 << 20
_NO_SAMPLES = "no samples"
_RESYNCING = ("MP3", "MPEG")
"""Formats whose decoder skips to the next frame: libsndfile's names."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A clip and what was decoded of it."""

    clip: Clip
    wave: Wave | None = None
    """None when there are no samples."""


def decode_clip(region: Region, reader: PlainReader | None = None) -> Decoded:
    """Decode one region; whatever is wrong with it is said in the result, never raised.

    With a reader its plain WAV files are read without a decoder, to the same result.
    """
    try:
        plain = reader.read(region.path) if reader is not None and region.whole else None
        if plain is not None:
            return _decoded_plain(region, plain)
        status = os.stat(region.path)  # noqa: PTH116 - a Path takes longer to make than to ask
        if not stat.S_ISREG(status.st_mode):
            return Decoded(Clip(region, unreadable="no regular file"))
        if region.whole and status.st_size <= SMALL_BYTES:
            return _decode_small(region)
        return _decode_stream(region, status)
    except OSError as error:
        return Decoded(Clip(region, unreadable=error.strerror or str(error)))
    except MemoryError:
        return Decoded(Clip(region, unreadable="decoding it needs more memory than a worker may take"))


def _decode_small(region: Region) -> Decoded:
    """Decode a file that is held in memory whole: read once for its hash, its header and, if plain, its samples."""
    with open(region.path, "rb") as stream:  # noqa: PTH123 - a Path takes longer to make
        content = stream.read()
    plain = plain_pcm(content)
    if plain is None:
        byte_hash = content_hash(content)
        reason = no_audio_in(content[:256], len(content))
        clip = Clip(region, byte_hash, unreadable=reason)
        return Decoded(clip) if reason else _decode(clip, io.BytesIO(content), len(content))
    rate, samples = plain
    digest = ContentHash(f"{rate} {samples.shape[1]}")
    digest.update(samples)
    told = digest.hexdigest()
    # the samples are hashed once: what is around them, and their hash, tell the bytes of the file
    around = content[:PLAIN_HEADER_BYTES] + content[PLAIN_HEADER_BYTES + samples.nbytes :]
    byte_hash = hashlib.sha256(around + told.encode()).hexdigest()
    return _decoded_plain(region, Plain(rate, samples, told, byte_hash, bool(samples.any())))


def _decoded_plain(region: Region, plain: Plain) -> Decoded:
    rate, (frames, channels) = plain.rate, plain.samples.shape
    told = plain.sample_hash if plain.sounding else ""
    clip = Clip(region, plain.byte_hash, told, "", "", rate, channels, frames, True, "PCM_16", "WAV", "", frames)
    return Decoded(clip, Wave(plain.samples, rate, "PCM_16", frames / rate))


def _decode_stream(region: Region, status: os.stat_result) -> Decoded:
    file_hash, reason = _hash_of(region.file, status.st_size, status.st_mtime_ns)
    clip = Clip(region, _part_hash(file_hash, region), unreadable=reason)
    if reason:
        return Decoded(clip)
    with region.file.open("rb") as content:
        return _decode(clip, content, status.st_size)


@lru_cache(maxsize=8)
def _hash_of(file: Path, size: int, _mtime_ns: int) -> tuple[str, str]:
    """Return the hash of a file, and why it is no audio; kept, because the segments of one file follow each other."""
    digest = ContentHash()
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


def _decode(clip: Clip, content: BinaryIO, size: int) -> Decoded:
    """Decode with libsndfile, and with the second decoder what libsndfile does not open or finish.

    `content` is what the file holds, of `size` bytes; the decoders open it by its name.
    """
    short = missing_end(content, size)
    budget = Budget(size)
    try:
        with soundfile.SoundFile(clip.region.path) as stream:
            if stream.format in _RESYNCING and (reason := overwritten_start(content)):
                return Decoded(clip._replace(unreadable=reason))
            decoded = _read_region(clip._replace(truncated=short), stream, budget)
    except soundfile.LibsndfileError as error:
        reason = f"{_decoder()} cannot open it: {error.error_string}"
        decoded = Decoded(clip._replace(unreadable=reason, truncated=short))
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:  # a header beyond what the binding can hold
        reason = f"{_decoder()} cannot open it: {str(error) or type(error).__name__}"
        decoded = Decoded(clip._replace(unreadable=reason, truncated=short))
    gave_up = not decoded.clip.unreadable or decoded.clip.unreadable == _NO_SAMPLES or budget.spent()
    return decoded if gave_up or not clip.region.whole else _second(decoded, budget)


def _read_region(clip: Clip, stream: soundfile.SoundFile, budget: Budget) -> Decoded:
    rate, region = stream.samplerate, clip.region
    clip = clip._replace(sample_rate_hz=rate, channels=stream.channels, subtype=stream.subtype, container=stream.format)
    clip = clip._replace(file_frames=stream.frames if 0 < stream.frames < 1 << 62 else 0)
    if region.channel is not None and not 0 <= region.channel < stream.channels:
        return Decoded(clip._replace(unreadable=f"no channel {region.channel}; the file has {stream.channels}"))
    start = round(region.start_seconds * rate)
    wanted = None if region.stop_seconds is None else max(0, round(region.stop_seconds * rate) - start)
    if start and start >= stream.frames:
        length = stream.frames / rate
        return Decoded(
            clip._replace(unreadable=f"it starts at {region.start_seconds:g} s; the file ends at {length:.2f} s")
        )
    if start:
        stream.seek(start)
    body = read_samples(stream, wanted, region.channel, budget)
    return _concluded(clip, stream, body, wanted)


def _concluded(clip: Clip, stream: soundfile.SoundFile, body: Body, wanted: int | None) -> Decoded:
    """Tell a cut-off file from a damaged one, and both from a whole one."""
    rate, frames, short = clip.sample_rate_hz, body.frames, clip.truncated
    channels = 1 if clip.region.channel is not None else clip.channels
    unreadable = body.spent or ("" if frames or body.complaint else _NO_SAMPLES)
    if body.complaint:
        if clip.region.whole:
            frames, at_end = where_it_stops(clip.file)
            ends = f"the stream ends after {frames / rate:.2f} of {stream.frames / rate:.2f} s" if at_end else ""
            short = short or ends
        unreadable = "" if short else f"{_decoder()} stops after {frames / rate:.2f} s: {body.complaint}"
    elif wanted is not None and frames >= wanted:
        short = ""  # the part that is missing is not the part that is asked for
    complete = not body.complaint and not body.spent
    clip = clip._replace(sample_hash=body.sample_hash, unreadable=unreadable, truncated=short, channels=channels)
    clip = clip._replace(frames=frames, complete=complete)
    if body.samples is None or unreadable:
        return Decoded(clip)
    return Decoded(clip, Wave(body.samples, rate, clip.subtype, frames / rate))


def _second(decoded: Decoded, budget: Budget) -> Decoded:
    """Let the second decoder try; the reason names both where neither can."""
    clip, name = decoded.clip, second_name()
    if not name:
        return Decoded(clip._replace(unreadable=f"{clip.unreadable}; no second decoder is installed"))
    result = decode_second(clip.file, budget.spent)
    if isinstance(result, str):
        return Decoded(clip._replace(unreadable=f"{clip.unreadable}; {name}: {result}"))
    rate, samples, container = result
    if len(samples) < clip.file_frames:
        reason = f"decodes {len(samples) / rate:.2f} of {clip.file_frames / rate:.2f} s"
        return Decoded(clip._replace(unreadable=f"{clip.unreadable}; {name}: {reason}"))
    rounded = rounded_16(samples)
    digest = ContentHash(f"{rate} {samples.shape[1]}")
    digest.update(rounded)
    frames, channels = samples.shape
    clip = clip._replace(sample_hash=digest.hexdigest() if rounded.any() else "", unreadable="", complete=True)
    clip = clip._replace(sample_rate_hz=rate, channels=channels, frames=frames, container=container, decoder=name)
    return Decoded(clip, Wave(samples, rate, "", frames / rate))


def _decoder() -> str:
    return f"libsndfile {soundfile.__libsndfile_version__}"
