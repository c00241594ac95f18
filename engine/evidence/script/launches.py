"""Reads the commands of shell scripts that start a training script: their flags overrule the script's defaults."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .places import Place

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^\s;#]*)\s*(?:#.*)?$")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_MOST_BYTES = 200_000
_LONGEST_VALUE = 2_000
_LONGEST_LINE = 20_000


@dataclass(frozen=True, slots=True)
class Launch:
    """One command that starts a Python file."""

    script: str
    """The last part of the file's path."""
    flags: dict[str, str | bool | list[str]]
    """Value of each `--flag` and `key=value`; True for a switch."""
    place: Place


def read_launches(root: Path, files: Iterable[Path]) -> dict[str, tuple[Launch, ...]]:
    """Return the commands of all shell scripts and Makefiles, by the script's file name."""
    found: dict[str, tuple[Launch, ...]] = {}
    for file in files:
        if file.suffix in (".sh", ".bash", ".slurm", ".sbatch") or file.name == "Makefile":
            if file.stat().st_size > _MOST_BYTES:
                continue
            relative = file.relative_to(root).as_posix()
            for launch in launches_of(file.read_text("utf-8", "replace"), relative):
                found[launch.script] = (*found.get(launch.script, ()), launch)
    return found


def launches_of(text: str, path: str) -> list[Launch]:
    """Return the commands of one shell script that start Python files."""
    variables: dict[str, str] = {}
    found = []
    for number, line in _logical_lines(text):
        if assigned := _ASSIGNMENT.match(line):
            value = assigned[2].strip("\"'")
            variables[assigned[1]] = _filled(value, variables)
            continue
        if ".py" not in line and " -m " not in line:
            continue
        try:
            words = shlex.split(_filled(line, variables), comments=True)
        except ValueError:
            continue
        launch = _launch(words, Place(path, number))
        if launch is not None:
            found.append(launch)
    return found


def _filled(text: str, variables: dict[str, str]) -> str:
    """Return a text with its variables filled in; as it stands, where they would make a monster of it."""
    filled = _VARIABLE.sub(lambda match: variables.get(match[1], match[0])[:_LONGEST_VALUE], text)
    return filled if len(filled) <= max(len(text), _LONGEST_LINE) else text


def _logical_lines(text: str) -> Iterable[tuple[int, str]]:
    start, held = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        yield start, held + line
        start, held = 0, ""
    if held:
        yield start, held


def _launch(words: list[str], place: Place) -> Launch | None:
    scripts = [index for index, word in enumerate(words) if word.endswith(".py")]
    if not scripts and "-m" in words[:-1]:
        index = words.index("-m") + 1
        return Launch(words[index].rpartition(".")[2] + ".py", _flags(words[index + 1 :]), place)
    if not scripts:
        return None
    return Launch(Path(words[scripts[-1]]).name, _flags(words[scripts[-1] + 1 :]), place)


def _flags(words: list[str]) -> dict[str, str | bool | list[str]]:
    flags: dict[str, str | bool | list[str]] = {}
    name = ""
    for word in words:
        if word in ("|", "&&", ";", ">", "2>&1", "&", "||"):
            break
        if re.match(r"--?[A-Za-z]", word):
            name, _, value = word.lstrip("-").partition("=")
            name = name.replace("-", "_")
            flags[name] = value if "=" in word else True
        elif name and flags.get(name) is True:
            flags[name] = word
        elif name and isinstance(held := flags[name], (str, list)):
            if isinstance(held, list):
                held.append(word)
            else:
                flags[name] = [held, word]
        elif "=" in word:
            key, _, value = word.partition("=")
            flags[key.lstrip("+")] = value
        else:
            positional = flags.setdefault("", [])
            if isinstance(positional, list):
                positional.append(word)
    return flags
