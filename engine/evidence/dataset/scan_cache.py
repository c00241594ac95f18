"""Keeps what scanning measured, by path, size, time of change, bounds and method; judges nothing, trusts no old method.

SQLite in write-ahead mode: a process that is killed at any moment loses only what it had not handed over.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType

import numpy as np

from knowledge.errors import InputError

from .batch import Part
from .clips import Clip
from .records import Region

_OLD_SECONDS = 30 * 24 * 3600
"""A method that nobody used for a month is forgotten."""
_TABLES = """
CREATE TABLE IF NOT EXISTS layouts (id INTEGER PRIMARY KEY, names TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS clips (
  key BLOB PRIMARY KEY, clip TEXT NOT NULL, layout INTEGER NOT NULL, numbers BLOB NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another."""

    size: int
    mtime_ns: int


class ScanCache:
    """A file of measured clips in a folder; use it as a context."""

    def __init__(self, folder: Path) -> None:
        file = folder / f"clips-{method_version()}.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _forget_old(folder, file)
            self._base = sqlite3.connect(file, timeout=30)
            self._base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)
            file.touch()
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"{folder}: the cache of measured clips cannot be used: {error}; "
                "expected a folder that can be written; name another with --cache, or use --no-cache"
            ) from error
        self._layouts: dict[str, int] = {}

    def __enter__(self) -> ScanCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    @staticmethod
    def key(region: Region, stamp: Stamp) -> bytes:
        """Return what tells a region of one state of its file from all others."""
        bounds = (region.start_seconds, region.stop_seconds, region.channel)
        path = region.path if region.path.startswith("/") else str(region.file.absolute())
        text = f"{path}\0{stamp.size} {stamp.mtime_ns} {bounds}"
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()

    def find(self, regions: Sequence[Region], keys: Mapping[bytes, int]) -> Iterator[tuple[list[int], Part]]:
        """Yield the places of known clips with what is known; `keys` says which place a key is of, a few hundred."""
        marks = ",".join("?" * len(keys))
        query = f"SELECT key, clip, names, numbers FROM clips JOIN layouts ON layout = id WHERE key IN ({marks})"
        groups: dict[str, list[tuple[int, str, bytes]]] = {}
        for key, clip, names, numbers in self._base.execute(query, list(keys)):
            groups.setdefault(names, []).append((keys[key], clip, numbers))
        for names, rows in groups.items():
            yield [place for place, _, _ in rows], _part(names, rows, regions)

    def keep(self, part: Part, keys: Sequence[bytes | None]) -> None:
        """Write a part; what is kept is on the disk when this returns. What has no key is not kept."""
        layout = self._layout(part)
        numbers, tables = np.asarray(part.numbers, "<f8"), np.hstack([part.profiles, part.cepstra]).astype("<f4")
        rows = [
            (key, _written(clip), layout, numbers[place].tobytes() + tables[place].tobytes() + part.outlines[place])
            for place, (clip, key) in enumerate(zip(part.clips, keys, strict=True))
            if key is not None
        ]
        # a full disk costs the cache, not the audit
        with contextlib.suppress(sqlite3.OperationalError), self._base:
            self._base.executemany("INSERT OR REPLACE INTO clips VALUES (?, ?, ?, ?)", rows)

    def _layout(self, part: Part) -> int:
        names = json.dumps([part.names, part.profiles.shape[1], part.cepstra.shape[1]])
        if names not in self._layouts:
            with self._base:
                self._base.execute("INSERT OR IGNORE INTO layouts (names) VALUES (?)", (names,))
            found = self._base.execute("SELECT id FROM layouts WHERE names = ?", (names,)).fetchone()
            self._layouts[names] = found[0]
        return self._layouts[names]


def stamp_of(file: str) -> Stamp | None:
    """Return the state of a file; None when it has none."""
    try:
        status = os.stat(file)  # noqa: PTH116 - a Path takes longer to make than to ask
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)


def default_cache() -> Path:
    """Return the folder for measured clips under TONMEISTER_CACHE, or in the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("TONMEISTER_CACHE")
    return (Path(named) if named else user_cache_path("tonmeister")) / "audit"


@cache
def method_version() -> str:
    """Return a name for how clips are decoded and measured: it changes with the code and with the decoders."""
    import soundfile

    from .second_decoder import second_name

    folder = Path(__file__).parent
    digest = hashlib.sha256(f"{soundfile.__libsndfile_version__} {second_name()}".encode())
    names = ("batch", "clips", "containers", "content_hash", "decode", "plain_wav", "sample_reader", "second_decoder")
    for source in (*(folder / f"{name}.py" for name in names), *sorted((folder / "signals").rglob("*.py"))):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _written(clip: Clip) -> str:
    return json.dumps(clip[1:])


def _part(layout: str, rows: list[tuple[int, str, bytes]], regions: Sequence[Region]) -> Part:
    names, bands, coefficients = json.loads(layout)
    wide, width = 8 * len(names), bands + coefficients
    numbers = np.stack([np.frombuffer(blob, "<f8", len(names)) for _, _, blob in rows])
    tables = np.stack([np.frombuffer(blob, "<f4", width, wide) for _, _, blob in rows])
    clips = tuple(Clip(regions[place], *json.loads(text)) for place, text, _ in rows)
    outlines = tuple(blob[wide + 4 * width :] for _, _, blob in rows)
    return Part(clips, tuple(names), numbers, tables[:, :bands], tables[:, bands:], outlines)


def _forget_old(folder: Path, current: Path) -> None:
    for file in folder.glob("clips-*.sqlite"):
        if file != current and time.time() - file.stat().st_mtime > _OLD_SECONDS:
            for end in ("", "-wal", "-shm"):
                Path(f"{file}{end}").unlink(missing_ok=True)
