"""Compares what an audio file's container declares with the bytes that are there; decodes nothing.

libsndfile adjusts its frame count to a short file without a word, so truncation shows in the container alone.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_STREAMED_FROM = 0x7FFFF000
"""Writers that do not know the length yet put down 0, or a size from here on (2^31 - 1, 2^32 - 1 and their like)."""
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
    size = path.stat().st_size
    with path.open("rb") as stream:
        magic = stream.read(4)
        if magic == b"RIFF":
            return _short_chunk(stream, size, b"data", "<")
        if magic == b"FORM":
            return _short_chunk(stream, size, b"SSND", ">")
        if magic == b"OggS":
            return _open_ogg(stream, size)
        if magic[:3] == b"ID3" or magic[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"):
            return _short_mp3(stream, size)
    return ""


def _short_chunk(stream: BinaryIO, size: int, wanted: bytes, order: str) -> str:
    """Walk the chunks of a WAV or AIFF file to the one with the samples."""
    place = 12
    while place + 8 <= size:
        stream.seek(place)
        name, length = struct.unpack(f"{order}4sI", stream.read(8))
        if name == wanted:
            missing = place + 8 + length - size
            known = length < _STREAMED_FROM
            return f"{missing} of {length} bytes of sound are missing" if known and missing > 0 else ""
        place += 8 + length + length % 2
    return ""


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


def _short_mp3(stream: BinaryIO, size: int) -> str:
    """The Xing or Info header, where an encoder wrote one, holds the size of the stream in bytes."""
    stream.seek(0)
    head = stream.read(10)
    start = 0
    if head[:3] == b"ID3":
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    stream.seek(start)
    frame = stream.read(200)
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    if place < 0 or len(frame) < place + 16:
        return ""
    flags = int.from_bytes(frame[place + 4 : place + 8], "big")
    if not flags & 2:
        return ""
    offset = place + 8 + (4 if flags & 1 else 0)
    length = int.from_bytes(frame[offset : offset + 4], "big")
    missing = start + length - size
    return f"{missing} of {length} bytes of sound are missing" if missing > 0 else ""
