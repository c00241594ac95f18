"""Reads TensorBoard event files without TensorBoard: scalars, and tensors of one number; skips everything else.

A file is a row of frames (length, checksum, message, checksum). A message is a protocol buffer `Event`: step in field
2, `Summary` in field 5 with repeated `Value`: tag in field 1, number in field 2, tensor in field 8. Checksums are not
verified: a damaged length ends the file, a damaged message is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from .records import Record

_HEAD = 12
_FOOT = 4
_LARGEST_MESSAGE = 1 << 28
_FLOAT, _DOUBLE, _INT32, _INT64 = 1, 2, 3, 9
"""Types of tensors (tensorflow/core/framework/types.proto)."""
_PACKED = {_FLOAT: "<f", _DOUBLE: "<d", _INT32: "<i", _INT64: "<q"}


def is_events(path: Path) -> bool:
    """Whether the first frame of a file holds an event with a file version or a wall time."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if len(head) < _HEAD + 9:
        return False
    (length,) = struct.unpack_from("<Q", head)
    return 9 <= length < 4096 and head[_HEAD] == 0x09


def read_events(path: Path) -> Iterator[Record]:
    """Yield one record for every scalar that the file holds.

    The split stands in the name of the folder or file, as the callbacks of Keras write it.
    """
    split = _split_of(path)
    for message in _messages(path.read_bytes()):
        try:
            yield from _records(message, split)
        except (struct.error, IndexError, UnicodeDecodeError):
            continue


def _split_of(path: Path) -> str:
    place = f"{path.parent.name} {path.name}".lower()
    if "valid" in place or "eval" in place or "/val" in place or place.startswith("val "):
        return "val"
    return "train" if "train" in place else "test" if place.startswith("test ") else ""


def _messages(content: bytes) -> Iterator[bytes]:
    position, end = 0, len(content)
    while position + _HEAD <= end:
        (length,) = struct.unpack_from("<Q", content, position)
        begin = position + _HEAD
        position = begin + length + _FOOT
        if length > _LARGEST_MESSAGE or position > end:
            return
        yield content[begin : begin + length]


def _records(message: bytes, split: str) -> Iterator[Record]:
    step = 0
    summary = b""
    for field, value in _fields(message):
        if field == 2 and isinstance(value, int):
            step = value
        elif field == 5 and isinstance(value, bytes):
            summary = value
    for field, value in _fields(summary):
        if field == 1 and isinstance(value, bytes):
            tag, number = _scalar(value)
            if tag and number is not None:
                yield Record({tag: number}, split, step=step)


def _scalar(message: bytes) -> tuple[str, float | None]:
    tag, number = "", None
    for field, value in _fields(message):
        if field == 1 and isinstance(value, bytes):
            tag = value.decode("utf-8")
        elif field == 2 and isinstance(value, float):
            number = value
        elif field == 8 and isinstance(value, bytes):
            number = _single(value)
    return tag, number


def _single(tensor: bytes) -> float | None:
    """The one number of a tensor; None when it holds text, or more than one."""
    kind, content = 0, b""
    for field, value in _fields(tensor):
        if field == 1 and isinstance(value, int):
            kind = value
        elif field in (4, 5, 6) and isinstance(value, bytes):
            content = value
        elif field in (5, 6) and isinstance(value, float):
            return value
    form = _PACKED.get(kind)
    if form is None or len(content) != struct.calcsize(form):
        return None
    return float(struct.unpack(form, content)[0])


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield number and value of each field; a field of an unknown kind ends the message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        field, kind = key >> 3, key & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield field, value
        elif kind == 1:
            yield field, struct.unpack_from("<d", message, position)[0]
            position += 8
        elif kind == 2:
            length, position = _varint(message, position)
            yield field, message[position : position + length]
            position += length
        elif kind == 5:
            yield field, struct.unpack_from("<f", message, position)[0]
            position += 4
        else:
            return


def _varint(message: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
        if shift > 63:
            raise IndexError("a varint has at most ten bytes")
