"""The child process that decodes: reads chunks of regions from its standard input, writes parts to its output.

A hostile file may crash it, hang it or exhaust it; `workers.py` sees that and goes on without that file. It opens no
network and writes no file. Started by `child.py` alone.
"""

from __future__ import annotations

import gc
import itertools
import mmap
import os
import pickle
import struct
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from .batch import Part, decode_and_measure
from .clips import Clip
from .decode import SMALL_BYTES
from .messages import receive, send
from .plain_reader import PlainReader
from .records import Region
from .shared_rows import SharedRows, Widths

if sys.platform != "win32":
    import resource

_MEMORY_BYTES = 700 << 20
"""What decoding may take above an idle worker: a batch of samples takes 200 MB."""
MARK = struct.Struct("<q")
_MOST_SECONDS = 0.1
"""A chunk ends after so long: progress moves, and to ask and to answer takes a hundredth of it."""


def main() -> None:
    """Be a program of its own: answer on the standard output."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever prints, prints to the error stream
    with Path(sys.argv[1]).open("r+b") as file, mmap.mmap(file.fileno(), MARK.size) as shared:
        serve(0, answers, shared, ())


def serve(
    questions: int, answers: int, shared: mmap.mmap, known: Sequence[Region], rows: SharedRows | None = None
) -> None:
    """Answer chunk after chunk until the questions end; both are descriptors, `shared` takes the mark.

    A question is a list of places in `known`, or of paths with their bounds. The answer may end before the last of
    them, once it has taken long enough; of places the numbers are written to `rows`.
    """
    _limit_memory()

    def mark(place: int) -> None:
        MARK.pack_into(shared, 0, place)

    with os.fdopen(questions, "rb") as asked, os.fdopen(answers, "wb") as told:
        gc.freeze()
        reader = PlainReader(SMALL_BYTES)
        while (question := receive(asked)) is not None:
            mark(0)
            asked_for = pickle.loads(question.body)
            regions = [known[each] if isinstance(each, int) else Region(*each) for each in asked_for]
            part = decode_and_measure(regions, mark, most_seconds=_MOST_SECONDS, reader=reader)
            own = asked_for if rows is not None and isinstance(asked_for[0], int) else ()
            widths = rows.write(own, part) if rows is not None and own else None
            send(told, packed(part, widths), len(part.clips))


def packed(part: Part, widths: Widths | None = None) -> tuple[object, ...]:
    """Return a part without its regions, which the parent has; of its clips the columns, most of one value.

    The parent has to make a record of every clip while its children want the processor: rows took half as long again.
    With `widths` the numbers of the part lie in the shared rows already.
    """
    columns = [
        (column[0], None) if column.count(column[0]) == len(column) else (None, column)
        for column in list(zip(*part.clips, strict=True))[1:]
    ]
    if widths is not None:
        return columns, part.names, widths, part.outlines
    return columns, part.names, part.numbers, part.profiles, part.cepstra, part.outlines


def unpacked(
    body: bytes, regions: Sequence[Region], places: Sequence[int] = (), rows: SharedRows | None = None
) -> Part:
    """Return the part that an answer about these regions holds; its numbers may lie in the rows of their places."""
    packed_columns, *rest = pickle.loads(body)
    columns = [itertools.repeat(value, len(regions)) if each is None else each for value, each in packed_columns]
    made = partial(tuple.__new__, Clip)  # what `_make` does, without a call in Python for each
    clips = tuple(map(made, zip(regions, *columns, strict=True)))
    if len(rest) > _PLACED:
        return Part(clips, *rest)
    names, widths, outlines = rest
    if rows is None:
        raise ValueError("an answer whose numbers lie in rows that are not there")
    return rows.part(places, Part(clips, names, _NOTHING, _NOTHING, _NOTHING, outlines), widths)


_NOTHING = np.empty((0, 0))
_PLACED = 3
"""Items of an answer beside the clips, where the numbers lie in the shared rows."""


def _limit_memory() -> None:
    """Let an allocation fail in here before the machine runs out."""
    if sys.platform == "win32":  # the parent's watch is all there is
        return
    used = Path("/proc/self/statm")
    base = int(used.read_text().split()[5]) * resource.getpagesize() if used.exists() else 0
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = base + _MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
