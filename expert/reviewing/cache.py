"""Keeps reports by the content of everything they were read from; never says what a changed project was like."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.evidence.script.project import files_below, root_of

from .records import ReviewReport

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_READ = (
    ".py", ".ipynb", ".yaml", ".yml", ".json", ".toml", ".cfg", ".ini", ".gin", ".sh", ".bash", ".slurm", ".sbatch",
    ".txt", ".lock",
)  # fmt: skip
"""Suffixes of files that a review may read; of all others it sees the names at most."""
_MOST_BYTES = 4_000_000
_MOST_REPORTS = 100


def cache_folder() -> Path:
    """Return the folder under TONMEISTER_CACHE, or in the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("TONMEISTER_CACHE")
    return (Path(named) if named else user_cache_path("tonmeister")) / "review"


def digest_of(path: Path, *more: str) -> str:
    """Return the digest of the project that `path` lies in and of everything else that its report follows from."""
    root = path if path.is_dir() else root_of(path)
    found = hashlib.sha256("\0".join((str(path.absolute()), _program(), *more)).encode("utf-8", "replace"))
    for file in files_below(root):
        found.update(f"\0{file.relative_to(root).as_posix()}\0".encode("utf-8", "replace"))
        if file.suffix in _READ or not file.suffix:
            found.update(_content(file))
    return found.hexdigest()


@cache
def _program() -> str:
    """Another version of what reads and judges gives another report; size and time tell one."""
    ours = Path(__file__).parents[2]
    parts = (ours / "engine" / "evidence" / "script", ours / "expert")
    files = sorted(file for part in parts for file in part.rglob("*.py"))
    return " ".join(f"{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files)


def _content(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        return file.read_bytes() if size <= _MOST_BYTES else f"{size}".encode()
    except OSError as error:
        return str(error.errno).encode()


def read_report(digest: str) -> ReviewReport | None:
    """Return the report kept under a digest; None when there is none, or none that can be read."""
    try:
        return _adapter().validate_json((cache_folder() / f"{digest}.json").read_bytes())
    except (OSError, ValueError):
        return None


def keep_report(digest: str, report: ReviewReport) -> None:
    """Keep a report; a full disk or a folder without rights keeps none and harms nothing."""
    from engine.plan import write_atomically

    folder = cache_folder()
    try:
        write_atomically(folder / f"{digest}.json", _adapter().dump_json(report).decode())
        old = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)[:-_MOST_REPORTS]
        for file in old:
            file.unlink(missing_ok=True)
    except OSError:
        return


@cache
def _adapter() -> TypeAdapter[ReviewReport]:
    from pydantic import TypeAdapter

    return TypeAdapter(ReviewReport)
