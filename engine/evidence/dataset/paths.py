"""Finds the file that a manifest's path means, also when it is spelled otherwise on disk; never changes a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path


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

    def _step_by_step(self, text: str) -> Path | None:
        """Follow the path a folder at a time, taking the exact name where it exists and the only lookalike where not.

        Only the last name may differ in case: folders that differ in case hold different clips more often than not.
        """
        *folders, name = _parts(text) or [""]
        here = Path("/") if text.strip().startswith("/") else self._base
        for folder in folders:
            step = here / folder
            if not _exists(step, folder=True):
                same = [entry for entry in self._lookalikes(here, folder) if _composed(entry) == _composed(folder)]
                if len(same) != 1:
                    return None
                step = here / same[0]
            here = step
        if _exists(here / name):
            return here / name
        found = self._lookalikes(here, name)
        exact = [entry for entry in found if _composed(entry) == _composed(name)] or found
        return here / exact[0] if len(exact) == 1 and _exists(here / exact[0]) else None

    def _lookalikes(self, folder: Path, name: str) -> list[str]:
        if folder not in self._listings:
            listing: dict[str, list[str]] = {}
            for entry in folder.iterdir() if _exists(folder, folder=True) else ():
                listing.setdefault(_composed(entry.name).casefold(), []).append(entry.name)
            self._listings[folder] = listing
        return self._listings[folder].get(_composed(name).casefold(), [])


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _exists(path: Path, *, folder: bool = False) -> bool:
    try:
        return path.is_dir() if folder else path.is_file()
    except OSError:  # a name longer than the file system takes, or a folder that may not be entered
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
