"""The folder that a prepared copy is written to: what may stand in it, how far an interrupted run came, a full disk.

Nothing of the user's in it is touched: a folder that holds anything but this preparation's own beginning is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from knowledge.errors import InputError, UsageError

JOURNAL = ".preparing.jsonl"
_ELSEWHERE = "Name a new folder with --output."
_ROOM = 1.05
"""Disk space asked for beyond the samples: headers, manifest, provenance."""


def refuse_target(folder: Path) -> None:
    """Say before any work that nothing can be written there.

    Raises:
        UsageError: it is a file, lies below one, may not be written to, or holds something that is no begun copy.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not place.is_dir():
        raise UsageError(f"{place} is no folder, expected a new folder at {folder}", hint=_ELSEWHERE)
    if not os.access(place, os.W_OK | os.X_OK):
        raise UsageError(f"{place} may not be written to, expected a new folder at {folder}", hint=_ELSEWHERE)
    if place == folder and any(folder.iterdir()) and not (folder / JOURNAL).is_file():
        raise UsageError(f"{folder} is not empty, expected a new folder", hint=_ELSEWHERE)


def begun(folder: Path, settings: str) -> dict[str, dict[str, Any]]:
    """Return the records of an interrupted run of the same preparation, by the name of the clip.

    Raises:
        UsageError: there is something else in the folder.
    """
    refuse_target(folder)
    path = folder / JOURNAL
    if not path.is_file():
        return {}
    records = list(_whole_lines(path))
    if not records or records[0].get("settings") != settings:
        raise UsageError(f"{folder} was begun with another data set or other options", hint=_ELSEWHERE)
    return {record["clip"]: record for record in records[1:]}


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """A torn last line is what an interruption leaves."""
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def note(journal: TextIO, record: Mapping[str, Any]) -> None:
    """Add a clip that is written."""
    journal.write(json.dumps(record) + "\n")
    journal.flush()


def is_whole(file: Path, record: Mapping[str, Any]) -> bool:
    """Whether a clip of an earlier run is there as it was written: a machine that went down may leave half of it."""
    return file.is_file() and sha256(file) == record["sha256"]


def sha256(path: Path) -> str:
    """Return the hash of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a name of its own first, and give it its name when all of it is there."""
    part = path.with_suffix(".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def refuse_small_disk(folder: Path, needed_samples: float) -> None:
    """Say before the work that the copy does not fit.

    Raises:
        InputError: less is free than samples of 16 bit need.
    """
    import psutil

    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    needed, free = int(needed_samples * 2 * _ROOM), psutil.disk_usage(str(place)).free
    if needed > free:
        raise InputError(
            f"{folder}: the copy needs {_size(needed)}, and {_size(free)} are free",
            hint="Name a folder on another disk, or a lower --rate.",
        )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


@contextlib.contextmanager
def told_refusals(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses in the middle of the work into a message; what is written stays, and counts.

    Raises:
        InputError: the disk is full, was taken away or may no longer be written to.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{folder}: the copy cannot be written on: {reason}",
            hint="Make room, or mend what the message says; the same command then goes on where it stopped.",
        ) from None
