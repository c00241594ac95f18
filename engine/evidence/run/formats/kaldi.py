"""Reads Kaldi's nnet3 and chain trainings from what `compute_prob_train` and `compute_prob_valid` printed; no more.

Each iteration has a log of its own for each split, so that a training is a folder of them, or lines of `grep` over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .record import Record

_FILE = re.compile(r"compute_prob_(?P<split>train|valid)\.(?P<step>\d+)\.log")
_TOLD = re.compile(
    r"Overall (?P<what>log-probability|log-likelihood|objective|accuracy) for 'output' is (?P<sum>[-+\d.eE= ]+?) per "
)
_MOST_FILES = 20_000
_MOST_BYTES = 1 << 20
"""Of one file; each tells a few lines."""


def read_probabilities(folder: Path) -> list[Record] | None:
    """Return the records of a folder with the logs of `compute_prob_*`, or of its folder `log`; None without them."""
    for place in (folder, folder / "log"):
        files = sorted(place.glob("compute_prob_*.log"))[:_MOST_FILES] if place.is_dir() else []
        if files and (records := read_lines(line for file in files for line in _lines(file))):
            return records
    return None


def _lines(file: Path) -> Iterable[str]:
    with file.open("rb") as stream:
        text = stream.read(_MOST_BYTES).decode("utf-8", "replace")
    return (f"{file.name}:{line}" for line in text.split("\n"))


def read_lines(lines: Iterable[str]) -> list[Record] | None:
    """Return the records of lines that begin with the name of their file, as `grep` prints them; None without any.

    A log-probability is better when it is higher; its negative is the loss. Of `a + b = c` the sum with the
    regulariser, `c`, is what is optimised.
    """
    found: list[tuple[int, str, str, float]] = []
    for line in lines:
        file, told = _FILE.search(line), _TOLD.search(line)
        if file and told and (value := _value(told["sum"])) is not None:
            accuracy = told["what"] == "accuracy"
            name = "accuracy" if accuracy else "loss"
            found.append((int(file["step"]), file["split"], name, value if accuracy else -value))
    found.sort(key=lambda one: one[0])
    return [Record({f"{split}/{name}": value}, step=step) for step, split, name, value in found] or None


def _value(told: str) -> float | None:
    try:
        return float(told.rpartition("=")[2])
    except ValueError:
        return None
