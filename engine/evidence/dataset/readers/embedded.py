"""Lays sound that an Arrow file holds as bytes out as files in the user's cache, once; decodes and removes nothing.

A second reading finds them there. They are named by row and by the name that the data set gives, never by its folders.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import InputError

from ..scan_cache import default_cache

_STRANGE = re.compile(r"[^\w.-]")
_LONGEST = 60


def sound_folder(files: Sequence[Path]) -> Path:
    """Return the folder of the cache for the sound of these files as they are now."""
    told = []
    for file in files:
        status = file.stat()
        told.append(f"{file.absolute()} {status.st_size} {status.st_mtime_ns}")
    digest = hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()
    return default_cache().parent / "sound" / digest[:16]


def lay_out(folder: Path, source: Path, row: int, name: str, content: bytes) -> str:
    """Write the sound of one row unless it is there already; return its path relative to the folder.

    Raises:
        InputError: it cannot be written.
    """
    plain = _STRANGE.sub("_", name.replace("\\", "/").rpartition("/")[2])[-_LONGEST:]
    place = Path(_STRANGE.sub("_", source.stem)[-_LONGEST:]) / f"{row:07d}{'-' if plain else ''}{plain}"
    target = folder / place
    try:
        if not target.is_file() or target.stat().st_size != len(content):
            target.parent.mkdir(parents=True, exist_ok=True)
            made = target.with_name(f".{os.getpid()}-{target.name}")
            made.write_bytes(content)
            made.replace(target)
    except OSError as error:
        raise InputError(
            f"{source} holds its sound as bytes, and they cannot be laid out as files in {folder}: {error.strerror}",
            hint="Name a folder with room in TONMEISTER_CACHE, or audit the manifest alone with --manifest-only.",
        ) from None
    return place.as_posix()
