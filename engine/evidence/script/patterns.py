"""Which files a path or module name may mean of which only parts are known, such as `conf/{name}.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .values import Choice, Const, Derived, Value

if TYPE_CHECKING:
    from .project import Project

_JOINS = ("format", "Add", "join", "Div", "str")


_MOST_PARTS = 40
"""Pieces that a text is put together of: more are no path that a person wrote."""
_MOST_GAPS = 3
"""Unknown pieces within a text: matching takes time with the power of their number."""


def pattern_of(value: Value) -> str:
    """Return a regular expression for the texts that `value` may be; `.*` where nothing is known."""
    pattern = re.sub(r"(?:\.\*){2,}", ".*", _pattern(value, [_MOST_PARTS]))
    return pattern if pattern.count(".*") <= _MOST_GAPS else ".*"


def _pattern(value: Value, left: list[int]) -> str:
    """Return the expression, as far as the pieces that are left go."""
    left[0] -= 1
    if left[0] < 0:
        return ".*"
    if isinstance(value, Const) and value.value is not None:
        return re.escape(str(value.value))
    if isinstance(value, Choice):
        return "(?:" + "|".join(_pattern(option, left) for option in value.options) + ")"
    if isinstance(value, Derived) and value.operation in _JOINS:
        between = "/" if value.operation in ("join", "Div") else ""
        return between.join(_pattern(part, left) for part in value.parts)
    return ".*"


def modules_matching(project: Project, name: Value) -> list[str]:
    """Return the files of the modules that a name may mean; none when nothing of it is known."""
    pattern = pattern_of(name)
    if not re.search(r"\w", pattern.replace(".*", "")):
        return []
    if pattern.endswith(r"\."):  # an empty flag after the name of a package: the launch names the module
        pattern += r"[^.]+"
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
