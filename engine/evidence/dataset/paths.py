"""Finds the file that a manifest's path means, also when it is spelled otherwise on disk; never changes a file."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path


class PathFinder:
    """Resolves clip paths against one folder; folders are listed once each, and only when a path does not fit."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._listings: dict[Path, dict[str, list[str]]] = {}

    def find(self, text: str) -> tuple[Path | None, tuple[str, ...]]:
        """Return the file and what had to change: `backslash`, `unicode`, `case`; (None, ()) when there is none.

        An ambiguous spelling (two files that differ in case only) names no file.
        """
        if not text.strip():
            return None, ()
        written = self._base / text
        if written.is_file():
            return written, ()
        slashed = text.replace("\\", "/")
        path = self._step_by_step(slashed)
        if path is None:
            return None, ()
        return path, _changes(text, slashed, path)

    def _step_by_step(self, text: str) -> Path | None:
        """Follow the path a folder at a time, taking the exact name where it exists and the only lookalike where not.

        Only the last name may differ in case: folders that differ in case hold different clips more often than not.
        """
        *folders, name = [part for part in text.strip().split("/") if part not in ("", ".")] or [""]
        here = Path("/") if text.startswith("/") else self._base
        for folder in folders:
            step = here / folder
            if not step.is_dir():
                same = [entry for entry in self._lookalikes(here, folder) if _composed(entry) == _composed(folder)]
                if len(same) != 1:
                    return None
                step = here / same[0]
            here = step
        if (here / name).is_file():
            return here / name
        found = self._lookalikes(here, name)
        exact = [entry for entry in found if _composed(entry) == _composed(name)] or found
        return here / exact[0] if len(exact) == 1 and (here / exact[0]).is_file() else None

    def _lookalikes(self, folder: Path, name: str) -> list[str]:
        if folder not in self._listings:
            listing: dict[str, list[str]] = {}
            for entry in os.listdir(folder) if folder.is_dir() else ():
                listing.setdefault(_composed(entry).casefold(), []).append(entry)
            self._listings[folder] = listing
        return self._listings[folder].get(_composed(name).casefold(), [])


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _changes(text: str, slashed: str, path: Path) -> tuple[str, ...]:
    """Name the differences; a folder may differ in Unicode form, the file name also in case."""
    wanted, found = slashed.strip().split("/")[-1], path.name
    changes = ["backslash"] if slashed != text else []
    if _composed(wanted) != _composed(found):
        changes.append("case")
    parts = [part for part in slashed.strip().split("/") if part not in ("", ".")]
    exact = unicodedata.is_normalized("NFC", "/".join(parts)) == unicodedata.is_normalized(
        "NFC", "/".join(path.parts[-len(parts) :])
    )
    if not exact:
        changes.append("unicode")
    return tuple(changes)
