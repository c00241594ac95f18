"""Reads protocol-buffer messages field by field, bounded and without a schema; knows no message."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """The bytes are no message."""


def fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield number, wire type and content of each field: a whole number of varints, else the bytes.

    Raises:
        WireError: a length or a tag points beyond the message, or a wire type is none.
    """
    at, end = 0, len(message)
    while at < end:
        tag, at = varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = varint(message, at)
            yield number, kind, value
            continue
        if kind == _BYTES:
            length, at = varint(message, at)
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            raise WireError(f"wire type {kind}")
        if length > end - at:
            raise WireError(f"{length} bytes announced, {end - at} left")
        yield number, kind, message[at : at + length]
        at += length


def varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it.

    Raises:
        WireError: it does not end.
    """
    value = 0
    for shift in range(_LONGEST_VARINT):
        if at + shift >= len(message):
            raise WireError("a number is cut off")
        byte = message[at + shift]
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, at + shift + 1
    raise WireError("a number does not end")


def signed(value: int) -> int:
    """Return the number that a varint stands for in zigzag coding (sint64)."""
    return (value >> 1) ^ -(value & 1)
