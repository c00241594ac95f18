"""Reads tables of GPU telemetry, of nvidia-smi or of a script of one's own, into series; judges no machine."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from ..collecting import number
from ..series import RunSeries, Series

_COLUMNS = (
    ("utilisation", re.compile(r"(?=.*gpu)(?=.*util)(?!.*mem)|utilization\.gpu", re.IGNORECASE)),
    ("memory_used", re.compile(r"mem\w*[._ ]*used|used[._ ]*mem|FB_USED", re.IGNORECASE)),
    ("memory_total", re.compile(r"mem\w*[._ ]*total|total[._ ]*mem", re.IGNORECASE)),
    ("power", re.compile(r"power.*draw|power_usage", re.IGNORECASE)),
    ("temperature", re.compile(r"temperature|temp\b", re.IGNORECASE)),
    ("throttle", re.compile(r"(throttle|event)_reasons(\.active|$)", re.IGNORECASE)),
)
"""Series by the names that nvidia-smi gives its columns in its versions, and scripts in their own."""
_LONGEST_NAME = 200
_UNIT = re.compile(r"^\s*(0x[0-9a-fA-F]+|[-+]?\d+(?:\.\d+)?)\s*(?:%|[A-Za-z]+)?\s*$")


def read_telemetry(text: str, path: Path) -> RunSeries | None:
    """Return the series `gpu/...` of a table; None when it has no column of GPU utilisation.

    `utilisation` in percent, `memory_used` and `memory_total` in the unit of the table, `power` in W, `temperature` in
    degrees Celsius, `throttle` as the bits of NVML's clocks event reasons. Steps count the samples.
    """
    lines = _from_the_heading([line for line in text.split("\n") if line.strip()])
    if len(lines) < 2 or "," not in lines[0]:
        return None
    try:
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    except csv.Error:
        return None
    places = {name: place for name, form in _COLUMNS if (place := _place(header, form)) is not None}
    if "utilisation" not in places:
        rows = [header, *rows]
        places = _by_units(rows)
    if "utilisation" not in places:
        return None
    series = [_series(name, place, rows) for name, place in places.items()]
    return RunSeries(path, "GPU telemetry", tuple(one for one in series if len(one)))


_MOST_ABOVE = 60
"""Lines above a heading in which it is looked for: nvidia-smi draws a table of forty for each two cards."""
_FEWEST_COLUMNS = 3


def _from_the_heading(lines: list[str]) -> list[str]:
    """Lines without what was printed above the heading, such as the table that nvidia-smi draws."""
    for place, line in enumerate(lines[:_MOST_ABOVE]):
        cells = line.split(",")
        if len(cells) >= _FEWEST_COLUMNS and _place(cells, _COLUMNS[0][1]) is not None:
            return lines[place:]
    return lines


_CLOCK = re.compile(r"\s*\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d")
_OF_UNITS = {
    "%": re.compile(r"\d{1,3} ?%"),
    "MiB": re.compile(r"\d{1,9} ?MiB"),
    "W": re.compile(r"\d{1,5}\.\d{1,3} ?W"),
}
_LOOKED_AT = 50


def _by_units(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Places of a table without a heading, as `--format=csv,noheader` writes it: a time, and numbers with their units.

    The first share is the load of the card, for nvidia-smi has no query that puts that of its memory alone first.
    """
    head = [row for row in rows[:_LOOKED_AT] if len(row) == len(rows[0])]
    if not _CLOCK.match(rows[0][0] if rows[0] else "") or 2 * len(head) < min(len(rows), _LOOKED_AT):
        return {}
    found = {
        unit: [i for i in range(len(rows[0])) if all(form.fullmatch(row[i].strip()) for row in head)]
        for unit, form in _OF_UNITS.items()
    }
    if not found["%"] or not found["MiB"]:
        return {}
    places = {"utilisation": found["%"][0]} | _of_memory(rows, found["MiB"])
    return places | ({"power": found["W"][0]} if len(found["W"]) == 1 else {})


def _of_memory(rows: Sequence[Sequence[str]], places: Sequence[int]) -> dict[str, int]:
    """Which of the columns in MiB is the memory in use, and which all of it, where one never changes."""
    columns = [[value for row in rows if (value := _value(row, place)) is not None] for place in places]
    whole = [place for place, one in zip(places, columns, strict=True) if one and min(one) == max(one)]
    moving = [place for place in places if place not in whole]
    if len(places) == 1:
        return {"memory_used": places[0]}
    if len(whole) == 1 and moving:
        return {"memory_used": moving[0], "memory_total": whole[0]}
    return {"memory_used": places[0]}  # `memory.used,memory.free`, whose sum is all of it but for what the driver keeps


def _place(header: Sequence[str], form: re.Pattern[str]) -> int | None:
    return next((index for index, name in enumerate(header) if form.search(name[:_LONGEST_NAME])), None)


def _series(name: str, place: int, rows: Sequence[Sequence[str]]) -> Series:
    found = [(step, value) for step, row in enumerate(rows) if (value := _value(row, place)) is not None]
    steps = tuple(step for step, _ in found)
    return Series(f"gpu/{name}", steps, (None,) * len(steps), tuple(value for _, value in found))


def _value(row: Sequence[str], place: int) -> float | None:
    """`90 %`, `1129 MiB`, `0x0000000000000004`, or a plain number; `[N/A]` is none."""
    match = _UNIT.match(row[place]) if place < len(row) else None
    if match is None:
        return None
    return float(int(match[1], 16)) if match[1].startswith("0x") else number(match[1])
