"""Finds the files that a manifest's paths mean, also when they are spelled otherwise on disk; never changes a file.

Only regular files count: a row may name a device or a pipe, and opening one can hang or never end.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path


def find_files(base: Path, paths: Sequence[str]) -> tuple[list[str | None], dict[int, tuple[str, ...]]]:
    """Return the file of each path, None where there is none, and what had to change for the rows where something had.

    Every folder is listed once, which is an order of magnitude cheaper than asking for each file; only a path that
    is in no listing is looked for by itself.
    """
    finder = PathFinder(base)
    listings = _Listings(base, finder)
    found: list[str | None] = list(map(listings.file, paths))
    changes: dict[int, tuple[str, ...]] = {}
    for place in [place for place, file in enumerate(found) if file is None]:
        if listings.may_be_otherwise(paths[place]):
            other, changed = finder.find(paths[place])
            found[place] = None if other is None else str(other)
            if changed:
                changes[place] = changed
    return [file if file is None or is_text(file) else None for file in found], changes


def is_text(name: str) -> bool:
    """Whether a name can be written down: bytes that are not UTF-8 come as halves of surrogate pairs."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Listings:
    """The regular files of every folder that a path names, by the folder as it is written."""

    def __init__(self, base: Path, finder: PathFinder) -> None:
        self._base = base
        self._finder = finder
        self._names: dict[str, tuple[str, frozenset[str]]] = {}
        self._alike: dict[str, frozenset[str]] = {}

    def file(self, path: str) -> str | None:
        name = path[path.rfind("/") + 1 :]
        folder = path[: len(path) - len(name)]
        listing = self._names.get(folder)
        if listing is None:
            place = str(self._base / folder)
            listing = self._names[folder] = (place if place.endswith("/") else place + "/", _regular_files(place))
        return listing[0] + name if name in listing[1] else None

    def may_be_otherwise(self, path: str) -> bool:
        """Whether another spelling of the path may name a file; False saves a search that finds nothing."""
        name = path[path.rfind("/") + 1 :]
        folder = path[: len(path) - len(name)]
        place, names = self._names.get(folder, ("", frozenset()))
        if "\\" in path or path != path.strip() or not name or _is_closed(place):
            return True
        if folder not in self._alike:
            other = () if names else self._finder.names_in(folder)
            self._alike[folder] = frozenset(_composed(one).casefold() for one in (*names, *other))
        return _composed(name).casefold() in self._alike[folder]


def _regular_files(folder: str) -> frozenset[str]:
    if has_no_recordings(folder):
        return frozenset()
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except (OSError, ValueError):  # no folder, none that may be listed, or a name with a null character
        return frozenset()
    try:
        return frozenset([entry.name for entry in entries if entry.is_file()])
    except OSError:  # one of them is a symbolic link in a circle
        return frozenset(entry.name for entry in entries if _is_regular(entry))


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a symbolic link in a circle
        return False


def has_no_recordings(folder: str) -> bool:
    """Whether it is a folder of the kernel, whose files have no size, or no end."""
    return (os.path.realpath(folder.replace("\0", "")) + "/").startswith(("/proc/", "/sys/", "/dev/"))


@lru_cache(maxsize=1 << 16)
def _is_closed(folder: str) -> bool:
    """Whether a folder may be entered and not listed, so that each file has to be asked for."""
    try:
        return Path(folder).is_dir() and not os.access(folder, os.R_OK)
    except (OSError, ValueError):
        return False


class PathFinder:
    """Resolves clip paths against one folder; folders are listed once each, and only when a path does not fit."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._listings: dict[Path, dict[str, list[str]]] = {}

    def find(self, text: str) -> tuple[Path | None, tuple[str, ...]]:
        """Return the file and what had to change (`backslash`, `blank`, `case`, `unicode`); None when there is no file.

        An ambiguous spelling (two files that differ in case only) names no file.
        """
        if not text.strip():
            return None, ()
        written = self._base / text
        if _exists(written):
            return written, ()
        path = self._step_by_step(text.replace("\\", "/"))
        return (None, ()) if path is None else (path, tuple(_changes(text, path)))

    def names_in(self, folder: str) -> frozenset[str]:
        """Return the regular files of the folder that a path means, also when it is spelled otherwise on disk."""
        place = self._folder(folder, _parts(folder))
        return frozenset() if place is None else _regular_files(str(place))

    def _step_by_step(self, text: str) -> Path | None:
        """Follow the path a folder at a time, taking the exact name where it exists and the only lookalike where not.

        Only the last name may differ in case: folders that differ in case hold different clips more often than not.
        """
        *folders, name = _parts(text) or [""]
        here = self._folder(text, folders)
        if here is None:
            return None
        if _exists(here / name):
            return here / name
        found = self._lookalikes(here, name)
        exact = [entry for entry in found if _composed(entry) == _composed(name)] or found
        return here / exact[0] if len(exact) == 1 and _exists(here / exact[0]) else None

    def _folder(self, text: str, folders: Sequence[str]) -> Path | None:
        here = Path("/") if text.strip().startswith("/") else self._base
        for folder in folders:
            step = here / folder
            if not _exists(step, folder=True):
                same = [entry for entry in self._lookalikes(here, folder) if _composed(entry) == _composed(folder)]
                if len(same) != 1:
                    return None
                step = here / same[0]
            here = step
        return here

    def _lookalikes(self, folder: Path, name: str) -> list[str]:
        if folder not in self._listings:
            listing: dict[str, list[str]] = {}
            for other in _entries(folder):
                listing.setdefault(_composed(other).casefold(), []).append(other)
            self._listings[folder] = listing
        return self._listings[folder].get(_composed(name).casefold(), [])


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except (OSError, ValueError):  # no folder, or none that may be listed
        return []


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _exists(path: Path, *, folder: bool = False) -> bool:
    try:
        return path.is_dir() if folder else path.is_file() and not has_no_recordings(str(path))
    except (OSError, ValueError):  # a name too long or with a null character, or a folder that may not be entered
        return False


def _parts(text: str) -> list[str]:
    return [part for part in text.strip().split("/") if part not in ("", ".")]


def _changes(text: str, path: Path) -> Iterator[str]:
    """Name the differences between what was written and what was found."""
    if "\\" in text:
        yield "backslash"
    if text != text.strip():
        yield "blank"
    written = _parts(text.replace("\\", "/"))
    pairs = list(zip(written, path.parts[-len(written) :], strict=True))
    if any(_composed(wanted) != _composed(found) for wanted, found in pairs):
        yield "case"
    if any(wanted.casefold() != found.casefold() for wanted, found in pairs):
        yield "unicode"
