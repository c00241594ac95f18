"""Reads what the user says on the command line or in a file: facts, fixed decisions, and "I don't know"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import InputError, UsageError
from knowledge.records import Fact, Unknown, Value
from knowledge.vocabulary import Vocabulary

DO_NOT_KNOW = "the user does not know"


@dataclass(frozen=True)
class Answers:
    """What the user said."""

    facts: dict[str, Fact] = field(default_factory=dict)
    fixed: dict[str, Value] = field(default_factory=dict)
    unknown: dict[str, Unknown] = field(default_factory=dict)

    def with_answer(self, name: str, value: Any, vocabulary: Vocabulary, where: str) -> Answers:
        """Return the answers with one more; `unknown` means "I don't know".

        Raises:
            UsageError: unknown name, or a value that does not fit.
        """
        if value is None or str(value).lower() in ("unknown", "?", "i don't know"):
            vocabulary_entry(vocabulary, name, where)
            return Answers(self.facts, self.fixed, {**self.unknown, name: Unknown(name, DO_NOT_KNOW)})
        fact = vocabulary.user_fact(name, value, where)
        if vocabulary.entry(name).kind == "decision":
            return Answers(self.facts, {**self.fixed, name: fact.value}, self.unknown)
        return Answers({**self.facts, name: fact}, self.fixed, self.unknown)


def vocabulary_entry(vocabulary: Vocabulary, name: str, where: str) -> None:
    """Check that a name exists.

    Raises:
        UsageError: it does not.
    """
    from knowledge.errors import KnowledgeError

    try:
        vocabulary.entry(name, where)
    except KnowledgeError as error:
        raise UsageError(error.message, hint=error.hint) from None


def read_answers(file: Path | None, settings: Iterable[str], vocabulary: Vocabulary) -> Answers:
    """Read `--answers FILE` and then `--set name=value`, which overrides it.

    Raises:
        InputError: the file cannot be read.  UsageError: an unknown name or a value that does not fit.
    """
    answers = Answers()
    for name, value in _file(file).items() if file else ():
        answers = answers.with_answer(name, value, vocabulary, str(file))
    for name, value in pairs(settings).items():
        answers = answers.with_answer(name, value, vocabulary, "--set")
    return answers


def pairs(settings: Iterable[str]) -> Mapping[str, str]:
    """Split each `name=value`.

    Raises:
        UsageError: there is no `=`.
    """
    split = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise UsageError(f"--set got {setting!r}, expected NAME=VALUE")
        split[name.strip()] = value.strip()
    return split


def _file(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a flat mapping of fact: value")
    return content
