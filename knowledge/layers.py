"""Finds the knowledge that is in force here: the package, packaged rulebooks, the team's, the project's; runs no code.

Precedence: package < entry points (by name) < team < project; the later one has the last word. Everything found is
data: files are read as YAML without tags, and a package that offers a rulebook is located, never imported.
"""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from .errors import InputError, UsageError
from .loader import BUILT_IN, load_knowledge
from .own import Layer
from .rulebook import Knowledge

GROUP = "tonmeister.knowledge"
"""The entry point group of packaged rulebooks; a value such as `acme_rules.books` is a package or a folder in one."""
PROJECT_FOLDER = Path(".tonmeister") / "knowledge"
TEAM_VARIABLE = "TONMEISTER_TEAM_KNOWLEDGE"
"""Names the team's folder of knowledge."""
TEAM_FILE = Path(".tonmeister") / "team"
"""A text file in the project whose first line names the team's folder, relative to the project."""
OFF_VARIABLE = "TONMEISTER_PACKAGE_KNOWLEDGE"
"""Set to anything but 0, it leaves out all that users added: the package alone."""


def knowledge_in_force(start: Path | None = None) -> Knowledge:
    """Load the packaged knowledge with everything that applies in the folder `start` (default: the current one).

    Raises:
        InputError: a folder that was named does not exist, or a file cannot be read.
        KnowledgeError: a document of any layer is wrong.
    """
    return load_knowledge(BUILT_IN, layers_in_force(start))


def layers_in_force(start: Path | None = None) -> tuple[Layer, ...]:
    """Return the layers above the package, the strongest last.

    Raises:
        InputError: a folder that was named does not exist.
    """
    if os.environ.get(OFF_VARIABLE, "0") not in ("", "0"):
        return ()
    project = project_root(start or Path.cwd())
    return (*_packaged(), *_team(project), *_project(project))


def project_root(start: Path) -> Path:
    """Return the folder whose `.tonmeister` counts: the nearest at or above `start` within its repository.

    Outside a repository it is `start` itself: what lies further up may be somebody else's.
    """
    start = start.resolve()
    above: list[Path] = []
    for folder in (start, *start.parents):
        above.append(folder)
        if (folder / ".git").exists():
            return next((one for one in above if (one / ".tonmeister").is_dir()), folder)
    return start


def _packaged() -> tuple[Layer, ...]:
    """One layer a packaged rulebook, by name."""
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return tuple(_packaged_layer(point) for point in points)


def _packaged_layer(point: EntryPoint) -> Layer:
    first, *rest = point.value.replace(":", ".").split(".")
    try:
        spec = find_spec(first)  # of a top-level package: looks, imports nothing
    except (ImportError, ValueError):
        spec = None
    origins = list(spec.submodule_search_locations or ()) if spec else []
    folders = [Path(origin).joinpath(*rest) for origin in origins]
    root = next((folder for folder in folders if folder.is_dir()), None)
    if root is None:
        raise InputError(
            f"the packaged rulebook {point.name!r} ({point.value}) has no folder, expected a package with YAML in it",
            hint=f"Mend its entry point in the group {GROUP}, or uninstall the package that offers it.",
        )
    return Layer("entry point", root, f"{point.name}/", point.dist.name if point.dist else point.name)


def _team(project: Path) -> tuple[Layer, ...]:
    named, by = os.environ.get(TEAM_VARIABLE, ""), f"the environment variable {TEAM_VARIABLE}"
    root = Path(named).expanduser()
    note = project / TEAM_FILE
    if not named and note.is_file():
        try:
            named = next(iter(note.read_text("utf-8").splitlines()), "").strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{note} cannot be read, expected a text that names a folder", hint="Remove it.") from None
        by, root = str(note), project / Path(named).expanduser()
    if not named:
        return ()
    if not root.is_dir():
        raise UsageError(f"{by} names {named}, which is no folder", hint="Name a folder with *.yaml files in it.")
    return (Layer("team", root.resolve(), f"{root}/", root.resolve().name),)


def _project(project: Path) -> tuple[Layer, ...]:
    root = project / PROJECT_FOLDER
    if not root.is_dir() or not any(root.rglob("*.y*ml")):
        return ()
    return (Layer("project", root, f"{PROJECT_FOLDER.as_posix()}/", project.name),)
