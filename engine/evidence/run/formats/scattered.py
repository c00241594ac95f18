"""Reads a tree of folders in which each table is one curve, named by its path, as trackers lay them out."""

from __future__ import annotations

import re
from pathlib import Path

from ..collecting import count, number
from .names import meaning
from .tensorboard import Scalars

_MOST_FILES = 500
_LARGEST_BYTES = 16 << 20
_CELLS = re.compile(r"[,;\t]")


def read_scattered(folder: Path) -> list[Scalars]:
    """Return a curve for each table of two columns below a folder: `metrics/train/loss.tsv` is `train/loss`."""
    tables = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".tsv") and path.is_file())
    if len(tables) > _MOST_FILES:
        return []
    found = [_curve(path, folder) for path in tables if path.stat().st_size <= _LARGEST_BYTES]
    return [one for one in found if one is not None]


def _curve(path: Path, folder: Path) -> Scalars | None:
    head, *rows = path.read_text("utf-8", errors="replace").splitlines() or [""]
    names = [cell.strip().strip('"') for cell in _CELLS.split(head)]
    places = [index for index, name in enumerate(names) if meaning(name).role in ("step", "epoch")]
    others = [index for index, name in enumerate(names) if meaning(name).role != "other" and index not in places]
    if len(names) > 4 or len(places) != 1 or len(others) != 1:
        return None
    curve = Scalars("/".join(path.relative_to(folder).with_suffix("").parts[-2:]), "")
    for row in rows:
        cells = _CELLS.split(row)
        if len(cells) == len(names) and (value := number(cells[others[0]])) is not None:
            curve.steps.append(count(number(cells[places[0]]) or 0))
            curve.values.append(value)
    return curve if curve.values else None
