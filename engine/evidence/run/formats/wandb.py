"""Reads the binary run file of Weights & Biases without its package; takes no other field than it needs.

A file is `:W&B`, a magic number and a version (7 bytes), and behind it records in the log format of LevelDB: blocks of
32 KiB, in them fragments of checksum (4 bytes), length (2), kind (1: full, first, middle, last) and data. A record is a
protocol buffer: history in field 2, configuration in 5, statistics of the machine in 7, the run in 17, its exit in 18.
Checksums are not verified: a damaged fragment ends its block.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..collecting import number
from ..series import RunMeta, RunSeries, Series
from .decoding import LARGEST_BYTES
from .names import meaning
from .record import Record
from .wire import WireError, fields, signed

_MARK = b":W&B"
_HEADER, _BLOCK, _HEAD = 7, 1 << 15, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_LARGEST_RECORD = 1 << 26
_HISTORY, _CONFIG, _STATS, _RUN, _EXIT = 2, 5, 7, 17, 18
_KEY, _NESTED, _BOOLEAN, _INTEGER, _NUMBER, _JSON = 1, 2, 4, 5, 6, 16
_OWN = ("_runtime", "_timestamp", "_wandb")
_GPU = {
    "gpu": "utilisation", "memoryAllocatedBytes": "memory_used", "memoryAllocated": "memory_share",
    "temp": "temperature", "powerWatts": "power",
}  # fmt: skip
_DEVICE = "gpu.0"
_EPOCHS = ("num_train_epochs", "max_epochs", "num_epochs", "n_epochs", "epochs")


@dataclass
class Tracked:
    """What a run file tells."""

    records: list[Record] = field(default_factory=list)
    config: dict[str, object] = field(default_factory=dict)
    samples: list[Mapping[str, float]] = field(default_factory=list)
    """Statistics of the machine, by the names that the file gives them."""
    exit_code: int | None = None
    broken: int = 0
    """Records that are no message."""


def is_run_file(path: Path) -> bool:
    """Whether a file begins as a run file does."""
    with path.open("rb") as stream:
        return stream.read(len(_MARK)) == _MARK


def read_run_file(path: Path) -> Tracked:
    """Return the logged numbers of a run file, its configuration, the machine's statistics, and how it ended."""
    found = Tracked()
    for message in _messages(path.read_bytes()[:LARGEST_BYTES]):
        try:
            for kind, _, content in fields(message):
                if isinstance(content, bytes):
                    _take(kind, content, found)
        except (WireError, UnicodeDecodeError, struct.error):
            found.broken += 1
    return found


def meta_of(found: Tracked) -> RunMeta:
    """Return what a run file says of the run beside its numbers."""
    planned = next((found.config[name] for name in _EPOCHS if name in found.config), None)
    epochs = number(planned)
    ended = "unfinished" if found.exit_code is None else "completed" if found.exit_code == 0 else "failed"
    whole = int(epochs) if epochs is not None and 0 < epochs < 1e6 and epochs == int(epochs) else None
    return RunMeta(planned_epochs=whole, status=ended)


