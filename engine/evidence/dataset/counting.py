"""Counts rows into facts, with examples and every affected path; judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from knowledge.records import Evidence, Fact, Unknown

from .coded import Integers
from .records import Dataset, Row

EXAMPLES = 20
"""As many as `Fact.evidence` may hold."""
Places = Sequence[int] | Integers
"""Numbers of rows."""


def where(rows: npt.NDArray[np.bool_]) -> Integers:
    """Return the numbers of the rows that are marked."""
    return np.flatnonzero(rows)


def first_rows(regions: Integers, wanted: npt.NDArray[np.bool_]) -> Integers:
    """Return one row for each wanted clip.

    Args:
        regions: `(rows,)`, the number of the clip of each row, -1 without one.
        wanted: `(clips + 1,)`; the last stands for rows without a clip.
    """
    places = where(wanted[regions])
    _, firsts = np.unique(regions[places], return_index=True)
    return places[np.sort(firsts)]


def counted(
    dataset: Dataset,
    name: str,
    places: Places,
    n: int,
    say: str | Callable[[Row], str],
    value: int | None = None,
    telling: Places | None = None,
) -> Fact:
    """Return the fact that counts rows out of `n`.

    Args:
        dataset: whose rows they are.
        name: the fact.
        places: every affected row.
        n: how many were looked at.
        say: what is the matter with a row; its path is put before.
        value: the count, where one thing counted has several rows.
        telling: the rows to show as examples, where not all of them tell something.
    """
    examples = [dataset.row(int(place)) for place in (places if telling is None else telling)[:EXAMPLES]]
    evidence = tuple(
        Evidence(f"{row.name}: {say if isinstance(say, str) else say(row)}", path=row.name, line=row.line or None)
        for row in examples
    )
    paths = tuple(dict.fromkeys(dataset.names[place] for place in places))
    return Fact(name, len(places) if value is None else value, "audit", n=n, evidence=evidence, paths=paths)


def measured(name: str, value: bool | int | float | str, n: int, texts: Iterable[str] = ()) -> Fact:
    """Return a fact with sentences as its evidence."""
    return Fact(name, value, "audit", n=n, evidence=tuple(Evidence(text) for text in list(texts)[:EXAMPLES]))


def unknown(names: str, reason: str) -> tuple[Unknown, ...]:
    """Return several facts, named in one text, as unknown for one reason."""
    return tuple(Unknown(name, reason) for name in names.split())
