"""Reads what scripts print or keep as lists: `train_losses = [0.9, 0.7]`, a dict of lists in Python's own writing.

Executes nothing: what is no literal of names and numbers is left to the other readers.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from ..series import direction_of
from .json_logs import read_json
from .names import meaning
from .record import Record

_NUMBER = r"(?>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf))"
"""Whole or not at all: in a list that never ends there would be two ways to take each number."""
_SCALAR = rf"(?:(?:np|numpy)\.\w+\(\s*{_NUMBER}\s*\)|tensor\(\s*{_NUMBER}[^()]{{0,40}}\)|{_NUMBER})"
_LISTED = re.compile(
    rf"^[ \t]*(?P<name>[A-Za-z_][\w ./-]{{0,59}}?)\s*[:=]\s*\[\s*"
    rf"(?P<values>{_SCALAR}(?:(?:\s*,\s*|\s+){_SCALAR})*)\s*,?\s*\]",
    re.MULTILINE,
)
_VALUE = re.compile(_NUMBER)
_INNER = re.compile(rf"(?:np|numpy)\.\w+\(\s*({_NUMBER})\s*\)|tensor\(\s*({_NUMBER})[^()]{{0,40}}\)")
_PRINTED = re.compile(r"\{'[^{}]*\}")
_FEWEST = 3
"""Numbers from which on a list is a course."""
_MOST_CHARACTERS = 4 << 20
"""Longer literals are no lists of epochs, and Python's own parser takes a hundred times their room."""


def read_lists(text: str) -> list[Record] | None:
    """Return the records of lists behind the names of losses and metrics, or of a printed dict of such; else None."""
    if len(text) > _MOST_CHARACTERS or "[" not in text:
        return None
    columns = _printed_dict(text) if "{'" in text else None
    columns = columns or _named_lists(text)
    kept = {name: values for name, values in columns.items() if _is_curve(name) and len(values) >= _FEWEST}
    return read_json(json.dumps(kept)) if kept else None


def _named_lists(text: str) -> dict[str, list[float]]:
    """The last list behind each name. One that comes again as long as before is a score at many thresholds."""
    found: dict[str, list[float]] = {}
    again: set[str] = set()
    for one in _LISTED.finditer(text):
        name, values = one["name"].strip(), _values(one["values"])
        if len(found.get(name, ())) == len(values):
            again.add(name)
        found[name] = values
    return {name: values for name, values in found.items() if name not in again}


def _is_curve(name: str) -> bool:
    found = meaning(name)
    return found.role == "rate" or (found.role == "curve" and bool(direction_of(found.metric)))


def _values(text: str) -> list[float]:
    return [float(value) for value in _VALUE.findall(_INNER.sub(lambda one: one[1] or one[2], text))]


def _printed_dict(text: str) -> dict[str, list[float]] | None:
    """The last dict of lists that a script printed, such as `history.history` of Keras."""
    for found in reversed(list(_PRINTED.finditer(text))):
        plain = _INNER.sub(lambda one: one[1] or one[2], found[0])
        plain = re.sub(r"\bnan\b", "'nan'", re.sub(r"\binf\b", "'inf'", plain))
        try:
            content: Any = ast.literal_eval(plain)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(content, dict) and any(_is_list(values) for values in content.values()):
            named = {str(name): values for name, values in content.items() if _is_list(values)}
            return {name: [float(value) for value in values] for name, values in named.items()}
    return None


def _is_list(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, int | float) or one in ("nan", "inf") for one in values)
