"""Lists the audio files below a folder, through links to folders too, and ends whatever they point at; opens none."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ..paths import has_no_recordings, is_text
from ..suffixes import has_audio_suffix

MOST_TIMES = 8
"""Links may name one folder so often: more than any split needs, and few enough that links to links stay few."""


class FolderWalk:
    """The audio files below a folder in alphabetical order; `notes` says afterwards what was left out.

    Other files are listed where their names are wanted. A walk may be bounded: it then ends after so many folders, and
    says nothing of the rest.
    """

    def __init__(
        self, folder: Path, wanted: Callable[[str], bool] = has_audio_suffix, *, most_folders: int | None = None
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._most_folders = most_folders
        self._listed: Counter[str] = Counter()
        self.skipped: list[tuple[str, str]] = []
        """Each link and why."""
        self.unnamed: list[str] = []
        """Files that no manifest can name."""

    def files(self) -> Iterator[Path]:
        """Go through the folder, and give the files relative to it."""
        root = str(self._folder)
        for place, folders, names in islice(os.walk(root, followlinks=True), self._most_folders):
            folders[:] = [name for name in sorted(folders) if self._may_enter(place, name)]
            for name in sorted(names):
                if name.startswith(".") or not self._wanted(name):
                    continue
                file = Path(place, name).relative_to(root)
                if is_text(str(file)):
                    yield file
                else:
                    self.unnamed.append(str(file))

    def _may_enter(self, place: str, name: str) -> bool:
        path = os.path.join(place, name)  # noqa: PTH118 - a string a folder, of hundreds of thousands
        if name.startswith((".", "__MACOSX")):
            return False
        if not os.path.islink(path):  # noqa: PTH114
            return True
        reason = self._why_not(place, os.path.realpath(path))
        if reason:
            self.skipped.append((Path(path).relative_to(self._folder).as_posix(), reason))
        return not reason

    def _why_not(self, place: str, target: str) -> str:
        """Why a link in a folder is not followed; empty where it is."""
        here = os.path.realpath(place)
        if (here + "/").startswith(target.rstrip("/") + "/"):
            return "it leads back to a folder that it stands in"
        if has_no_recordings(target):
            return "it leads to a folder of the kernel"
        self._listed[target] += 1
        return f"{MOST_TIMES} links to the same folder come before it" if self._listed[target] > MOST_TIMES else ""

    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each reason, with the first links or files and how many more there are."""
        by_reason: dict[str, list[str]] = {}
        for link, reason in self.skipped:
            by_reason.setdefault(reason, []).append(link)
        told = [f"Links to folders that were not followed: {_some(links)}: {why}." for why, links in by_reason.items()]
        if self.unnamed:
            told.append(f"Files whose names are not UTF-8, so that no manifest can hold them: {_some(self.unnamed)}.")
        return tuple(told)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
