"""`[tool.tonmeister.review]` of a project's pyproject.toml, and what the command line adds; judges nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import InputError, UsageError

from .records import ReviewFinding

_PARENTS = 4
"""Folders above a script that may hold its project's settings."""


@dataclass(frozen=True)
class ReviewSettings:
    """What a project wants to hear of, and what reading alone does not tell."""

    select: tuple[str, ...] = ()
    """Checks, or patterns such as `train.*`; empty: all."""
    ignore: tuple[str, ...] = ()
    per_file: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What is ignored in files that match a pattern."""
    entry: str = ""
    launch: str = ""
    """The command that starts the training, such as `python train.py --lr 1e-4`."""
    answers: dict[str, Any] = field(default_factory=dict)
    """Facts, and states of checks, that somebody knows."""
    baseline: str = ""
    folder: Path | None = None
    """Where the settings were found; None: nowhere."""

    def wants(self, *names: str) -> bool:
        """Return whether a check is to be told, by its id and the rule that speaks of it."""
        if self.select and not _any(names, self.select):
            return False
        return not _any(names, self.ignore)

    def divide(self, findings: Iterable[ReviewFinding]) -> tuple[list[ReviewFinding], list[tuple[ReviewFinding, str]]]:
        """Divide findings into those that are wanted and those that are not, with the reason."""
        wanted, unwanted = [], []
        for finding in findings:
            path = (finding.anchor.path or "") if finding.anchor else ""
            ids = (finding.id, finding.rule)
            if not self.wants(*ids):
                unwanted.append((finding, "not selected"))
            elif any(fnmatchcase(path, glob) and _any(ids, ids_off) for glob, ids_off in self.per_file.items()):
                unwanted.append((finding, f"ignored in {path}"))
            else:
                wanted.append(finding)
        return wanted, unwanted


def _any(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """`train` and `train.*` stand for a dimension."""
    return any(fnmatchcase(name, each) or name.startswith(f"{each}.") for name in names for each in patterns)


class _Section(BaseModel):
    """The section as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file: dict[str, tuple[str, ...]] = Field(default_factory=dict, alias="per-file")
    entry: str = ""
    launch: str = ""
    answers: dict[str, bool | int | float | str] = Field(default_factory=dict)
    baseline: str = ""


def read_settings(path: Path) -> ReviewSettings:
    """Return the settings of the project that `path` lies in; none when no pyproject.toml has the section.

    Raises:
        InputError: the pyproject.toml is not TOML.
        UsageError: a key is misspelt or of a wrong type.
    """
    folder = path.absolute() if path.is_dir() else path.absolute().parent
    for candidate in [folder, *folder.parents][:_PARENTS]:
        file = candidate / "pyproject.toml"
        section = _section(file) if file.is_file() else None
        if section is not None:
            return _parsed(section, file)
    return ReviewSettings()


def _section(file: Path) -> Any:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file}: not TOML ({error})", hint="Mend the file, or name its settings as options."
        ) from None
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    tool = content.get("tool", {})
    ours = tool.get("tonmeister", {}) if isinstance(tool, dict) else {}
    return ours.get("review") if isinstance(ours, dict) else None


def _parsed(section: Any, file: Path) -> ReviewSettings:
    try:
        read = _Section.model_validate(section)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the section"
        raise UsageError(
            f"{file}: [tool.tonmeister.review] {key}: {first['msg']}",
            hint="The keys are select, ignore, per-file, entry, launch, answers, baseline.",
        ) from None
    return ReviewSettings(**dict(read), folder=file.parent)
