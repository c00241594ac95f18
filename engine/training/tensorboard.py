"""Writes a run's numbers as TensorBoard event files while it trains, without TensorBoard; it reads nothing.

Where the run directory holds a folder `tensorboard`, which `tonmeister train --tensorboard` makes, every event goes
there too: `tensorboard --logdir RUN` shows it. The format is two fixed messages (TFRecord frames with masked CRC-32C
around protocol buffers `Event` and `Summary`), which is less than torch's writer needs installed. A file that cannot be
written is given up and not the training: events.jsonl has it all.
"""

from __future__ import annotations

import struct
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

FOLDER = "tensorboard"
_POLYNOMIAL = 0x82F63B78
"""Of CRC-32C (Castagnoli), bits reversed."""
_MASK = 0xA282EAD8
_SUBFOLDERS = 2
"""Folds and first stages lie so deep below the run that holds the folder."""


def board_of(run: Path) -> Board | None:
    """Return the writer of a run, fold or stage, if its run directory has the folder for it."""
    for above in [run, *run.parents][: _SUBFOLDERS + 1]:
        if (above / FOLDER).is_dir():
            return Board(above / FOLDER / run.relative_to(above))
    return None


class Board:
    """One event file; a resumed run begins another, and TensorBoard joins them."""

    def __init__(self, folder: Path) -> None:
        self._stream: BinaryIO | None = None
        name = f"events.out.tfevents.{int(time.time())}.tonmeister.{uuid.uuid4().hex[:8]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = (folder / name).open("wb")
            self._write(_double(1, time.time()) + _bytes(3, b"brain.Event:2"))
        except OSError:
            self.close()

    def add(self, event: Mapping[str, Any]) -> None:
        """Write the numbers of one event, if it has any."""
        found = [(tag, float(value)) for tag, value in scalars(event) if isinstance(value, int | float)]
        if found and self._stream is not None:
            values = b"".join(_bytes(1, _bytes(1, tag.encode()) + _float(2, value)) for tag, value in found)
            head = _double(1, float(event["t"])) + _key(2, 0) + _varint(int(event["step"]))
            try:
                self._write(head + _bytes(5, values))
            except OSError:
                self.close()

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                stream.close()
            except OSError:
                return  # the disk is full, and the run says so itself

    def _write(self, message: bytes) -> None:
        assert self._stream is not None, "asked for while it is open"
        length = struct.pack("<Q", len(message))
        self._stream.write(length + struct.pack("<I", masked_crc(length)))
        self._stream.write(message + struct.pack("<I", masked_crc(message)))
        self._stream.flush()


def scalars(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield tag and number of what an event measures."""
    if event["kind"] == "step":
        yield from ((f"train/{name}", event.get(name)) for name in ("loss", "grad_norm", "samples_per_second"))
        yield from ((f"rate/{name}", rate) for name, rate in event.get("lr", {}).items())
    elif event["kind"] == "eval":
        yield "train/loss_of_epoch", event.get("train_loss")
        yield "val/loss", event["loss"]
        yield from ((name, value) for name, value in event["metrics"].items() if name != "val/loss")
    elif event["kind"] == "telemetry":
        known = ("v", "t", "kind", "step")
        yield from ((f"telemetry/{name}", value) for name, value in event.items() if name not in known)


def masked_crc(content: bytes) -> int:
    """Return the checksum of a TFRecord frame."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    rows = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (_POLYNOMIAL if number & 1 else 0)
        rows.append(number)
    return tuple(rows)


_TABLE = _table()


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _key(field, 5) + struct.pack("<f", value)


def _bytes(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content
