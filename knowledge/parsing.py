"""Parses one document of a knowledge folder, and says where and how it is misspelt; knows no kind of document."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import KnowledgeError
from .folder import Item

_T = TypeVar("_T", bound=BaseModel)


def parse(model: type[_T], item: Item) -> _T:
    """Return the document as its model.

    Raises:
        KnowledgeError: it is misspelt; the message names file and line, the hint what to write.
    """
    try:
        return model.model_validate(item.body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        line = item.lines.get(str(first["loc"][0])) if first["loc"] else None
        message = f"{item.where}: {place + ': ' if place else ''}{first['msg']}"
        raise KnowledgeError(f"{message} (line {line})" if line else message, hint=_remedy_for(first, model)) from None


def _remedy_for(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Say what to do about a key that is missing, misspelt or of a wrong type."""
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden" and len(place) == 1:
        close = difflib.get_close_matches(str(place[0]), model.model_fields, n=1)
        return f"Did you mean {close[0]}?" if close else f"The keys are {', '.join(model.model_fields)}."
    if kind == "missing":
        return f"Add `{place[-1]}:`; `tonmeister rules show` of a rule like it shows how."
    return "Write it as docs/knowledge.md shows; a text that looks like a number stands in quotes."
