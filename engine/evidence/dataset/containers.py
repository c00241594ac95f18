"""Compares what an audio file's container declares with the bytes that are there; decodes nothing.

libsndfile adjusts its frame count to a short file without a word, so truncation shows in the container alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from .mpeg import missing_bytes, short_mp3

_STREAMED_FROM = 0x7FFFF000
"""Writers that do not know the length yet put down 0, or a size from here on (2^31 - 1, 2^32 - 1 and their like)."""
_STREAMED_LONG = 1 << 62
"""The same for sizes of 64 bits."""
_OGG_PAGE_MAX_BYTES = 65307
"""RFC 3533: a page header of 27 bytes, 255 lacing values, and 255 segments of 255 bytes."""


def not_audio(path: Path) -> str:
    """Return why a file is no audio file, by its first bytes; empty when it may be one."""
    with path.open("rb") as stream:
        return no_audio_in(stream.read(256), path.stat().st_size)


def no_audio_in(head: bytes, size: int) -> str:
    """Return why a file of `size` bytes that starts with `head` is no audio file; empty when it may be one."""
    if not head:
        return "empty file (0 bytes)"
    if head.startswith(b"version https://git-lfs"):
        return f"Git LFS pointer of {size} bytes; fetch the audio with `git lfs pull`"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page instead of audio; the download failed"
    return ""


def truncation(path: Path) -> str:
    """Return how much of the file is missing by its own container; empty when it is whole or cannot tell."""
    with path.open("rb") as stream:
        return missing_end(stream, path.stat().st_size)


def missing_end(stream: BinaryIO, size: int) -> str:
    """Return the same of an open file of `size` bytes, or of its content."""
    magic = stream.read(4)
    if magic == b"RIFF":
        return _short_chunk(stream, size, b"data", "<")
    if magic == b"FORM":
        return _short_chunk(stream, size, b"SSND", ">")
    if magic == b"RF64":
        return _short_rf64(stream, size)
    if magic == b"riff":
        return _short_wide(stream, size, _W64)
    if magic == b"caff":
        return _short_wide(stream, size, _CAF)
    if magic == b".snd":
        return _short_au(stream, size)
    if magic == b"OggS":
        return _open_ogg(stream, size)
    if magic[:3] == b"ID3" or magic[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"):
        return short_mp3(stream, size)
    return ""


def _short_chunk(stream: BinaryIO, size: int, wanted: bytes, order: str) -> str:
    """Walk the chunks of a WAV or AIFF file to the one with the samples."""
    place = 12
    while place + 8 <= size:
        stream.seek(place)
        name, length = struct.unpack(f"{order}4sI", stream.read(8))
        if name == wanted:
            return "" if length >= _STREAMED_FROM else missing_bytes(place + 8, length, size)
        place += 8 + length + length % 2
    return ""


def _short_rf64(stream: BinaryIO, size: int) -> str:
    """RF64 keeps the length of its samples, 64 bits of it, in the chunk ds64 (EBU Tech 3306)."""
    stream.seek(12)
    head = stream.read(24)
    place = 12
    if len(head) < 24 or head[:4] != b"ds64":
        return ""
    length = int.from_bytes(head[16:24], "little")
    while place + 8 <= size:
        stream.seek(place)
        name, step = struct.unpack("<4sI", stream.read(8))
        if name == b"data":
            return "" if length >= _STREAMED_LONG else missing_bytes(place + 8, length, size)
        place += 8 + step + step % 2
    return ""


@dataclass(frozen=True)
class _Wide:
    """How a container with 64-bit chunk sizes is laid out."""

    start: int
    name_bytes: int
    order: Literal["little", "big"]
    sound: bytes
    """How the name of the chunk with the samples begins."""
    header_counts: bool
    """Whether a chunk's size includes its own header."""
    aligned_bytes: int


_W64 = _Wide(40, 16, "little", b"data", header_counts=True, aligned_bytes=8)
_CAF = _Wide(8, 4, "big", b"data", header_counts=False, aligned_bytes=1)


def _short_wide(stream: BinaryIO, size: int, form: _Wide) -> str:
    place, header = form.start, form.name_bytes + 8
    while place + header <= size:
        stream.seek(place)
        head = stream.read(header)
        length = int.from_bytes(head[form.name_bytes :], form.order)
        body = length - header if form.header_counts else length
        if body < 0:
            return ""
        if head.startswith(form.sound):
            return "" if length >= _STREAMED_LONG else missing_bytes(place + header, body, size)
        place += header + -(-body // form.aligned_bytes) * form.aligned_bytes
    return ""


def _short_au(stream: BinaryIO, size: int) -> str:
    stream.seek(4)
    head = stream.read(8)
    if len(head) < 8:
        return ""
    start, length = struct.unpack(">II", head)
    return "" if length >= _STREAMED_FROM else missing_bytes(start, length, size)


def _open_ogg(stream: BinaryIO, size: int) -> str:
    """The last page of a whole Ogg stream is complete and carries the end-of-stream flag (RFC 3533)."""
    start = max(0, size - _OGG_PAGE_MAX_BYTES)
    stream.seek(start)
    tail = stream.read()
    place = tail.rfind(b"OggS")
    header = tail[place : place + 27]
    if place < 0 or len(header) < 27:
        return "the last Ogg page is cut off"
    lacing = tail[place + 27 : place + 27 + header[26]]
    if len(lacing) < header[26] or place + 27 + len(lacing) + sum(lacing) > len(tail):
        return "the last Ogg page is cut off"
    return "" if header[5] & 4 else "the Ogg stream has no end"
