"""What an MP3 file's own frames say of it: cut short at its end, or overwritten at its beginning; decodes nothing."""

from __future__ import annotations

from typing import BinaryIO

_HEAD_BYTES = 8192
"""Several of the longest frames, of 2,881 bytes."""
_BEGINNINGS = (b"ID3", b"TAG", b"APETAGEX", b"RIFF", b"\0")
"""What files begin with besides frames; zeros are padding of a tag."""
_WRITERS = (b"LAME", b"Lavc", b"Lavf", b"Xing", b"Info")
"""What encoders write into a first frame that holds no sound: where it stands, a whole first frame stood."""


def overwritten_start(stream: BinaryIO) -> str:
    """Return why the beginning of an MP3 file is damaged; empty where it is whole, or cut out of a stream.

    Decoders skip to the next frame either way. A file that was cut begins inside a frame and is as its writer left it;
    of one that was overwritten, a whole first frame lacks its header.
    """
    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    if head.startswith(_BEGINNINGS) or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):  # any layer
        return ""
    first = next((place for place in range(1, len(head) - 3) if _frames_from(head, place)), 0)
    if not first:
        return "no MP3 frame in its first 8 kB, and no tag: the beginning is overwritten"
    length = _frame_bytes(head[first : first + 4])
    if first >= length - 1 or any(name in head[:first] for name in _WRITERS):  # frames differ by a byte of padding
        return f"the first frame, of {first} bytes, has lost its header: the beginning is overwritten"
    return ""


def _frames_from(head: bytes, place: int) -> bool:
    """Whether a frame begins here, and another one after it."""
    length = _frame_bytes(head[place : place + 4])
    return bool(length and _frame_bytes(head[place + length : place + length + 4]))


def missing_bytes(start: int, length: int, size: int) -> str:
    """Return what of a stream of `length` bytes from `start` is missing in a file of `size` bytes, of any container."""
    missing = start + length - size
    return f"{missing} of {length} bytes of sound are missing" if missing > 0 else ""


def short_mp3(stream: BinaryIO, size: int) -> str:
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
        return _cut_frame(stream, size)
    flags = int.from_bytes(frame[place + 4 : place + 8], "big")
    if not flags & 2:
        return ""
    offset = place + 8 + (4 if flags & 1 else 0)
    length = int.from_bytes(frame[offset : offset + 4], "big")
    return missing_bytes(start, length, size)


_MP3_KBPS = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of Layer III by version bits: 3 is MPEG-1, 2 is MPEG-2, which 2.5 shares (ISO 11172-3, 13818-3)."""
_MP3_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_TAIL_BYTES = 1 << 13
_MP3_CHAIN = 3
"""So many frames that follow each other are no coincidence."""


def _cut_frame(stream: BinaryIO, size: int) -> str:
    """Without a header that states the length, a frame that goes on after the end of the file shows the cut."""
    stream.seek(max(0, size - _MP3_TAIL_BYTES))
    tail = stream.read()
    for start in range(len(tail) - 4):
        place, chain = start, 0
        while length := _frame_bytes(tail[place : place + 4]):
            place, chain = place + length, chain + 1
            if place > len(tail):
                break
        if chain > _MP3_CHAIN:
            missing = place - len(tail)
            return f"{missing} bytes of the last MPEG frame are missing" if missing > 0 else ""
    return ""


def _frame_bytes(head: bytes) -> int:
    """Return the length of the Layer III frame that starts with these four bytes; 0 when none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate, speed = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or not 0 < rate < 15 or speed == 3:
        return 0
    kbps = _MP3_KBPS[3 if version == 3 else 2][rate - 1]
    return (144 if version == 3 else 72) * kbps * 1000 // _MP3_HZ[version][speed] + (head[2] >> 1 & 1)
