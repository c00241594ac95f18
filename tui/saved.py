"""An interview as a file: what was said, so that it can be gone on with another day. Holds no conclusions.

Everything else follows from it again: the audit is read anew (from its cache), and the questions are drawn from the
rulebook of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.plan import write_atomically
from knowledge.errors import InputError, TonmeisterError

from .interview import InterviewState

SCHEMA = "tonmeister.interview/1"
_KEYS = {"schema", "rulebook", "manifest", "answers", "fixed"}


@dataclass(frozen=True, slots=True)
class SavedInterview:
    """What a file of an interview says."""

    path: Path
    rulebook: str
    """Digest of the rulebook that the answers were given under."""
    manifest: Path | None
    answers: Mapping[str, Any]
    """None: "I don't know"."""
    fixed: Mapping[str, Any]


def save_interview(state: InterviewState, path: Path) -> None:
    """Write the interview; a file that holds one is replaced.

    Raises:
        InputError: the file holds something else.
    """
    if path.exists():
        read_interview(path)
    content = {
        "schema": SCHEMA,
        "rulebook": state.knowledge.digest,
        "manifest": str(state.manifest) if state.manifest else None,
        "answers": dict(state.replies),
        "fixed": dict(state.fixed),
    }
    write_atomically(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read_interview(path: Path) -> SavedInterview:
    """Read an interview.

    Raises:
        InputError: the file cannot be read, or holds none.
    """
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or not content.keys() <= _KEYS:
        raise InputError(f"{path} holds no interview, expected a file that `tonmeister plan --session` wrote")
    answers, fixed = (content.get(key) or {} for key in ("answers", "fixed"))
    if not isinstance(answers, dict) or not isinstance(fixed, dict):
        raise InputError(f"{path}: got {type(answers).__name__} answers, expected a mapping of `fact: value`")
    manifest = content.get("manifest")
    return SavedInterview(path, str(content.get("rulebook")), Path(manifest) if manifest else None, answers, fixed)


def take_over(saved: SavedInterview, state: InterviewState) -> tuple[str, ...]:
    """Give the saved answers to a state, and return what of them does not hold any more."""
    refused = []
    for name, value in saved.answers.items():
        try:
            state.dont_know(name) if value is None else state.answer(name, value)
        except TonmeisterError as error:
            refused.append(f"{name} is left out: {error.message}")
    for name, value in saved.fixed.items():
        try:
            state.fix(name, value)
        except TonmeisterError as error:
            refused.append(f"{name} is left out: {error.message}")
    return tuple(refused)
