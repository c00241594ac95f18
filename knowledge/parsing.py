"""Parses one document of a knowledge folder, and says where and how it is misspelt; knows no kind of document."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import KnowledgeError
from .folder import Item

_T = TypeVar("_T", bound=BaseModel)
_ORDER = {"extra_forbidden": 0, "missing": 2}
"""A misspelt key is told before the one that is missing because of it; what is misspelt before what is absent."""


def parse(model: type[_T], item: Item) -> _T:
    """Return the document as its model.

    Raises:
        KnowledgeError: it is misspelt; the message names file and line, the hint what to write.
    """
    try:
        return model.model_validate(item.body)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: _ORDER.get(one["type"], 1))  # stable: as they stand in the model
        where = item.at(str(first["loc"][0])) if first["loc"] else item.where
        raise KnowledgeError(f"{where}: {_told(first)}", hint=_remedy_for(first, model)) from None


def _told(error: Mapping[str, Any]) -> str:
    """What is wrong, without the words of the library that found it where those say little."""
    place, kind = ".".join(map(str, error["loc"])), error["type"]
    if kind == "extra_forbidden":
        return f"unknown key `{place}`"
    if kind == "missing":
        return f"the key `{place}` is missing"
    return f"{place + ': ' if place else ''}{error['msg']}"


def _remedy_for(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Say what to do about a key that is missing, misspelt or of a wrong type."""
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden" and len(place) == 1:
        close = difflib.get_close_matches(str(place[0]), model.model_fields, n=1)
        return f"Did you mean {close[0]}?" if close else f"The keys are {', '.join(model.model_fields)}."
    if kind == "missing":
        return f"Add `{place[-1]}:`; `tonmeister rules show` of a rule like it shows how."
    return "Write it as docs/knowledge.md shows; a text that looks like a number stands in quotes."