def machine_series(found: Tracked) -> tuple[Series, ...]:
    """Return the telemetry of the first GPU, as the readers of telemetry tables name it."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for step, sample in enumerate(found.samples):
        for name, value in sample.items():
            device, _, what = name.removeprefix("system.").rpartition(".")
            if device == _DEVICE and what in _GPU:
                curves.setdefault(_GPU[what], []).append((step, value))
    shares = curves.pop("memory_share", [])
    used = dict(curves.get("memory_used", []))
    total = [(step, 100 * used[step] / share) for step, share in shares if share > 0 and step in used]
    if total:
        curves["memory_total"] = total
    return tuple(Series(f"gpu/{name}", [at for at, _ in points], [None] * len(points), [y for _, y in points])
                 for name, points in curves.items())  # fmt: skip


def with_machine(run: RunSeries, found: Tracked) -> RunSeries:
    """Return a run with the telemetry that was tracked beside it."""
    notes = (f"{found.broken} records of the run file are damaged and were left out",) if found.broken else ()
    return replace(run, series=(*run.series, *machine_series(found)), notes=(*run.notes, *notes))


def _messages(content: bytes) -> Iterator[bytes]:
    """The records, put together from their fragments; a torn last one of a growing file is left for the next look."""
    waiting = b""
    for at in range(0, len(content), _BLOCK):
        block = content[at + (_HEADER if at == 0 else 0) : at + _BLOCK]
        place = 0
        while place + _HEAD <= len(block):
            length, kind = struct.unpack_from("<HB", block, place + 4)
            data = block[place + _HEAD : place + _HEAD + length]
            place += _HEAD + length
            if not _FULL <= kind <= _LAST or len(data) < length:
                break  # zeros fill the end of a block
            waiting = data if kind in (_FULL, _FIRST) else waiting + data
            if kind in (_FULL, _LAST):
                yield waiting
                waiting = b""
            elif len(waiting) > _LARGEST_RECORD:
                waiting = b""


def _take(kind: int, content: bytes, found: Tracked) -> None:
    if kind == _HISTORY:
        _history(content, found)
    elif kind == _STATS:
        found.samples.append(dict(_numbers(content, item=3)))
    elif kind == _CONFIG:
        _configured(content, found)
    elif kind == _RUN:
        for name, _, inner in fields(content):
            if name == 4 and isinstance(inner, bytes):
                _configured(inner, found)
    elif kind == _EXIT:
        codes = [value for name, _, value in fields(content) if name == 1 and isinstance(value, int)]
        found.exit_code = codes[0] if codes else 0


def _history(content: bytes, found: Tracked) -> None:
    values = dict(_numbers(content, item=1))
    step = values.pop("_step", None)
    for name, _, inner in fields(content):
        if name == 2 and isinstance(inner, bytes):
            step = next((float(value) for one, _, value in fields(inner) if one == 1 and isinstance(value, int)), 0.0)
    kept = {name: value for name, value in values.items() if name not in _OWN and not name.startswith("_")}
    roles = {name: meaning(name).role for name in kept}
    epoch = next((kept[name] for name, role in roles.items() if role == "epoch"), None)
    said = next((kept[name] for name, role in roles.items() if role == "step"), step)
    curves = {name: value for name, value in kept.items() if roles[name] in ("curve", "rate", "gradient")}
    if curves:
        found.records.append(Record(curves, epoch=epoch, step=None if said is None else _whole(said)))


def _whole(value: float) -> int | None:
    return int(value) if 0 <= value < 1 << 53 else None


def _configured(content: bytes, found: Tracked) -> None:
    for name, _, inner in fields(content):
        if name == 1 and isinstance(inner, bytes):
            key, value = _item(inner)
            found.config[key] = value.get("value") if isinstance(value, dict) and "value" in value else value


def _numbers(content: bytes, *, item: int) -> Iterator[tuple[str, float]]:
    """Names and numbers of the items of a message."""
    for name, _, inner in fields(content):
        if name == item and isinstance(inner, bytes):
            key, value = _item(inner)
            if key and (known := number(value)) is not None:
                yield key, known


def _item(content: bytes) -> tuple[str, object]:
    """Name and value of an item: as JSON in older versions, as a number of its own in newer ones."""
    names: list[str] = []
    value: object = None
    for name, _, inner in fields(content):
        if name in (_KEY, _NESTED) and isinstance(inner, bytes):
            names.append(inner.decode("utf-8"))
        elif name == _JSON and isinstance(inner, bytes):
            try:
                value = json.loads(inner)
            except (ValueError, RecursionError):
                value = None
        elif name == _INTEGER and isinstance(inner, int):
            value = signed(inner)
        elif name == _NUMBER and isinstance(inner, bytes) and len(inner) == 8:
            (value,) = struct.unpack("<d", inner)
        elif name == _BOOLEAN and isinstance(inner, int):
            value = bool(inner)
    return "/".join(names), value
