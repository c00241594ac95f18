"""Reads logs of a step, a name and a number a line, as build-nanogpt writes them; leaves all others alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..collecting import number
from ..words import splits
from .names import is_metric
from .record import Record

_TRIPLE = re.compile(r"(?P<step>\d{1,12})[ \t]+(?P<name>[A-Za-z][\w/.-]{0,40})[ \t]+(?P<value>[-+\w.]{1,32})")
_FEWEST = 3
_MOST_OTHERS = 0.1


def read_triples(lines: Sequence[str]) -> list[Record] | None:
    """Return a record a line; None where lines say something else, or nothing understood.

    The name of a split alone (`250 val 3.4`) stands for its loss.
    """
    filled = [line.strip() for line in lines if line.strip()]
    found = [match for line in filled if (match := _TRIPLE.fullmatch(line)) and number(match["value"]) is not None]
    names = {match["name"] for match in found}
    told = [name for name in names if is_metric(_key(name))]
    if len(found) < max(_FEWEST, (1 - _MOST_OTHERS) * len(filled)) or not told:
        return None
    return [
        Record({_key(match["name"]): value}, step=int(match["step"]))
        for match in found
        if (value := number(match["value"])) is not None
    ]


def _key(name: str) -> str:
    return f"{name}_loss" if name.lower() in splits() else name
