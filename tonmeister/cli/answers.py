"""Reads what the user says on the command line or in a file: `name=value` settings and flat YAML; checks no meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from knowledge.errors import InputError, UsageError


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


def read_answers(path: Path) -> Mapping[str, Any]:
    """Read a flat mapping of fact to value.

    Raises:
        InputError: the file cannot be read, is not YAML, or is not such a mapping.
    """
    import yaml

    try:
        content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict) or any(isinstance(value, dict | list) for value in content.values()):
        raise InputError(f"{path}: expected a flat mapping of `fact: value`")
    return {str(name): value for name, value in content.items()}
