"""Reads text files line by line, packed or not, within bounds; a file that unpacks without end is refused."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import InputError

LONGEST_LINE_BYTES = 8 << 20
"""No manifest has longer lines; without a bound one line could fill the memory."""
_MOST_UNPACKED = 200
"""JSON text packs to a tenth or a twentieth; a file that grows two hundredfold was made to."""
_ALWAYS_UNPACKED_BYTES = 64 << 20


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, line) of a UTF-8 file, without line ends and empty lines; `.gz` is unpacked on the way.

    Raises:
        InputError: it cannot be read, is not UTF-8 or not whole, or grows beyond all bounds.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                yield from _decoded(path, _within(path, _split(path, stream)))
        else:
            with path.open("rb") as stream:
                yield from _decoded(path, _split(path, stream))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _split(path: Path, stream: object) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(LONGEST_LINE_BYTES):  # type: ignore[attr-defined]  # a binary stream of either kind
        number += 1
        if len(line) == LONGEST_LINE_BYTES:
            raise InputError(f"{path}:{number}: a line of more than {LONGEST_LINE_BYTES >> 20} MiB")
        yield number, line


def _within(path: Path, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    room = _ALWAYS_UNPACKED_BYTES + _MOST_UNPACKED * path.stat().st_size
    for number, line in lines:
        room -= len(line)
        if room < 0:
            raise InputError(f"{path}:{number}: unpacks to more than {_MOST_UNPACKED} times its size; not read further")
        yield number, line


def _decoded(path: Path, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}:{number}: byte 0x{line[error.start]:02x} is not UTF-8") from None
        if text.strip():
            yield number, text
