"""One script as everything that measures it sees it: the project, the trace of its launch, and how to say where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge.profiles import ProfileDocument, Reading
from knowledge.records import Evidence, Fact, Unknown, Value
from knowledge.rulebook import Knowledge

from .calls import Call, Trace
from .interpreter import Interpreter
from .places import Place, Via
from .project import Project, read_project
from .requirements import Requirement, read_requirements
from .values import External, Instance


@dataclass(frozen=True, eq=False)
class Script:
    """A training script that was read, never run."""

    project: Project
    trace: Trace
    reading: Reading
    symbols: Mapping[str, tuple[str, ...]]
    """Names of packages by what they do."""
    called: Mapping[str, re.Pattern[str]]
    """What people call one thing in code of their own."""
    profiles: tuple[ProfileDocument, ...]
    """What packages do by themselves, and how they take settings."""
    configurations: tuple[str, ...]
    """Configuration files that the launch reads."""
    cut: tuple[str, ...]
    """What was not read to the end; what is missing cannot be claimed then."""

    def says(self, called: str, text: str) -> bool:
        """Return whether a name or a line of the user's code speaks of something, such as `best-so-far`."""
        return self.called[called].search(text) is not None

    def calls(self, *symbols: str, main: bool | None = True) -> list[Call]:
        """Return the calls that do what one of `symbols` says, such as `gradient-clipping`.

        `main` limits to what the launch reaches (True), to the rest (False), or not at all (None).
        """
        return self.trace.named(*(name for each in symbols for name in self.symbols[each]), main=main)

    @cached_property
    def remembered(self) -> dict[tuple[tuple[str, ...], bool | None], list[Call]]:
        """Calls that were looked for before."""
        return {}

    @cached_property
    def prepared(self) -> list[Call]:
        """Calls of packages that are prepared with their settings, such as `!name:torch.optim.Adam` in hyperpyyaml."""
        partials = [call for call in self.trace.named("functools.partial") if call.arguments]
        return [
            replace(call, name=call.arguments[0].name, arguments=call.arguments[1:])
            for call in partials
            if isinstance(call.arguments[0], External)
        ]

    @cached_property
    def shelf(self) -> dict[str, Any]:
        """What several measures need and one works out, under the name of the function that does."""
        return {}

    @cached_property
    def constructions(self) -> list[Call]:
        """Where objects of the project's own classes are made."""
        return [
            call
            for call in self.trace
            if isinstance(call.result, Instance) and call.result.cls and call.result.call is call
        ]

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """The packages that the project asks for."""
        return read_requirements(self.project)

    def version(self, package: str) -> str:
        """Return the version of a package that the project pins, or an empty text."""
        return next((each.version for each in self.requirements if each.package == package and each.version), "")

    def evidence(self, place: Place, text: str, via: Via | None = None) -> Evidence:
        """Return something to look up; how it is provided follows from the file unless `via` says it."""
        lines = {"line": place.line, "end_line": place.last, "cell": place.cell or None}
        return Evidence(text, place.path, **lines, via=via or self.via(place))

    def via(self, place: Place) -> Via:
        """Return how something at `place` is provided: by the entry file, by another file, or by a configuration."""
        if place.path == self.project.entry:
            return "explicit"
        return "helper" if place.path.endswith((".py", ".ipynb")) else "config"

    def of(self, call: Call, text: str = "", via: Via | None = None) -> Evidence:
        """Return one call as something to look up."""
        return self.evidence(call.place, text or call.name, via)

    def fact(self, name: str, value: Value, *evidence: Evidence) -> Fact:
        """Return a fact about the script; the first evidence is where a person looks first."""
        return Fact(name, value, "script", evidence=tuple(dict.fromkeys(evidence))[:20])

    def unknown(self, name: str, why: str, decided_by: str) -> Unknown:
        """Return what reading does not tell: why, and what would tell it."""
        return Unknown(name, f"{why}; {decided_by} would tell")


def read_script(knowledge: Knowledge, path: Path, entry: str = "", launch: str = "") -> Script:
    """Read the training script of the project at `path`, a folder or the entry file itself; nothing is executed.

    Raises:
        InputError: nothing is there, or no Python file.
        UsageError: `entry` is no file of the project.
    """
    return script_of(knowledge, read_project(path, entry, launch))


def script_of(knowledge: Knowledge, project: Project) -> Script:
    """Follow the launch of a project that was read."""
    assert knowledge.reading is not None, "the rulebook says how scripts are read"
    interpreter = Interpreter(project, knowledge.reading)
    trace = interpreter.read()
    configurations, cut = tuple(interpreter.configurations.used), tuple(interpreter.cut)
    named = knowledge.symbols, knowledge.called
    return Script(project, trace, knowledge.reading, *named, knowledge.profiles, configurations, cut)
