"""Finds the files of a training project, its entry point and its modules; reads them, and executes nothing."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from knowledge.errors import InputError, UsageError

from .launches import Launch, launches_of, read_launches
from .sources import Broken, Source, read_source

_LEFT_OUT = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "wandb", "mlruns"}
_MARKS_OF_A_ROOT = (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "environment.yml")
_CONFIGURATIONS = (".yaml", ".yml", ".json", ".toml", ".cfg", ".ini", ".gin")
_MOST_CONFIGURATION_BYTES = 1_000_000
"""A longer file is data, not settings."""
_TRAINING = re.compile(
    r"\.backward\(|optimizer\.step\(|\bTrainer\(|\.fit\(|\.train\(|GradientTape|fit_generator|training_step|Brain\b"
)
_RUNS = re.compile(r"""^if\s+__name__\s*==\s*['"]__main__['"]""", re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """The files of one project."""

    root: Path
    entry: str
    """Path of the file that starts the training, relative to `root`."""
    alternatives: tuple[str, ...] = ()
    """Other files that might be meant."""
    sources: dict[str, Source] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    launches: tuple[Launch, ...] = ()
    """Commands of shell scripts that start the entry file."""

    @cached_property
    def modules(self) -> dict[str, str]:
        """Path of each file by its dotted name from the root."""
        return {dotted(path): path for path in self.sources}

    def find(self, name: str, importer: str, level: int = 0) -> str | None:
        """Return the path of the project's module that `import name` in the file `importer` means, or None.

        Looks beside the importer, beside the entry, at the root, then for the only file whose name ends so: scripts
        change `sys.path` and working folders in many ways.
        """
        parts = [part for part in name.split(".") if part]
        if level:
            folder = importer.split("/")[:-level]
            return self._file([*folder, *parts])
        for place in dict.fromkeys((_folder(importer), _folder(self.entry), "")):
            found = self._file([*filter(None, place.split("/")), *parts])
            if found is not None and found != importer:
                return found
        endings = self._endings.get(".".join(parts), ())
        if len(endings) != 1 or endings[0] == importer:
            return None
        return endings[0] if len(parts) > 1 or self._moves_paths(importer) else None

    def _moves_paths(self, importer: str) -> bool:
        """Return whether the importer or the entry adds folders to Python's search path."""
        return any("sys.path" in self.sources[path].text for path in (importer, self.entry) if path in self.sources)

    def _file(self, parts: list[str]) -> str | None:
        path = "/".join(parts)
        for candidate in (f"{path}.py", f"{path}/__init__.py", f"{path}.ipynb"):
            if candidate in self.sources:
                return candidate
        return f"{path}/" if parts and f"{path}/" in self._folders else None

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(f"{parent.as_posix()}/" for path in self.sources for parent in Path(path).parents)

    @cached_property
    def _endings(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, path in self.modules.items():
            parts = name.split(".")
            for start in range(len(parts)):
                found.setdefault(".".join(parts[start:]), []).append(path)
        return found

    def launchers(self) -> list[str]:
        """Return files that run and import the entry file, directly or through others; the nearest first."""
        found: list[str] = []
        level = {self.entry}
        seen = set(level)
        while level:
            level = {path for path in self.sources if path not in seen and self._imports[path] & level}
            seen |= level
            found += sorted(path for path in level if _RUNS.search(self.sources[path].text))
        return found

    def reached_from(self, path: str) -> list[Source]:
        """Return a file and every file that it imports, directly or through others."""
        seen, level = {path}, {path}
        while level:
            level = {each for file in level for each in self._imports.get(file, ())} - seen
            seen |= level
        return [self.sources[each] for each in seen if each in self.sources]

    @cached_property
    def _imports(self) -> dict[str, frozenset[str]]:
        """Files that each file imports."""
        return {path: frozenset(self._imported_by(source)) for path, source in self.sources.items()}

    @property
    def imported(self) -> frozenset[str]:
        """Files that another file imports."""
        return frozenset(path for importer, paths in self._imports.items() for path in paths if path != importer)

    def _imported_by(self, source: Source) -> Iterator[str]:
        for node in source.nodes(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.ImportFrom):
                names = [(node.module or "", node.level)]
                names += [(f"{node.module or ''}.{alias.name}", node.level) for alias in node.names]
            else:
                names = [(alias.name, 0) for alias in node.names]
            for name, level in names:
                path = self.find(name, source.path, level)
                if path is not None:
                    yield path

    def configurations(self) -> Iterator[str]:
        """Yield the relative paths of files that may hold settings."""
        for path in files_below(self.root):
            if path.suffix in _CONFIGURATIONS and path.stat().st_size <= _MOST_CONFIGURATION_BYTES:
                yield path.relative_to(self.root).as_posix()


def dotted(path: str) -> str:
    """Return the module name of a file: `src/net/__init__.py` is `src.net`."""
    name = path.rsplit(".", 1)[0].replace("/", ".")
    return name.removesuffix(".__init__")


def read_project(path: Path, entry: str = "", launch: str = "") -> Project:
    """Read the project at `path`, a folder or the file that starts the training.

    Args:
        path: the folder, or the entry file itself.
        entry: of a folder, the entry file relative to it; guessed when empty.
        launch: the command that starts it; the project's shell scripts are asked when empty.

    Raises:
        InputError: nothing is there, or no Python file.
        UsageError: `entry` is no file of the project.
    """
    if not path.exists():
        raise InputError(f"got {path}, expected a training script or the folder of a project; nothing is there")
    root = path if path.is_dir() else root_of(path)
    if path.is_file():
        entry = path.absolute().relative_to(root).as_posix()
    sources: dict[str, Source] = {}
    broken: list[Broken] = []
    for file in files_below(root):
        if file.suffix in (".py", ".ipynb"):
            relative = file.relative_to(root).as_posix()
            read = read_source(file, relative)
            if isinstance(read, Source):
                sources[relative] = read
                broken += read.unread
            else:
                broken.append(read)
    if entry and entry not in sources and not any(each.place.path == entry for each in broken):
        raise UsageError(f"got the entry file {entry}, expected one of the Python files or notebooks below {root}")
    if not sources and not broken:
        raise InputError(f"{root} holds no Python file and no notebook; give the folder of a training project")
    given = launches_of(launch, "pyproject.toml")
    launches = {each.script: (each,) for each in given} if given else read_launches(root, files_below(root))
    guesses = [entry] if entry else _entries(Project(root, "", (), sources), launches)
    chosen = guesses[0] if guesses else broken[0].place.path
    return Project(root, chosen, tuple(guesses[1:6]), sources, tuple(broken), launches.get(Path(chosen).name, ()))


def files_below(root: Path) -> Iterator[Path]:
    """Yield the files of a project, without those of tools, environments and outputs."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT and not name.startswith("."))
        for name in sorted(files):
            file = Path(folder) / name
            if file.is_file():  # no broken links, no pipes
                yield file


def root_of(file: Path) -> Path:
    """Return the folder of the project that a file belongs to, at most three levels up."""
    file = file.absolute()
    for folder in list(file.parents)[:4]:
        if any((folder / mark).exists() for mark in _MARKS_OF_A_ROOT):
            return folder
    return file.parent


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _entries(project: Project, launched: Container[str]) -> list[str]:
    """Return the files that may start the training, the likeliest first."""
    imported = project.imported
    scores = {}
    for path, source in project.sources.items():
        scores[path] = _score(source, trains=any(_TRAINING.search(each.text) for each in project.reached_from(path)))
        scores[path] -= 3 * (path in imported)
        scores[path] += 4 * (Path(path).name in launched)
    ordered = sorted(scores, key=lambda path: (-scores[path], path.count("/"), path))
    best = scores[ordered[0]] if ordered else 0
    return [path for path in ordered if scores[path] >= max(best - 2, 1)] or ordered[:1]


def _score(source: Source, *, trains: bool) -> float:
    """Return how likely a file starts the training; `trains`: it or something that it imports holds a training loop."""
    name = Path(source.path).stem.lower()
    score = 0.0
    score += 2 if _RUNS.search(source.text) or source.path.endswith(".ipynb") else 0
    score += 1 if _TRAINING.search(source.text) else 0
    score += 2 if trains else -4
    score += 3 if re.search(r"train|finetun|fine_tun", name) else 1 if re.search(r"run|main", name) else 0
    score -= 4 if re.search(r"__init__|test|util|base|infer|predict|demo|eval|preproc|export|setup", name) else 0
    return score - 0.25 * source.path.count("/")
