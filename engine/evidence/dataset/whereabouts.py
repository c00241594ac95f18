"""Finds audio by name where no file lies where the paths of a manifest say; opens none and changes none.

Data sets are published with bare names or ids beside a folder of clips (Common Voice, UrbanSound8K, ESC-50, LJSpeech),
and manifests are moved without their recordings.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .paths import find_files
from .readers.folder_walk import FolderWalk
from .suffixes import has_audio_suffix

_MOST_FOLDERS, _MOST_FOLDERS_ABOVE = 200_000, 20_000
"""Of a search: more than VoxCeleb has; whoever keeps more below one manifest can name the folder of the clips."""

_ONE_BEGINNING = 0.9
"""Of the rows that may be found: the rest are stray rows, and no second folder that tells clips apart."""


@dataclass(frozen=True)
class Whereabouts:
    """The file of each row, and what had to be done to find it."""

    files: list[str | None]
    changes: dict[int, tuple[str, ...]]
    """Rows whose path names a file only otherwise spelled, and what had to change."""
    note: str = ""


@dataclass(frozen=True)
class AudioPlaces:
    """The audio files below a folder, or, where it holds none, below the one that it stands in; listed when needed."""

    base: Path
    nearby: bool = True
    """Whether the folder above may be looked into."""

    def find(self, paths: Sequence[str]) -> Whereabouts:
        """Return the file of each path, relative to `base`; where there is none for any of them, search by name."""
        files, changes = find_files(self.base, paths)
        if any(files) or not len(paths):
            return Whereabouts(files, changes)
        return self._searched(paths) or Whereabouts(files, changes)

    def known_share(self, names: Sequence[str]) -> float:
        """Return which part of these are names or ids of files below `base`, 0 to 1.

        Files elsewhere do not count: that there is a 1.wav somewhere says nothing of a column that begins with 1.
        """
        if self._listing[0] != self.base:
            return 0.0
        return sum(bool(self._candidates(name)) for name in names) / max(1, len(names))

    @cached_property
    def _listing(self) -> tuple[Path, dict[str, list[tuple[str, ...]]]]:
        """The folder that was searched, and the parts of the path of each file, by its name and by its name's stem."""
        for top in (self.base, *self._above()):
            by_name: dict[str, list[tuple[str, ...]]] = defaultdict(list)
            most = _MOST_FOLDERS if top == self.base else _MOST_FOLDERS_ABOVE
            for file in FolderWalk(top, most_folders=most).files():
                by_name[file.name].append(file.parts)
                by_name[file.stem].append(file.parts)
            if by_name:
                return top, by_name
        return self.base, {}

    def _above(self) -> Iterator[Path]:
        """A folder `meta` or `manifests` stands beside the clips; a home or the root holds too much of other kinds."""
        above = self.base.resolve().parent
        if self.nearby and above not in (Path.home(), Path(above.anchor), self.base.resolve()):
            yield above

    def _candidates(self, path: str) -> list[tuple[str, ...]]:
        name = re.split(r"[\\/]", path.strip())[-1]
        return self._listing[1].get(name, []) if name else []

    def _searched(self, paths: Sequence[str]) -> Whereabouts | None:
        """Take the files whose paths end like those of the rows, after one beginning; None where that is not most rows.

        A beginning that differs from row to row is a folder that tells the clips apart, and must not be left out.
        """
        matches = [self._match(path) for path in paths]
        beginnings = Counter(begin for begin, _ in filter(None, matches))
        if not beginnings:
            return None
        begin, count = beginnings.most_common(1)[0]
        if count * 2 < len(paths) or count < _ONE_BEGINNING * beginnings.total():
            return None
        top = self._listing[0]
        parts = [match[1] if match and match[0] == begin else None for match in matches]
        files = [None if found is None else str(top.joinpath(*found)) for found in parts]
        return Whereabouts(files, {}, _told(self.base, top, begin, [found for found in parts if found], len(paths)))

    def _match(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Return the beginning of a path that is left out, and the parts of the one file that ends like the rest."""
        wanted = tuple(part for part in re.split(r"[\\/]+", path.strip()) if part not in ("", "."))
        lengths = [(_same_end(wanted, found), found) for found in self._candidates(path)]
        longest = max((length for length, _ in lengths), default=0)
        best = [found for length, found in lengths if length == longest]
        return (wanted[: len(wanted) - longest], best[0]) if longest and len(best) == 1 else None


def _same_end(wanted: tuple[str, ...], found: tuple[str, ...]) -> int:
    """Return how many parts at the end are the same; the name may lack its suffix."""
    if wanted[-1] != found[-1] and (has_audio_suffix(wanted[-1]) or wanted[-1] != Path(found[-1]).stem):
        return 0
    same = 1
    for one, other in zip(reversed(wanted[:-1]), reversed(found[:-1]), strict=False):
        if one != other:
            break
        same += 1
    return same


def _told(base: Path, top: Path, begin: tuple[str, ...], found: list[tuple[str, ...]], rows: int) -> str:
    shared = found[0][:-1]
    for parts in found:
        while parts[: len(shared)] != shared:
            shared = shared[:-1]
    left_out = f", without {'/'.join(begin)!r}" if begin else ""
    return (
        f"No file lies where the paths say, beginning at {base}; {len(found)} of {rows} were found by name below "
        f"{top.joinpath(*shared)}{left_out}. --audio-root names another folder."
    )
