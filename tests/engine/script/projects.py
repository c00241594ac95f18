"""Small projects of our own writing, laid out in a temporary folder and read; nothing here is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from engine.evidence.script.calls import Trace
from engine.evidence.script.script import Script, read_script
from knowledge.loader import load_knowledge


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a project and return its folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), "utf-8")
    return folder


def script_of(folder: Path, files: Mapping[str, str] | str, entry: str = "train.py") -> Script:
    """Read a project that consists of these files, or of one script."""
    laid = lay(folder, {"train.py": files} if isinstance(files, str) else files)
    return read_script(load_knowledge(), laid, entry)


def names_of(trace: Trace) -> list[str]:
    """Return the names of the calls that the launch reaches, in order."""
    return [call.name for call in trace if call.main]
