"""Which files a path or module name may mean of which only parts are known, such as `conf/{name}.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .values import Choice, Const, Derived, Value

if TYPE_CHECKING:
    from .project import Project

_JOINS = ("format", "Add", "join", "Div", "str")


def pattern_of(value: Value) -> str:
    """Return a regular expression for the texts that `value` may be; `.*` where nothing is known."""
    if isinstance(value, Const) and value.value is not None:
        return re.escape(str(value.value))
    if isinstance(value, Choice):
        return "(?:" + "|".join(pattern_of(option) for option in value.options) + ")"
    if isinstance(value, Derived) and value.operation in _JOINS:
        between = "/" if value.operation in ("join", "Div") else ""
        return between.join(pattern_of(part) for part in value.parts)
    return ".*"


def modules_matching(project: Project, name: Value) -> list[str]:
    """Return the files of the modules that a name may mean; none when nothing of it is known."""
    pattern = pattern_of(name)
    if not re.search(r"\w", pattern.replace(".*", "")):
        return []
    wanted = re.compile(rf"(?:.*\.)?{pattern}")
    exact = [path for module, path in project.modules.items() if re.fullmatch(pattern, module)]
    return exact or [path for module, path in project.modules.items() if wanted.fullmatch(module)]


def files_matching(paths: list[str], name: Value) -> list[str]:
    """Return those of `paths` that a path may mean, whatever folder the script starts in."""
    pattern = re.sub(r"(?:\\\.)+/", "", pattern_of(name)).lstrip("/")
    while pattern.startswith(".*/"):
        pattern = pattern[3:]  # a folder that the script works out, which may be the project's own
    if not re.search(r"\w", re.sub(r"\\?\.(?:ya?ml|json|toml)|\.\*", "", pattern)):
        pattern = rf"[^/]*{pattern}" if pattern.endswith(("yaml", "yml", "json", "toml")) else pattern
        if pattern in (".*", "[^/]*.*"):
            return []
    wanted = re.compile(rf"(?:.*/)?{pattern}")
    return [path for path in paths if wanted.fullmatch(path)]
