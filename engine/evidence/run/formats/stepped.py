"""Reads the curves of a JSON document that carry their own steps; leaves any other document to its other readers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from ..collecting import count, number
from ..series import direction_of
from .names import meaning
from .record import Record

_MOST_DEPTH = 6
_VALUES = ("values", "value", "y")
_PLACES = ("x",)
_FEWEST = 2
_LARGEST_STEP = 1 << 53

Curve = tuple[str, str, list[float], list[float]]
"""The name, what its places count (`epoch` or `step`), the places, and the values."""


def read_stepped(content: Any) -> list[Record] | None:
    """Return the records of curves with steps of their own, in the order of these; None where none carries any.

    `{"loss": {"steps": [...], "values": [...]}}` of Sacred, `{"x": [...], "y": [...]}` of ClearML,
    `[{"step": 1, "value": 0.5}, ...]`, and lists of pairs of a step and a value.
    """
    if isinstance(content, list):
        content = _by_name(content)
    if not isinstance(content, dict):
        return None
    curves = [one for one in _curves(content, "", 0) if meaning(one[0]).role in ("curve", "rate", "gradient")]
    understood = any(direction_of(meaning(name).metric) for name, *_ in curves if meaning(name).role == "curve")
    if not understood or len({what for _, what, *_ in curves}) > 1:
        return None
    what = curves[0][1]
    told: dict[float, dict[str, float]] = {}
    for name, _, places, values in curves:
        for place, value in zip(places, values, strict=True):
            told.setdefault(place, {})[name] = value
    if what == "epoch":
        return [Record(told[place], epoch=place) for place in sorted(told)]
    return [Record(told[place], step=count(place)) for place in sorted(told)]


def _by_name(content: list[Any]) -> dict[str, Any] | None:
    """A list of curves, each with its name in it, as an object; None where it is none."""
    named = [one for one in content if isinstance(one, dict) and isinstance(one.get("name"), str)]
    lists = len(named) == len(content) and all(any(isinstance(one.get(key), list) for key in _VALUES) for one in named)
    return {one["name"]: one for one in named} if lists else None


def _curves(content: dict[str, Any], prefix: str, depth: int) -> Iterator[Curve]:
    for name, value in content.items():
        if isinstance(value, dict):
            if (told := _of_lists(value)) is not None:
                yield (f"{prefix}{name}", *told)
            elif depth < _MOST_DEPTH:
                yield from _curves(value, f"{prefix}{name}/", depth + 1)
        elif isinstance(value, list) and len(value) >= _FEWEST and (told := _of_points(value)) is not None:
            yield (f"{prefix}{name}", *told)


def _of_lists(row: dict[str, Any]) -> tuple[str, list[float], list[float]] | None:
    """A list of places and one of values, side by side."""
    value = next((row[name] for name in _VALUES if isinstance(row.get(name), list)), None)
    place = next((name for name in row if name in _PLACES or meaning(name).role in ("epoch", "step")), None)
    if value is None or place is None or not isinstance(row[place], list) or len(row[place]) != len(value):
        return None
    return _told(meaning(place).role, row[place], value) if len(value) >= _FEWEST else None


def _of_points(points: Sequence[Any]) -> tuple[str, list[float], list[float]] | None:
    """A list of points, each of which tells its place."""
    if all(isinstance(one, list) and len(one) == 2 for one in points):
        return _told("", [one[0] for one in points], [one[1] for one in points])
    if not all(isinstance(one, dict) and "value" in one for one in points):
        return None
    place = next((name for name in points[0] if meaning(name).role in ("epoch", "step")), None)
    if place is None or not all(place in one for one in points):
        return None
    return _told(meaning(place).role, [one[place] for one in points], [one["value"] for one in points])


def _told(role: str, places: Sequence[Any], values: Sequence[Any]) -> tuple[str, list[float], list[float]] | None:
    """Places and values as numbers; None where one is none, or the places do not rise one after the other."""
    at, y = [number(one) for one in places], [number(one) for one in values]
    pairs = [(one, two) for one, two in zip(at, y, strict=True) if one is not None and two is not None]
    kept = [place for place, _ in pairs]
    rising = all(one < two for one, two in itertools.pairwise(kept))
    if len(pairs) < len(places) or not rising or max(map(abs, kept)) >= _LARGEST_STEP:
        return None
    by_one = kept[0] in (0, 1) and all(two - one == 1 for one, two in itertools.pairwise(kept))
    what = role if role in ("epoch", "step") else "epoch" if by_one else "step"
    if what == "step" and any(place != int(place) for place in kept):
        return None
    return what, kept, [two for _, two in pairs]
