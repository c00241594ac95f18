"""Reads TensorBoard event files without TensorBoard: scalars, and tensors of one number; skips everything else.

A file is a row of frames (length, checksum, message, checksum). A message is a protocol buffer `Event`: step in field
2, `Summary` in field 5 with repeated `Value`: tag in field 1, number in field 2, tensor in field 8. Checksums are not
verified: a damaged length ends the file, a damaged message is left out.
"""

from __future__ import annotations

import dataclasses
import re
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEAD = 12
_FOOT = 4
_LARGEST_MESSAGE = 1 << 28
_LARGEST_STEP = 1 << 53
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


@dataclass
class Scalars:
    """The numbers of one tag of one file, in the order in which they were written."""

    tag: str
    split: str
    """What the name of the folder or file says of all of its tags, as the callbacks of Keras write it."""
    steps: array[int] = dataclasses.field(default_factory=lambda: array("q"))
    values: array[float] = dataclasses.field(default_factory=lambda: array("d"))


def read_events(path: Path) -> list[Scalars]:
    """Return the scalars of a file by tag, in the order in which the tags first come."""
    split, found = _split_of(path), dict[bytes, Scalars]()
    content = path.read_bytes()
    for begin, end in _messages(content):
        if _plain(content, begin, end, split, found):
            continue
        try:
            for step, tag, number in _records(content[begin:end]):
                _scalars(tag.encode(), split, found, step, number)
        except (struct.error, IndexError, UnicodeDecodeError, OverflowError):
            continue
    return list(found.values())


def _scalars(tag: bytes, split: str, found: dict[bytes, Scalars], step: int, number: float) -> None:
    scalars = found.get(tag)
    if scalars is None:
        scalars = found[tag] = Scalars(tag.decode("utf-8"), split)
    scalars.steps.append(step if step < _LARGEST_STEP else 0)
    scalars.values.append(number)


def _plain(content: bytes, begin: int, end: int, split: str, found: dict[bytes, Scalars]) -> bool:
    """Take in an event that holds one number and nothing else, as nearly all do; False for any other event.

    Wall time (9 bytes), step, summary, one value in it, tag, number of 4 bytes: every length is one byte, or the
    event is read field by field.
    """
    try:
        if content[begin] != 0x09 or content[begin + 9] != 0x10 or content[end - 5] != 0x15:
            return False
        at = begin + 10
        step = shift = 0
        while (byte := content[at]) >= 0x80:
            step |= (byte & 0x7F) << shift
            shift += 7
            at += 1
        step |= byte << shift
        tag = at + 7
        long = content[at + 6]
        if (
            shift > 56
            or content[at + 1] != 0x2A
            or content[at + 3] != 0x0A
            or content[at + 5] != 0x0A
            or tag + long + 5 != end
            or content[at + 2] != end - at - 3
            or content[at + 4] != end - at - 5
        ):
            return False
        name = content[tag : tag + long]
        scalars = found.get(name)
        if scalars is None:
            scalars = found[name] = Scalars(name.decode("utf-8"), split)
    except (IndexError, UnicodeDecodeError):
        return False
    scalars.steps.append(step if step < _LARGEST_STEP else 0)
    scalars.values.append(_NUMBER(content, end - 4)[0])
    return True


_NUMBER = struct.Struct("<f").unpack_from
_LENGTH = struct.Struct("<Q").unpack_from


_NAMED = re.compile(r"(?<![a-z])(?:train|training|val|valid|validation|test)(?![a-z])")
"""`add_scalars` of PyTorch writes a folder for each curve, such as `Loss_val_loss`."""


def _split_of(path: Path) -> str:
    place = f"{path.parent.name} {path.name}".lower()
    if "valid" in place or "eval" in place or "/val" in place or place.startswith("val "):
        return "val"
    if named := _NAMED.search(path.parent.name.lower()):
        return {"training": "train", "test": "test", "train": "train"}.get(named[0], "val")
    return "train" if "train" in place or place.startswith("learn ") else "test" if place.startswith("test ") else ""


def _messages(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each message begins and ends."""
    position, end = 0, len(content)
    while position + _HEAD <= end:
        length = _LENGTH(content, position)[0]
        begin = position + _HEAD
        position = begin + length + _FOOT
        if length > _LARGEST_MESSAGE or position > end:
            return
        yield begin, begin + length


def _records(message: bytes) -> Iterator[tuple[int, str, float]]:
    """Yield step, tag and number of each value of one event."""
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
                yield step, tag, number


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
