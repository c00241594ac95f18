"""What a project says about the versions of its packages: requirement files, environments, images; installs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .places import Place
from .project import Project

_MOST_BYTES = 500_000
_LISTS = re.compile(
    r"(?i)(requirements?|constraints)[\w.-]*\.(txt|in)|environment\w*\.ya?ml|env\w*\.ya?ml|conda\w*\.ya?ml"
)
_OTHERS = {"setup.py", "setup.cfg", "pyproject.toml", "Pipfile", "Dockerfile", "dockerfile"}
_LOCKS = {"poetry.lock", "Pipfile.lock", "uv.lock", "conda-lock.yml", "pdm.lock"}
_NAME = r"(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,-]+\])?"
_PINNED = re.compile(_NAME + r"\s*={2,3}\s*[\"']?v?(?P<version>\d[\w.+-]*)")
_CONDA = re.compile(r"^\s*-\s*(?:[\w-]+::)?" + _NAME + r"\s*=\s*(?P<version>\d[\w.+*-]*)")
_TOML = re.compile(
    r"^\s*[\"']?" + _NAME + r"[\"']?\s*=\s*(?:\{\s*version\s*=\s*)?[\"'](?:==)?(?P<version>\d[\w.+-]*)[\"']"
)
_TOML_OPEN = re.compile(r"^\s*[\"']?" + _NAME + r"[\"']?\s*=\s*[\"'{]")
_IMAGE = re.compile(r"(?i)^\s*FROM\s+(?:[\w./-]*/)?(?P<name>[\w-]+):v?(?P<version>\d[\w.-]*)")
_OPEN = re.compile(r"^\s*-?\s*[\"']?" + _NAME + r"\s*(?:$|[<>~!^;#,\"'])")
_INSTALLS = re.compile(
    r"^\s*(?:[!%]\s*)?(?:RUN\s+)?(?:python3? -m\s+)?(?:pip3?|conda|mamba|uv)\b.*\binstall\b(?P<rest>.*)"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package that a project asks for."""

    package: str
    version: str
    """The one version that is installed, or empty when several would do."""
    place: Place


def read_requirements(project: Project) -> tuple[Requirement, ...]:
    """Return every package that the files of a project ask for, pinned ones with their version."""
    found: list[Requirement] = []
    for file in sorted(project.root.rglob("*")):
        if not file.is_file() or file.stat().st_size > _MOST_BYTES or _hidden(file.relative_to(project.root)):
            continue
        path = file.relative_to(project.root).as_posix()
        if file.name in _LOCKS:
            found += _locked(file, path)
        elif _LISTS.fullmatch(file.name) or file.name in _OTHERS or file.name.endswith(".Dockerfile"):
            for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
                found += _of_line(line, Place(path, number), file.name)
    for source in project.sources.values():
        if source.cells:
            found += _of_notebook(project.root / source.path, source.path)
    return tuple(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part in ("node_modules", "site-packages") for part in path.parts[:-1])


def _of_line(line: str, place: Place, name: str) -> Iterator[Requirement]:
    text = line.split("#")[0]
    if image := _IMAGE.match(text):
        yield Requirement(_named(image["name"]), image["version"], place)
        return
    pinned = list(_PINNED.finditer(text))
    if not pinned and name.endswith((".yml", ".yaml")):
        pinned = [match] if (match := _CONDA.match(text)) else []
    if not pinned and name in ("pyproject.toml", "Pipfile"):
        pinned = [match] if (match := _TOML.match(text)) else []
    for match in pinned:
        yield Requirement(_named(match["name"]), match["version"], place)
    listed = _TOML_OPEN if name in ("pyproject.toml", "Pipfile") else _OPEN
    if not pinned and (match := listed.match(text) or _OPEN.match(text)):
        yield Requirement(_named(match["name"]), "", place)


def _of_notebook(file: Path, path: str) -> Iterator[Requirement]:
    """Return what the install commands of a notebook pin."""
    for line in file.read_text("utf-8", "replace").splitlines():
        command = _INSTALLS.match(line.strip().lstrip('"'))
        for match in _PINNED.finditer(command["rest"]) if command else ():
            yield Requirement(_named(match["name"]), match["version"], Place(path, 1))


def _locked(file: Path, path: str) -> Iterator[Requirement]:
    """Return the packages of a lock file, in whose formats a name and its version stand on lines of their own."""
    name = ""
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if match := re.match(r"""\s*"?(?:- )?name"?\s*[:=]\s*["']?([\w.-]+)|\s*"([\w.-]+)": \{""", line):
            name = match[1] or match[2]
        elif (match := re.match(r"""\s*"?version"?\s*[:=]\s*["']?(?:==)?(\d[\w.+-]*)""", line)) and name:
            yield Requirement(_named(name), match[1], Place(path, number))


def _named(name: str) -> str:
    return {"pytorch": "torch", "tensorflow-gpu": "tensorflow"}.get(name.lower(), name.lower().replace("_", "-"))


def version_below(version: str, other: str) -> bool:
    """Return whether `version` came before `other`."""
    return _numbers(version) < _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
