"""Names of the classes that Hugging Face `datasets` keeps beside integer labels; reads metadata, opens no file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KEY = b"huggingface"
_NO_LABEL = "-1"
"""How `datasets` writes a label that is not known, as in the test part of a contest."""


def class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, Sequence[str]]:
    """Return the names of the classes of each column that is a `ClassLabel`; empty where the metadata tells none.

    Args:
        metadata: of an Arrow schema; what is damaged in it tells nothing.
    """
    try:
        told = json.loads((metadata or {}).get(_KEY, b"{}"))
        return dict(_labels(told["info"]["features"], ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _labels(features: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    for name, feature in features.items():
        if not isinstance(feature, dict):
            continue
        names = feature.get("names")
        if feature.get("_type") == "ClassLabel":
            if isinstance(names, list) and names:
                yield f"{prefix}{name}", [str(each) for each in names]
        else:
            yield from _labels(feature, f"{prefix}{name}.")


def named(record: dict[str, str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return a record with class names for class numbers; a number without a name stays, and -1 is no label."""
    return {column: _name(cell, names.get(column, ())) for column, cell in record.items()}


def _name(cell: str, names: Sequence[str]) -> str:
    if not names:
        return cell
    if cell == _NO_LABEL:
        return ""
    return names[int(cell)] if cell.isascii() and cell.isdigit() and len(cell) < 10 and int(cell) < len(names) else cell
